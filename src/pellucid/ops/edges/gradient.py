"""The gradient of a picture: how fast brightness changes at each pixel, and which way it grows."""

from typing import Any

import torch
from torch import Tensor

from pellucid.ops.filters.derivative import gaussian_derivative
from pellucid.ops.pictures import Pictures, as_planes


def gradient(x: Pictures, sigma: float | None = None) -> tuple[Any, Any]:
    """Magnitude and direction of the gradient of every channel.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        sigma: in pixels: derivatives of Gaussians, which smooth before they differentiate, as noise demands. The
            picture goes on beyond its rim as in a mirror, so what comes within three sigma of it is smaller. None:
            central differences, half the difference of the two neighbours; on the rim, that to the one neighbour.

    Returns:
        magnitude, in units of brightness per pixel, and direction in radians, arctan2(down, across) in -pi..pi: where
        brightness grows fastest. As x runs to the right and y down, 0 is growth to the right, pi/2 growth downwards.
        Where nothing changes the direction is 0. Both have the shape of `x`; float32 for uint8, else the type of `x`.

    Raises:
        DataError: x is no picture, empty or not finite.
        ConfigError: sigma is no width.
    """
    planes = as_planes(x)
    if sigma is None:
        values = planes.tensor.to(torch.float32) if planes.tensor.dtype == torch.uint8 else planes.tensor
        across, down = _differences(values, -1), _differences(values, -2)
    else:
        across, down = (torch.as_tensor(gaussian_derivative(planes.tensor, sigma, axis=axis)) for axis in (1, 0))
    return planes.back(torch.hypot(across, down)), planes.back(torch.atan2(down, across))


def _differences(values: Tensor, axis: int) -> Tensor:
    """Change per pixel along an axis of (N, C, H, W): 0 where the axis is one pixel long."""
    return torch.gradient(values, dim=axis)[0] if values.shape[axis] > 1 else torch.zeros_like(values)
