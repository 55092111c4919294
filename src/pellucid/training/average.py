"""A running average of the weights, which is often better than the last weights (Polyak & Juditsky 1992)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.errors import WeightsError


class Ema:
    """Exponential moving average of a model's parameters; its buffers are copied as they are.

    average <- d * average + (1 - d) * weights, with d = min(decay, (1 + t) / (10 + t)) at update t = 0,
    1, ...: the ramp lets the average leave the random start quickly, and ends by itself.

    Attributes:
        decay: the largest d, in [0, 1).
        n_updates: updates so far.
        average: name -> averaged parameter or copied buffer.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.n_updates = 0
        self.average = {name: tensor.detach().clone() for name, tensor in _tensors(model).items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step. One pass over the parameters, without waiting for the device.

        Frozen parameters are their own average, to the bit.
        """
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        buffers = dict(model.named_buffers())
        if parameters:
            averaged = [self.average[name] for name in parameters]
            torch._foreach_lerp_(averaged, list(parameters.values()), 1 - decay)
        if buffers:
            torch._foreach_copy_([self.average[name] for name in buffers], list(buffers.values()))

    @contextmanager
    def swap(self, model: nn.Module) -> Iterator[nn.Module]:
        """`with ema.swap(model): ...` runs with the average; then the weights are back, bit for bit."""
        own = _tensors(model)
        kept = [tensor.detach().clone() for tensor in own.values()]
        _fill(own, [self.average[name] for name in own])
        try:
            yield model
        finally:
            _fill(own, kept)

    def state_dict(self) -> dict[str, Any]:
        """Tensors by name and one number; safe to load with `weights_only=True`."""
        return {"n_updates": self.n_updates, "average": dict(self.average)}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`. The decay is a setting and stays as it was given.

        Raises:
            WeightsError: the average was made for another model.
        """
        given = state["average"]
        differ = given.keys() ^ self.average.keys()
        differ |= {name for name in given.keys() & self.average if given[name].shape != self.average[name].shape}
        if differ:
            raise WeightsError(
                f"The stored average of the weights is of another model: {len(differ)} of {len(self.average)} tensors "
                f"do not fit, such as {min(differ)}. Resume with the model the run was started with."
            )
        _fill(self.average, [given[name] for name in self.average])
        self.n_updates = state["n_updates"]


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@torch.no_grad()
def _fill(targets: Mapping[str, Tensor], sources: list[Tensor]) -> None:
    for target, source in zip(targets.values(), sources, strict=True):
        target.copy_(source)
