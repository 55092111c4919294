"""The receptive field measured: which pixels the gradient of one unit reaches.

An independent check of the computed field, and the picture of it. Weights and activations could cancel or close a
path, so a copy of the network is opened: weights are positive, the slope of every activation is taken as 1, and of a
maximum every candidate counts. What is left is the pattern of the wiring.
"""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.nn.geometry.trace import tensors

Pair = tuple[int, int]


@dataclass(frozen=True)
class Footprint:
    """What one unit sees.

    Attributes:
        weights: (H, W) share of the gradient that each pixel gets with all paths open; sums to 1. Pixels that are
            not seen have 0.
        unit: (row, column) in the layer's map.
        box: (top, left, bottom, right) of the pixels that are seen, the last two excluded.
    """

    weights: np.ndarray
    unit: Pair
    box: tuple[int, int, int, int]

    @property
    def size(self) -> Pair:
        """Height and width of the box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def footprint(
    model: nn.Module, layer: str, channels: int, image_size: Pair, unit: Pair | None = None, open_paths: bool = True
) -> Footprint:
    """Measure the receptive field of a unit.

    Args:
        model: stays as it is; a copy is worked on.
        layer: name of a module whose output is a map (1, C, h, w) or a vector (1, C), as in `named_modules`.
        channels: C of the picture.
        image_size: H and W in pixels.
        unit: (row, column) of the layer's map; None for the middle one. Of a vector, (0, 0).
        open_paths: False to keep weights, activations and maxima as they are, for a picture of noise: the effective
            field of this network, which cancels and closes paths.

    Raises:
        ConfigError: there is no such layer or unit, the layer does not run, or nothing of the picture reaches it.
    """
    parts = {name: part for name, part in model.named_modules() if name}
    choose(layer, parts or {"": model}, "layer")
    net = copy.deepcopy(model).eval()
    caught: list[Tensor] = []
    net.get_submodule(layer).register_forward_hook(_stop_with(caught))
    if open_paths:
        _open(net)
    like = next(net.parameters(), torch.empty(0))
    generator = torch.Generator().manual_seed(0)
    shape = (1, channels, *image_size)
    picture = torch.ones(shape) if open_paths else torch.randn(shape, generator=generator)
    picture = picture.to(like.device, torch.float64 if open_paths else like.dtype).requires_grad_()
    with torch.enable_grad(), _OpenPaths() if open_paths else nullcontext(), suppress(_Stop):
        net(picture)
    if not caught:
        raise ConfigError(f"Layer {layer} does not run for a picture in evaluation. Choose one that does.")
    maps = caught[0][0]  # (C, h, w), or (C,)
    maps = maps if maps.dim() == 3 else maps.reshape(-1, 1, 1)
    height, width = maps.shape[-2:]
    row, column = unit or (height // 2, width // 2)
    if not (0 <= row < height and 0 <= column < width):
        raise ConfigError(f"Layer {layer} has {height}x{width} units, there is no unit {row}, {column}.")
    (gradient,) = torch.autograd.grad(maps[:, row, column].sum(), picture, allow_unused=True)
    if gradient is None or not gradient.any():
        raise ConfigError(f"Nothing of the picture reaches unit {row}, {column} of layer {layer}.")
    weights = gradient[0].abs().sum(0).double().cpu().numpy()
    return Footprint(weights / weights.sum(), (row, column), _box(weights > 0))


def _box(seen: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


class _Stop(Exception):
    """The layer has run; what comes after it would only cost time."""


def _stop_with(caught: list[Tensor]) -> Callable[[nn.Module, Any, Any], None]:
    def stop(module: nn.Module, args: Any, output: Any) -> None:
        caught.append(next(tensors([output])))
        raise _Stop

    return stop


def _open(net: nn.Module) -> None:
    """Positive weights that keep the size of numbers, in float64, as corners of deep fields are tiny."""
    net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1 / max(1, parameter[0].numel() if parameter.dim() > 1 else 1))


class _OpenPaths(TorchFunctionMode):
    """While it is on, activations are the identity, maxima are means, and norms only pass on what they get."""

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in _SLOPES or func in _NORMS:
            return args[0]
        if name in ("max_pool2d", "_max_pool2d", "boolean_dispatch"):
            return _mean_pool(*args, **kwargs)
        if name == "adaptive_max_pool2d":
            return F.adaptive_avg_pool2d(args[0], args[1])
        if name == "amax":
            return args[0].mean(*args[1:], **kwargs)
        return func(*args, **kwargs)


def _mean_pool(
    x: Tensor,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """A mean over the windows of a maximum, as a depthwise convolution, since means know no dilation."""
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    if ceil_mode:
        return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode=True)
    weight = x.new_full((x.shape[-3], 1, *kernel), 1 / (kernel[0] * kernel[1]))
    return F.conv2d(x, weight, None, stride or kernel_size, padding, dilation, groups=x.shape[-3])


_SLOPES = frozenset(
    "relu relu_ relu6 leaky_relu leaky_relu_ elu elu_ celu selu gelu silu mish hardswish hardtanh hardtanh_ softplus "
    "prelu tanh tanh_ clamp clamp_ threshold".split()
)
_NORMS = (F.batch_norm, F.layer_norm, F.group_norm, F.instance_norm, F.local_response_norm)
