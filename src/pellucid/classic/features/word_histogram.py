"""The histogram of visual words in pictures, in pure torch: what `VisualWords` transforms with."""

from typing import Any

import torch
from torch import Tensor

from pellucid.classic.features.patches import dense_patches, patch_blocks
from pellucid.core.choose import choose
from pellucid.core.config import is_whole, require
from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, as_planes

# N pictures, C channels, P side of a patch, D = C P P numbers a patch, K words

CONTRAST = 10.0  # of Coates, Lee & Ng 2011, for pixels in 0..255
WHITENING = 0.1  # added to the variances, as there
ASSIGNMENTS = ("hard", "triangle")


def word_histogram(
    x: Pictures,
    codebook: Any,
    stride: int = 1,
    pool: int = 1,
    assign: str = "hard",
    contrast: float | None = CONTRAST,
    whitening: tuple[Any, Any] | None = None,
    block_mb: float = 1.0,
) -> Any:
    """How much of each word a picture has.

    Args:
        x: pictures, uint8 or floats in 0..1, which give the same words.
        codebook: (K, C, P, P) words, made of patches that were normalised alike.
        stride: pixels from one patch to the next.
        pool: the picture is divided into `pool` x `pool` fields with a histogram each; a patch belongs to the field
            its place among the patches falls in.
        assign: "hard" counts the nearest word of each patch; "triangle" adds
            `max(0, mean distance to all words - distance)` to every word (Coates, Lee & Ng 2011, section 3.2.2).
        contrast: see `normalised_patches`; None leaves patches as they are, in 0..255.
        whitening: (D,) mean and (D, D) matrix, of `whitening_of`.
        block_mb: megabytes of patches held at a time, whatever the number and size of the pictures; little, so that
            they and their products with the words stay in the cache.

    Returns:
        (pool^2 K,) for one picture, (N, pool^2 K) for a batch, float32; field by field, row by row. With "hard" it sums
        to the number of patches.

    Raises:
        ConfigError: a setting that does not exist or is out of range.
        DataError: no pictures, other channels than the words have, or smaller than a patch.
    """
    planes = as_planes(x)
    pictures = planes.tensor
    device = pictures.device
    words = torch.as_tensor(codebook, dtype=torch.float32, device=device).detach()
    _require_codebook(words, pictures)
    choose(assign, dict.fromkeys(ASSIGNMENTS), "assignment")
    require(is_whole(pool) and pool >= 1, "pool", "at least 1", pool)
    places = dense_patches(pictures, words.shape[-1], stride)
    n, rows, columns = places.shape[:3]
    k, words = len(words), words.flatten(1)
    affine = None if whitening is None else tuple(torch.as_tensor(part, device=device) for part in whitening)
    counts = torch.zeros(n * pool * pool, k, device=device)
    field_across = torch.arange(columns, device=device).mul_(pool).div_(columns, rounding_mode="floor")
    for picture, row, patches in patch_blocks(places, block_mb):
        values = prepared_patches(patches.flatten(0, 1), pictures.dtype, contrast, affine)  # (B S, D)
        field_down = row.mul(pool).div_(rows, rounding_mode="floor").add_(picture, alpha=pool)
        field = (field_down.mul_(pool)[:, None] + field_across).flatten()  # (B S,)
        if assign == "hard":
            nearest = _largest(torch.addmm((words * words).sum(1) / -2, values, words.T))  # |v|^2 is the same for all
            counts.view(-1).scatter_add_(0, field * k + nearest, torch.ones_like(nearest, dtype=torch.float32))
        else:
            distance = torch.cdist(values, words)
            counts.index_add_(0, field, distance.sub_(distance.mean(1, keepdim=True)).neg_().clamp_min_(0))
    return planes.back_each(counts.view(n, pool * pool * k))


def normalised_patches(patches: Tensor, contrast: float = CONTRAST) -> Tensor:
    """(M, D) each without its mean and divided by `sqrt(variance + contrast)`: brightness and contrast drop out.

    Args:
        contrast: keeps flat patches, which are only noise, from being blown up; for pixels in 0..255.
    """
    centred = patches - patches.mean(1, keepdim=True)
    return centred.div_(centred.square().mean(1, keepdim=True).add_(contrast).sqrt_())


def whitening_of(patches: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (D,) and the symmetric matrix (D, D) after which patches (M, D) have about unit covariance (ZCA)."""
    mean = patches.mean(0)
    centred = (patches - mean).double()
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(patches))
    matrix = (axes / (variance.clamp_min(0) + WHITENING).sqrt()) @ axes.T
    return mean, matrix.to(patches.dtype)


def prepared_patches(patches: Tensor, dtype: torch.dtype, contrast: float | None, whitening: Any) -> Tensor:
    """Patches (M, D) of pictures of `dtype` as the words see them."""
    if dtype != torch.uint8:
        patches = patches * 255
    if contrast is not None:
        patches = normalised_patches(patches, contrast)
    return patches if whitening is None else (patches - whitening[0]) @ whitening[1]


def _largest(scores: Tensor) -> Tensor:
    """Where each row (M, K) has its largest number: (M,). NumPy is faster than torch, and takes the first of equals."""
    if scores.device.type == "cpu":
        return torch.from_numpy(scores.numpy().argmax(1))
    return scores.argmax(1)


def _require_codebook(words: Tensor, pictures: Tensor) -> None:
    if words.ndim != 4 or words.shape[2] != words.shape[3] or not len(words):
        raise DataError(f"codebook must be (words, channels, side, side), got shape {tuple(words.shape)}.")
    if words.shape[1] != pictures.shape[1]:
        raise DataError(
            f"The words have {words.shape[1]} channels, got pictures with {pictures.shape[1]}. "
            "Give pictures like those the words were learned from."
        )
