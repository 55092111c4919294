"""Colour spaces: grey, HSV, CIE Lab and YCbCr.

Colour pictures are (3, H, W) or (N, 3, H, W): uint8 in 0..255, or floating point in 0..1. Both say the same colours.
"""

from typing import Any

import torch
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, Planes, as_planes

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV, Pillow and JPEG
LUMA_16 = (19595, 38470, 7471)  # the same in units of 1 / 65536, as Pillow: whole numbers give the same grey everywhere

# JFIF (the colour space of JPEG): full range, Cb and Cr around 0.5
YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
# sRGB primaries (IEC 61966-2-1) and the white of daylight D65 seen at 2 degrees (CIE)
XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
D65 = (0.95047, 1.0, 1.08883)


def rgb_to_grey(x: Pictures) -> Any:
    """Luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).

    Args:
        x: colour pictures, or pictures that are grey already: (H, W) or one channel, which come back as they are.
            Floats may have any range.

    Returns:
        (1, H, W) or (N, 1, H, W) in the type of `x`; uint8 is rounded, to the values Pillow gives.

    Raises:
        DataError: other than 1 or 3 channels, or no picture.
    """
    planes = as_planes(x, "picture", channels=(1, 3))
    rgb = planes.tensor
    if rgb.shape[1] == 1:
        return x
    if rgb.dtype == torch.uint8:
        total = torch.full_like(rgb[:, :1], 0x8000, dtype=torch.int32)  # one half, so that the shift rounds
        for channel in range(3):
            total.add_(rgb[:, channel : channel + 1], alpha=LUMA_16[channel])
        return planes.back(total.bitwise_right_shift_(16).to(torch.uint8))
    grey = rgb[:, :1] * LUMA[0]
    return planes.back(grey.add_(rgb[:, 1:2], alpha=LUMA[1]).add_(rgb[:, 2:3], alpha=LUMA[2]))


def rgb_to_hsv(x: Pictures) -> Any:
    """Hue, saturation and value (Smith 1978), all in 0..1, as colorsys, matplotlib and scikit-image.

    Hue is a share of the circle, in [0, 1): red 0, green 1/3, blue 2/3. A grey pixel has hue 0 and saturation 0.

    Returns:
        the shape of `x`; float32 for uint8, else the type of `x`.

    Raises:
        DataError: other than 3 channels, floats outside 0..1, or no picture.
    """
    planes = _colours(x)
    red, green, blue = planes.tensor.unbind(1)
    value, low = planes.tensor.amax(1), planes.tensor.amin(1)
    chroma = value - low
    divisor = chroma.masked_fill(chroma == 0, 1)  # grey: the numerators are 0 then
    sector = torch.where(
        value == red,
        (green - blue) / divisor,  # -1..1, around red
        torch.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    hue = sector.div_(6).remainder_(1)
    hue.masked_fill_(hue >= 1, 0)  # a hair below 0 is rounded to 1
    saturation = chroma / value.masked_fill(value == 0, 1)
    return planes.back(torch.stack([hue, saturation, value], 1))


def hsv_to_rgb(x: Pictures) -> Any:
    """The inverse of `rgb_to_hsv`: floats in 0..1 in, floats in 0..1 out. Hue may lie outside 0..1; it is a circle.

    Raises:
        DataError: other than 3 channels, uint8 (whose hue has no agreed unit), or no picture.
    """
    planes = _floats(x, "HSV picture")
    hue, saturation, value = planes.tensor.split(1, 1)
    turn = torch.tensor([5.0, 3.0, 1.0], dtype=hue.dtype, device=hue.device).view(1, 3, 1, 1)
    sector = (turn + 6 * hue).remainder_(6)  # (N, 3, H, W): where each channel stands on its trapezium
    away = torch.minimum(sector, 4 - sector).clamp_(0, 1)
    return planes.back(value - value * saturation * away)


def rgb_to_ycbcr(x: Pictures) -> Any:
    """Luma and two colour differences as in JPEG (JFIF 1.02), all in 0..1; grey has Cb = Cr = 0.5.

    Returns:
        the shape of `x`; float32 for uint8, else the type of `x`.

    Raises:
        DataError: other than 3 channels, floats outside 0..1, or no picture.
    """
    planes = _colours(x)
    return planes.back(_mixed(planes.tensor, _matrix(YCBCR)) + _column((0.0, 0.5, 0.5), planes.tensor))


def ycbcr_to_rgb(x: Pictures) -> Any:
    """The inverse of `rgb_to_ycbcr`, on floats; not clipped.

    Raises:
        DataError: other than 3 channels, uint8, or no picture.
    """
    planes = _floats(x, "YCbCr picture")
    centred = planes.tensor - _column((0.0, 0.5, 0.5), planes.tensor)
    return planes.back(_mixed(centred, torch.linalg.inv(_matrix(YCBCR))))


def rgb_to_lab(x: Pictures) -> Any:
    """CIE 1976 L*a*b* of sRGB pictures under daylight D65: equal steps look about equally large.

    Returns:
        L* in 0..100, a* and b* about -128..128, in the shape of `x`; float32 for uint8, else the type of `x`.

    Raises:
        DataError: other than 3 channels, floats outside 0..1, or no picture.
    """
    planes = _colours(x)
    rgb = planes.tensor
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = _mixed(linear, _matrix(XYZ)) / _column(D65, rgb)
    root = torch.where(xyz > 0.008856, xyz.clamp_min(1e-12) ** (1 / 3), 7.787 * xyz + 16 / 116)
    fx, fy, fz = root.unbind(1)
    return planes.back(torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], 1))


