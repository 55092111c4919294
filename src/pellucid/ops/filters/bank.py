"""A bank of filters for texture: edges and bars of several directions and widths, and spots.

What a filter answers at each place says little; how it answers over the whole picture says what the picture is made
of. Leung and Malik, "Representing and Recognizing the Visual Appearance of Materials using Three-dimensional Textons",
2001; their bank of 48 filters is the default.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.ops.colour import rgb_to_grey
from pellucid.ops.filters.border import BORDERS, extend
from pellucid.ops.pictures import Pictures, as_planes

# N pictures of H x W pixels, F filters of k x k

SCALES = (2**0.5, 2.0, 2 * 2**0.5)
SHORT = 18  # side below which sums beat Fourier transforms
AT_ONCE = 1 << 22  # answers; a few pictures at a time


def filter_bank(
    size: int = 49,
    sigmas: Sequence[float] = SCALES,
    orientations: int = 6,
    spots: Sequence[float] | None = None,
    elongation: float = 3.0,
) -> np.ndarray:
    """Edges, bars and spots.

    For each sigma and orientation an edge, the first derivative of a Gaussian, and a bar, its second derivative; both
    are `elongation` times as long as wide. For each width of `spots` a Gaussian, and Laplacians of the Gaussian of
    that width and of three times that. Each is 1 in sum of absolute values, so that their answers can be compared, and
    all but the Gaussians are 0 in sum, so that brightness alone does not excite them. (In the published code the
    Gaussians are centred too; here they tell brightness.)

    Args:
        size: of each side, odd. What of a wide filter lies outside is cut off, as in the published bank.
        sigmas: widths of edges and bars across, in pixels.
        orientations: directions across edges and bars, pi * i / orientations from the x axis towards the y axis, which
            points down.
        spots: widths of spots; None: sigmas, and the largest times the root of 2.
        elongation: of edges and bars.

    Returns:
        (F, size, size) float64: edges (sigma by sigma, in each of them the orientations), bars alike, Gaussians,
        Laplacians; for the defaults 18 + 18 + 4 + 8.

    Raises:
        ConfigError: size is even or below 3, a width or the elongation is not positive, no sigmas, or no orientations.
    """
    whole = isinstance(size, int) and not isinstance(size, bool)
    require(whole and size >= 3 and size % 2 == 1, "size", "an odd whole number of at least 3", size)
    require(len(sigmas) > 0 and min(sigmas) > 0, "sigmas", "widths above 0, at least one", sigmas)
    require(orientations >= 1, "orientations", "at least 1", orientations)
    require(elongation > 0, "elongation", "above 0", elongation)
    spots = (*sigmas, max(sigmas) * 2**0.5) if spots is None else spots
    require(all(sigma > 0 for sigma in spots), "spots", "widths above 0", spots)
    y, x = np.mgrid[:size, :size] - size // 2  # rows run downwards
    lines: list[list[np.ndarray]] = [[], []]
    for sigma in sigmas:
        for angle in np.arange(orientations) * math.pi / orientations:
            across, along = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
            envelope = _gaussian(across, sigma) * _gaussian(along, elongation * sigma)
            lines[0].append(_balanced(-across / sigma**2 * envelope))
            lines[1].append(_balanced((across**2 / sigma**4 - 1 / sigma**2) * envelope))
    blobs = [_gaussian(x, sigma) * _gaussian(y, sigma) for sigma in spots]
    blobs = [blob / blob.sum() for blob in blobs]
    rings = [_laplacian(x, y, factor * sigma) for factor in (1, 3) for sigma in spots]
    return np.stack([*lines[0], *lines[1], *blobs, *rings])


def _gaussian(distance: np.ndarray, sigma: float) -> np.ndarray:
    """One line of a Gaussian, without the factor that `_balanced` would undo."""
    return np.exp(-((distance / sigma) ** 2) / 2)


def _laplacian(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    squared = x**2 + y**2
    return _balanced((squared / sigma**4 - 2 / sigma**2) * np.exp(-squared / (2 * sigma**2)))


def _balanced(kernel: np.ndarray) -> np.ndarray:
    """Sum 0, and 1 in sum of absolute values."""
    kernel = kernel - kernel.mean()
    return kernel / np.abs(kernel).sum()


def responses(x: Pictures, bank: np.ndarray | Tensor, border: str = "reflect") -> Any:
    """Convolve pictures with every filter of a bank.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point, grey or RGB, which is made grey.
        bank: (F, k, k), k odd.
        border: beyond the rim: "reflect", "replicate", "zero", or "wrap", where the picture goes on with its other
            side, as periodic textures do.

    Returns:
        (F, H, W) of a single picture or (N, F, H, W), in the container and on the device of `x`; float32 for uint8,
        else the type of `x`.

    Raises:
        DataError: x is no picture, has other than 1 or 3 channels, is empty or not finite; the bank is no (F, k, k).
        ConfigError: an unknown border.
    """
    planes = as_planes(x, "picture", channels=(1, 3))
    kind = torch.float32 if planes.tensor.dtype == torch.uint8 else planes.tensor.dtype
    n, _, height, width = planes.tensor.shape
    kernels = _checked(bank)
    out = torch.empty((n, len(kernels), height, width), dtype=kind, device=planes.tensor.device)
    for first, block in _blocks(planes.tensor, kernels, border):
        out[first : first + len(block)] = block
    return planes.back_each(out)


def response_statistics(x: Pictures, bank: np.ndarray | Tensor, border: str = "reflect") -> Any:
    """What the filters of a bank answer on the whole, wherever it is: a description of texture.

    Args:
        x: as for `responses`.
        bank: (F, k, k), k odd.
        border: as for `responses`. With "wrap" a cyclic shift of the picture changes nothing at all.

    Returns:
        (3 F,) of a single picture or (N, 3 F), float64 for float64, else float32: of each filter the mean, then of
        each the standard deviation, then of each the mean of the absolute values, which Laws ("Rapid texture
        identification", 1980) calls texture energy.

    Raises:
        DataError, ConfigError: as for `responses`.
    """
    planes = as_planes(x, "picture", channels=(1, 3))
    kernels = _checked(bank)
    kind = torch.float64 if planes.tensor.dtype == torch.float64 else torch.float32
    out = torch.empty((len(planes.tensor), 3 * len(kernels)), dtype=kind, device=planes.tensor.device)
    for first, block in _blocks(planes.tensor, kernels, border):
        answers = block.flatten(2)  # (B, F, H*W)
        pixels = answers.shape[2]
        mean, energy = answers.mean(dim=2), answers.norm(p=1, dim=2) / pixels
        deviation = answers.sub_(mean[..., None]).norm(dim=2) / math.sqrt(pixels)
        out[first : first + len(block)] = torch.cat([mean, deviation, energy], dim=1)
    return planes.back_each(out)


def _checked(bank: np.ndarray | Tensor) -> Tensor:
    """The bank as a float64 tensor."""
    kernels = torch.as_tensor(np.array(bank) if isinstance(bank, np.ndarray) else bank).to(torch.float64)
    shape = tuple(kernels.shape)
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] % 2 == 0 or shape[0] == 0:
        raise DataError(f"bank must be (filters, k, k) with k odd, got shape {shape}.")
    return kernels


def _blocks(planes: Tensor, kernels: Tensor, border: str) -> Iterator[tuple[int, Tensor]]:
    """Number of the first picture and answers (B, F, H, W) of a few pictures at a time; nobody else holds them."""
    choose(border, {**BORDERS, "wrap": None}, "border")
    grey = planes if planes.shape[1] == 1 else torch.as_tensor(rgb_to_grey(planes))
    kind = torch.float64 if grey.dtype == torch.float64 else torch.float32
    kernels = kernels.to(grey.device, kind)
    n, _, height, width = grey.shape
    reach = kernels.shape[1] - 1
    margin = (reach // 2, reach // 2)
    shape = (next_fast_len(height + reach, real=True), next_fast_len(width + reach, real=True))
    is_short = reach < SHORT and kind == torch.float32
    spectra = kernels if is_short else torch.fft.rfft2(kernels, s=shape)  # (F, rows, columns)
    step = max(1, AT_ONCE // (len(kernels) * shape[0] * shape[1]))
    for first in range(0, n, step):
        some = grey[first : first + step, 0].to(kind)
        seen = _wrapped(some, reach // 2) if border == "wrap" else extend(some, margin, margin, border)
        if is_short:
            yield first, functional.conv2d(seen[:, None], kernels[:, None].flip(-1, -2))
            continue
        spectrum = torch.fft.rfft2(seen, s=shape)[:, None]  # (B, 1, rows, columns)
        answers = torch.fft.irfft2(spectrum * spectra, s=shape)
        # what went around to the other side lies in the rows and columns that are cut off
        yield first, answers[..., reach : reach + height, reach : reach + width].contiguous()


def _wrapped(planes: Tensor, margin: int) -> Tensor:
    """Planes (B, H, W) with a margin of what lies on the other side."""
    rows, columns = (torch.arange(-margin, n + margin, device=planes.device) % n for n in planes.shape[1:])
    return planes[:, rows][:, :, columns]
