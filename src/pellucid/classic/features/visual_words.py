"""Bag of visual words: how often each of a few typical patches occurs in a picture.

Patches are drawn from training pictures, brought to the same brightness and contrast, and clustered; the centres are
the words. A picture becomes the counts of the words its patches are nearest to. With `whiten=True, pool=2,
assign="triangle"` this is the single-layer network of Coates, Lee & Ng 2011, "An Analysis of Single-Layer Networks in
Unsupervised Feature Learning".
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from pellucid.classic.clustering.kmeans import kmeans
from pellucid.classic.features.patches import random_patches
from pellucid.classic.features.word_histogram import (
    ASSIGNMENTS,
    CONTRAST,
    prepared_patches,
    whitening_of,
    word_histogram,
)
from pellucid.core.choose import choose
from pellucid.core.config import is_number, is_whole, require
from pellucid.core.errors import DataError
from pellucid.ops.pictures import Pictures, as_planes

__all__ = ["VisualWords", "word_histogram"]

# N pictures, C channels, P side of a patch, D = C P P numbers a patch, K words


class VisualWords(TransformerMixin, BaseEstimator):
    """Learn a codebook from pictures, then turn pictures into histograms of its words.

    Args:
        n_words: K.
        patch: side of a patch in pixels.
        stride: pixels from one patch to the next in `transform`.
        n_patches: how many are drawn at random to learn from.
        contrast: see `normalised_patches`; None leaves patches as they are.
        whiten: decorrelate the numbers of a patch (ZCA) before words are learned and looked for.
        pool, assign: see `word_histogram`.
        random_state: of the patches and the clustering.

    Attributes:
        codebook_: (K, C, patch, patch) float32 array.
        whitening_: None, or mean (D,) and matrix (D, D).
    """

    def __init__(
        self,
        n_words: int = 100,
        patch: int = 6,
        stride: int = 1,
        n_patches: int = 20_000,
        contrast: float | None = CONTRAST,
        whiten: bool = False,
        pool: int = 1,
        assign: str = "hard",
        random_state: Any = None,
    ) -> None:
        self.n_words = n_words
        self.patch = patch
        self.stride = stride
        self.n_patches = n_patches
        self.contrast = contrast
        self.whiten = whiten
        self.pool = pool
        self.assign = assign
        self.random_state = random_state

    def fit(self, images: Pictures, y: Any = None) -> "VisualWords":
        """Learn the words of pictures (N, C, H, W), uint8 or floats in 0..1.

        Raises:
            ConfigError: a setting that does not exist or is out of range.
            DataError: no batch of pictures, or smaller than a patch.
        """
        require(is_whole(self.n_words) and self.n_words >= 1, "n_words", "at least 1", self.n_words)
        enough = is_whole(self.n_patches) and self.n_patches >= self.n_words
        require(enough, "n_patches", f"at least n_words ({self.n_words})", self.n_patches)
        fits = self.contrast is None or (is_number(self.contrast) and self.contrast > 0)
        require(fits, "contrast", "above 0, or None", self.contrast)
        require(is_whole(self.pool) and self.pool >= 1, "pool", "at least 1", self.pool)
        choose(self.assign, dict.fromkeys(ASSIGNMENTS), "assignment")
        pictures = _batch(images)
        rng = check_random_state(self.random_state)
        patches = random_patches(pictures, self.n_patches, self.patch, int(rng.randint(2**31))).cpu()
        values = prepared_patches(patches.flatten(1).float(), pictures.dtype, self.contrast, None)
        self.whitening_ = None
        if self.whiten:
            mean, matrix = whitening_of(values)
            values = (values - mean) @ matrix
            self.whitening_ = (mean.numpy(), matrix.numpy())
        centres = kmeans(values.numpy(), self.n_words, int(rng.randint(2**31)), max_iter=50).centres
        self.codebook_ = np.asarray(centres, np.float32).reshape(self.n_words, *patches.shape[1:])
        return self

    def transform(self, images: Pictures) -> Any:
        """Histograms (N, pool^2 n_words) float32 of pictures (N, C, H, W), of the kind of `images`.

        Raises:
            DataError: no batch of pictures, other channels than those it was fitted to, or smaller than a patch.
        """
        check_is_fitted(self)
        _batch(images)
        return word_histogram(
            images, self.codebook_, self.stride, self.pool, self.assign, self.contrast, self.whitening_
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _batch(images: Pictures) -> Tensor:
    planes = as_planes(images, "images")
    if planes.rank != 4:
        raise DataError(f"images must be a batch (N, C, H, W), got shape {tuple(images.shape)}. Add the missing axes.")
    return planes.tensor