def lab_to_rgb(x: Pictures) -> Any:
    """The inverse of `rgb_to_lab`, on floats. Colours no sRGB screen can show are clipped to 0..1.

    Raises:
        DataError: other than 3 channels, uint8, or no picture.
    """
    planes = _floats(x, "Lab picture")
    light, a, b = planes.tensor.unbind(1)
    fy = (light + 16) / 116
    root = torch.stack([fy + a / 500, fy, fy - b / 200], 1)
    xyz = torch.where(root > 0.2068966, root**3, (root - 16 / 116) / 7.787) * _column(D65, root)
    linear = _mixed(xyz, torch.linalg.inv(_matrix(XYZ)))
    bright = 1.055 * linear.clamp_min(1e-12) ** (1 / 2.4) - 0.055
    return planes.back(torch.where(linear > 0.0031308, bright, 12.92 * linear).clamp_(0, 1))


def _colours(x: Pictures) -> Planes:
    """RGB pictures as floats in 0..1."""
    planes = as_planes(x, "colour picture", channels=(3,))
    rgb = planes.tensor
    if rgb.dtype == torch.uint8:
        return Planes(rgb.to(torch.float32).div_(255), planes.rank, planes.is_numpy)
    low, high = (float(end) for end in rgb.aminmax())
    if low < 0 or high > 1:
        raise DataError(
            f"colour picture of floats must lie in 0..1, got {low:.4g}..{high:.4g}. Divide by 255 or clip it first."
        )
    return planes


def _floats(x: Pictures, name: str) -> Planes:
    planes = as_planes(x, name, channels=(3,))
    if planes.tensor.dtype == torch.uint8:
        raise DataError(f"{name} must be floating point, got uint8. Give what the function towards it returned.")
    return planes


def _matrix(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _mixed(planes: Tensor, matrix: Tensor) -> Tensor:
    """(N, 3, H, W) with every pixel multiplied by a matrix (3, 3)."""
    matrix = matrix.to(planes)
    return torch.matmul(matrix, planes.flatten(2)).view(planes.shape)


def _column(numbers: tuple[float, ...], like: Tensor) -> Tensor:
    """One number a channel, (1, 3, 1, 1)."""
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)
