"""Sizes, costs and receptive fields of every layer of a network, from one forward pass of an empty picture.

Nothing is read off the layers' settings: the operations torch really runs are watched, so that functions
(`relu`, `+`, `interpolate`) are seen like modules. A module without parts is one row; an operation that a
larger module runs itself is a row of its own. Activations are counted as float32 and for one picture; what counts as
a multiply-add, `cost.py` says.
"""

from itertools import chain
from types import MappingProxyType

import torch
from torch import nn

from pellucid.core.errors import ConfigError, PellucidError
from pellucid.nn.geometry.rows import Geometry, LayerRow
from pellucid.nn.geometry.trace import Trace, bytes_of, tensors
from pellucid.nn.geometry.watched import watched

__all__ = ["Geometry", "LayerRow", "describe"]


def describe(model: nn.Module, channels: int, image_size: tuple[int, int], training: bool = False) -> Geometry:
    """Run one empty picture through `model` and write down what happens.

    The pass is made without gradients; the model, its training flags and its statistics stay as they were.

    Args:
        model: takes (1, C, H, W) of the type and on the device of its parameters, `meta` included.
        channels: C.
        image_size: H and W in pixels.
        training: let the network itself know that it trains, so that heads which only then exist run as well. Its
            parts stay in evaluation mode, since one picture has no statistics.

    Raises:
        ConfigError: the picture does not fit through a layer; the message names the layer.
    """
    like = next(chain(model.parameters(), model.buffers()), torch.empty(0))
    image = torch.zeros(1, channels, *image_size, dtype=like.dtype, device=like.device)
    trace = Trace(model, image)
    with watched(model, trace, training), torch.no_grad(), trace:
        try:
            answer = model(image)
        except PellucidError:
            raise
        except (RuntimeError, ValueError) as error:
            raise ConfigError(trace.explain(error)) from error
    rows = tuple(trace.rows)
    parameters: dict[torch.Tensor, int] = {parameter: parameter.numel() for parameter in model.parameters()}
    idle = {parameter for module in model.modules() for parameter in trace.own_parameters(module)}
    unused = sum(parameter.numel() for parameter in idle)
    return Geometry(
        rows=rows,
        input_shape=(channels, *image_size),
        parameters=sum(parameters.values()),
        trainable=sum(number for parameter, number in parameters.items() if parameter.requires_grad),
        macs=sum(row.macs for row in rows),
        training_bytes=bytes_of(image) + sum(row.activation_bytes for row in rows),
        inference_bytes=trace.peak,
        unused=tuple(name for name, module in model.named_modules() if trace.own_parameters(module)),
        depth=max((trace.depths.get(out, 0) for out in tensors([answer])), default=0),
        n_layers=trace.n_layers,
        parameters_in=MappingProxyType(
            {
                "convolution": trace.roles["convolution"],
                "fully connected": trace.roles["fully connected"],
                "other": sum(parameters.values()) - unused - trace.roles.total(),
                "unused": unused,
            }
        ),
    )
