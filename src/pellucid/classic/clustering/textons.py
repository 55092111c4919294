"""Textons: the few typical answers of a filter bank that a texture is made of, and how often each of them occurs.

At each pixel the F filters give F numbers. k-means finds the typical ones, the textons; each pixel gets the nearest of
them, and the histogram over the picture describes its texture. Where a texton stands is forgotten. Leung and Malik,
"Representing and Recognizing the Visual Appearance of Materials using Three-dimensional Textons", 2001.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from pellucid.classic.clustering.kmeans import kmeans, nearest_centre
from pellucid.core.config import is_whole, require
from pellucid.core.errors import DataError
from pellucid.ops.filters.bank import filter_bank, responses
from pellucid.ops.pictures import Pictures, Planes, as_planes

# N pictures of H x W pixels, F filters, K textons

AT_ONCE = 1 << 23  # answers held at a time


class Textons(TransformerMixin, BaseEstimator):
    """Learn textons from pictures, then turn pictures into histograms of them.

    Args:
        n_textons: K.
        bank: (F, k, k) filters; None: edges and bars of two widths and six directions, and spots, 15 pixels wide.
        border: beyond the rim, as for `responses`.
        n_pixels: how many pixels are drawn at random to learn from, all pictures together.
        standardise: divide each filter's answers by their standard deviation, so that all filters count alike.
        random_state: of the pixels and the clustering.

    Attributes:
        bank_: (F, k, k) float64 array.
        scale_: (F,) float32 array, what the answers are divided by.
        codebook_: (K, F) float32 array, the textons.
    """

    def __init__(
        self,
        n_textons: int = 32,
        bank: np.ndarray | None = None,
        border: str = "reflect",
        n_pixels: int = 50_000,
        standardise: bool = True,
        random_state: Any = None,
    ) -> None:
        self.n_textons = n_textons
        self.bank = bank
        self.border = border
        self.n_pixels = n_pixels
        self.standardise = standardise
        self.random_state = random_state

    def fit(self, images: Pictures, y: Any = None) -> "Textons":
        """Learn the textons of pictures (N, C, H, W), grey or RGB, uint8 or floating point.

        Raises:
            ConfigError: a setting out of range.
            DataError: no batch of pictures, or fewer pixels than textons.
        """
        planes = _batch(images)
        require(is_whole(self.n_textons) and self.n_textons >= 1, "n_textons", "at least 1", self.n_textons)
        least = f"at least n_textons ({self.n_textons})"
        require(is_whole(self.n_pixels) and self.n_pixels >= self.n_textons, "n_pixels", least, self.n_pixels)
        rng = check_random_state(self.random_state)
        self.bank_ = filter_bank(15, (1.0, 2.0), spots=(1.0, 2.0)) if self.bank is None else np.array(self.bank)
        answers = self._drawn(planes, rng)
        deviation = answers.std(axis=0) if self.standardise else np.ones(answers.shape[1])
        self.scale_ = np.where(deviation > 0, deviation, 1).astype(np.float32)
        centres = kmeans(answers / self.scale_, self.n_textons, int(rng.randint(2**31)), max_iter=50).centres
        self.codebook_ = np.asarray(centres, dtype=np.float32)
        return self

    def transform(self, images: Pictures) -> Any:
        """Histograms (N, K) float32, each of sum 1, of pictures (N, C, H, W), of the kind of `images`.

        Raises:
            DataError: no batch of pictures.
        """
        check_is_fitted(self)
        planes = _batch(images)
        counts = np.empty((len(planes.tensor), self.n_textons), dtype=np.float32)
        for first, rows in self._blocks(planes):
            label = nearest_centre((rows / self.scale_).reshape(-1, rows.shape[2]), self.codebook_)
            picture = np.repeat(np.arange(len(rows)), rows.shape[1])
            found = np.bincount(picture * self.n_textons + label, minlength=len(rows) * self.n_textons)
            counts[first : first + len(rows)] = found.reshape(len(rows), -1) / rows.shape[1]
        return planes.back(torch.from_numpy(counts).to(planes.tensor.device))

    def _drawn(self, planes: Planes, rng: np.random.RandomState) -> np.ndarray:
        """Answers (M, F) float32 at pixels drawn evenly, each at most once."""
        n, _, height, width = planes.tensor.shape
        total = n * height * width
        if total < self.n_textons:
            raise DataError(f"{self.n_textons} textons cannot be learned from {total} pixels. Give more pictures.")
        drawn = np.sort(rng.choice(total, min(total, self.n_pixels), replace=False))
        parts = []
        for first, rows in self._blocks(planes):
            inside = drawn[np.searchsorted(drawn, first * height * width) :]
            inside = inside[: np.searchsorted(inside, (first + len(rows)) * height * width)]
            parts.append(rows.reshape(-1, rows.shape[2])[inside - first * height * width])
        return np.concatenate(parts)

    def _blocks(self, planes: Planes) -> Iterator[tuple[int, np.ndarray]]:
        """Number of the first picture and answers (B, H*W, F) float32 of a few pictures at a time."""
        n, _, height, width = planes.tensor.shape
        step = max(1, AT_ONCE // (len(self.bank_) * height * width))
        for first in range(0, n, step):
            answers = responses(planes.tensor[first : first + step], self.bank_, self.border)  # (B, F, H, W)
            yield first, answers.flatten(2).transpose(1, 2).to("cpu", torch.float32).contiguous().numpy()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _batch(images: Pictures) -> Planes:
    planes = as_planes(images, "images", channels=(1, 3))
    if planes.rank != 4:
        raise DataError(f"images must be a batch (N, C, H, W), got shape {tuple(images.shape)}. Add the missing axes.")
    return planes
