"""Hand-made features by name, for `--features`: each turns uint8 pictures into float32 rows.

They are pure torch, work on any device, and what they learn from training pictures is a dict of tensors, so that a
module can carry it as buffers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import hog, hog_shape
from pellucid.classic.features.word_histogram import word_histogram
from pellucid.core.errors import ConfigError, DataError

# N pictures, C channels, H x W pixels, D features

State: TypeAlias = dict[str, Tensor]
Size: TypeAlias = tuple[int, int]
Shapes: TypeAlias = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Features:
    """What makes one kind of features.

    Attributes:
        make: (N, C, H, W) uint8 and the state -> (N, D) float32.
        count: channels and (H, W) -> D.
        learn: (N, C, H, W) uint8 and a seed -> the state; None where there is none.
        shapes: channels -> shapes of the tensors of the state.
        split: channels and (H, W) -> the sizes of its parts, where there are several.
    """

    make: Callable[[Tensor, State], Tensor]
    count: Callable[[int, Size], int]
    learn: Callable[[Tensor, int], State] | None = None
    shapes: Callable[[int], Shapes] = field(default=lambda channels: {})
    split: Callable[[int, Size], tuple[int, ...]] | None = None

    def dimension(self, channels: int, size: Size) -> int:
        """D for pictures of so many channels and (H, W) pixels.

        Raises:
            ConfigError: such pictures do not have these features.
        """
        try:
            return self.count(channels, size)
        except DataError as error:
            raise ConfigError(str(error)) from None

    def parts(self, channels: int, size: Size) -> tuple[int, ...]:
        """How many features each part has. Parts have units of their own, so their lengths cannot be compared."""
        return (self.dimension(channels, size),) if self.split is None else self.split(channels, size)

    def state_shapes(self, channels: int, size: Size) -> Shapes:
        """The shape of every tensor `fit` returns, known before there is a picture; empty where nothing is learned."""
        return self.shapes(channels)

    def fit(self, images: Tensor, seed: int) -> State:
        """What is learned from training pictures (N, C, H, W) uint8: tensors on their device; mostly nothing.

        Raises:
            ConfigError: such pictures do not have these features.
        """
        _require_uint8(images)
        self.dimension(images.shape[1], (images.shape[2], images.shape[3]))
        return {} if self.learn is None else self.learn(images, seed)

    def __call__(self, images: Tensor, state: State) -> Tensor:
        """(N, C, H, W) uint8 and what `fit` returned -> (N, D) float32.

        Raises:
            DataError: the pictures do not have these features, or other channels than those of `fit`.
        """
        _require_uint8(images)
        return self.make(images, state)


def _require_uint8(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise DataError(f"Features take uint8 pictures (N, C, H, W), got {images.dtype} {tuple(images.shape)}.")


def together(*parts: Features) -> Features:
    """Features one after the other; at most one of them may learn."""
    learners = [part for part in parts if part.learn is not None]
    learner = learners[0] if learners else parts[0]
    return Features(
        make=lambda images, state: torch.cat([part(images, state) for part in parts], 1),
        count=lambda channels, size: sum(part.count(channels, size) for part in parts),
        learn=learner.learn,
        shapes=learner.shapes,
        split=lambda channels, size: tuple(part.count(channels, size) for part in parts),
    )


def _hog(cell: int, orientations: int, block: int | None) -> Features:
    return Features(
        make=lambda images, _: hog(images, cell, orientations, block),
        count=lambda _, size: prod(hog_shape(size, cell, orientations, block)),
    )


def _color_count(channels: int, size: Size) -> int:
    if channels != 3:
        raise DataError(f"Colour features need pictures with 3 channels, got {channels}. Use 'hog' for grey ones.")
    return BINS


def _color(images: Tensor, state: State) -> Tensor:
    _color_count(images.shape[1], (images.shape[2], images.shape[3]))
    return color_histogram(images, BINS)


def _half_count(channels: int, size: Size) -> int:
    if min(size) < 2:
        raise DataError(f"Pixels at half size need pictures of at least 2x2 pixels, got {size[0]}x{size[1]}.")
    return channels * (size[0] // 2) * (size[1] // 2)


def _bag(patch: int, words: int, n_patches: int, whiten: bool, pool: int, assign: str) -> Features:
    """Bag of visual words. Counts are shares of the patches, so that they do not grow with the picture."""

    def learn(images: Tensor, seed: int) -> State:
        from pellucid.classic.features.visual_words import VisualWords  # scikit-learn, which only fitting needs

        fitted = VisualWords(words, patch, n_patches=n_patches, whiten=whiten, random_state=seed).fit(images)
        arrays = {"codebook": fitted.codebook_}
        if fitted.whitening_ is not None:
            arrays |= dict(zip(("mean", "matrix"), fitted.whitening_, strict=True))
        return {name: torch.from_numpy(array).to(images.device) for name, array in arrays.items()}

    def make(images: Tensor, state: State) -> Tensor:
        whitening = (state["mean"], state["matrix"]) if whiten else None
        counts = word_histogram(images, state["codebook"], 1, pool, assign, whitening=whitening)
        return counts.div_(_patches(patch, (images.shape[2], images.shape[3])))

    def count(channels: int, size: Size) -> int:
        _patches(patch, size)
        return pool * pool * words

    def shapes(channels: int) -> Shapes:
        d = channels * patch * patch
        codebook = (words, channels, patch, patch)
        return {"codebook": codebook, "mean": (d,), "matrix": (d, d)} if whiten else {"codebook": codebook}

    return Features(make, count, learn, shapes)


def _patches(patch: int, size: Size) -> int:
    """How many a picture has."""
    if min(size) < patch:
        raise DataError(f"Visual words of {patch}x{patch} pixels need larger pictures, got {size[0]}x{size[1]}.")
    return (size[0] - patch + 1) * (size[1] - patch + 1)


BINS = 10  # of hue

PIXELS = Features(
    make=lambda images, _: images.flatten(1).to(torch.float32).div_(255),
    count=lambda channels, size: channels * size[0] * size[1],
)
HALF = Features(
    make=lambda images, _: avg_pool2d(images.to(torch.float32), 2).flatten(1).div_(255),
    count=_half_count,
)
HOG = _hog(8, 9, None)  # 32x32 pixels: 144
COLOR = Features(make=_color, count=_color_count)

FEATURES: dict[str, Features] = {
    "pixels": PIXELS,
    "hog": HOG,
    "color": COLOR,
    "hog+color": together(HOG, COLOR),
    "hog-blocks": _hog(4, 8, 2),  # 28x28 pixels: 1152
    "hog2": together(_hog(4, 8, 2), _hog(7, 8, 2), HALF),  # 28x28 grey pixels: 1152 + 288 + 196
    "bow": _bag(6, 200, 50_000, whiten=False, pool=1, assign="hard"),
    "bow-triangle": _bag(6, 200, 50_000, whiten=True, pool=2, assign="triangle"),
}
