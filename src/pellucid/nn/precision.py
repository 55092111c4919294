"""Low precision and memory layout, the same for every task."""

import itertools
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn


def autocast(device: torch.device, precision: Literal["fp32", "bf16"]) -> AbstractContextManager[object]:
    """The context a forward pass runs in. bf16 needs no loss scaling: its range is that of fp32."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def place_model(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model, with its image weights in channels-last order, which convolutions are fastest in."""
    return model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def device_of(model: nn.Module) -> torch.device:
    """Where a model lies: its first parameter, or its first buffer, since a fitted model may have no parameters."""
    return next(itertools.chain(model.parameters(), model.buffers())).device


def as_float32(outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Outputs in fp32, so that losses and metrics are computed in it."""
    return {name: value.float() if value.is_floating_point() else value for name, value in outputs.items()}
