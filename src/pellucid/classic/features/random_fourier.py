"""Random Fourier features: a kernel machine by a linear model (Rahimi & Recht 2007).

"Random Features for Large-Scale Kernel Machines", NIPS 2007. Inner products of the features approach the Gaussian
kernel `exp(-gamma |x - y|^2)`; their error falls with one over the square root of the number of features.
"""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from pellucid.classic.rows import as_rows
from pellucid.core.config import require

# N rows, D numbers each, F features

BLOCK = 1 << 19  # projections held at a time


def fourier_features(x: Tensor, directions: Tensor, phases: Tensor, n_features: int) -> Tensor:
    """Cosines and sines of projections, scaled so that inner products are about the kernel.

    Cosine and sine of one direction, rather than cosines of twice as many: the error is smaller for the same number of
    features, and every row has length 1 (Sutherland & Schneider 2015, "On the Error of Random Fourier Features").

    Args:
        x: (N, D).
        directions: (D, ceil(F / 2)), normal with variance 2 gamma.
        phases: (ceil(F / 2),), uniform in 0..2 pi; they matter only to the last cosine of an odd number.
        n_features: F.

    Returns:
        (N, F): all cosines, then all sines, of which an odd number has one less.
    """
    n_cosines, n_sines = directions.shape[1], n_features // 2
    features = x.new_empty(len(x), n_features)
    step = max(1, BLOCK // n_cosines)
    for at in range(0, len(x), step):
        angles = torch.addmm(phases, x[at : at + step], directions)
        torch.cos(angles, out=features[at : at + step, :n_cosines])
        torch.sin(angles[:, :n_sines], out=features[at : at + step, n_cosines:])
    return features.mul_(math.sqrt(2 / n_features))


class RandomFourier(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Features whose inner products approach the Gaussian (RBF) kernel.

    Args:
        n_components: F.
        gamma: of the kernel; "scale" is 1 / (D * variance of X), as in scikit-learn.
        random_state: of the directions.

    Attributes:
        directions_: (D, ceil(F / 2)).
        phases_: (ceil(F / 2),).
        gamma_: the number used.
    """

    def __init__(self, n_components: int = 100, gamma: float | str = "scale", random_state: Any = None) -> None:
        self.n_components = n_components
        self.gamma = gamma
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "RandomFourier":
        """Draw the directions; of X (N, D) only D matters, and the variance with "scale".

        Raises:
            ConfigError: `n_components` below 1, `gamma` not above 0.
            DataError: X is no matrix of finite numbers.
        """
        whole = isinstance(self.n_components, Integral) and self.n_components >= 1
        require(whole, "n_components", "a whole number of at least 1", self.n_components)
        by_hand = isinstance(self.gamma, Real) and 0 < self.gamma < math.inf
        require(by_hand or self.gamma == "scale", "gamma", "a number above 0, or 'scale'", self.gamma)
        X = as_rows(self, X, reset=True)
        self.gamma_ = float(self.gamma) if by_hand else _scale(X)
        rng = check_random_state(self.random_state)
        half = -(-self.n_components // 2)
        directions = rng.standard_normal((X.shape[1], half)) * math.sqrt(2 * self.gamma_)
        self.directions_ = directions.astype(X.dtype)
        self.phases_ = rng.uniform(0, 2 * math.pi, half).astype(X.dtype)
        self._n_features_out = self.n_components
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(N, D) -> (N, F), float32 for float32 and bytes, else float64.

        Raises:
            DataError: X is no matrix of finite numbers with D columns.
        """
        check_is_fitted(self)
        X = np.ascontiguousarray(as_rows(self, X, reset=False))
        X = X if X.flags.writeable else X.copy()  # torch takes no array that is only for reading
        directions, phases = (torch.from_numpy(part.astype(X.dtype)) for part in (self.directions_, self.phases_))
        return fourier_features(torch.from_numpy(X), directions, phases, self._n_features_out).numpy()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _scale(X: np.ndarray) -> float:
    variance = float(X.var(dtype=np.float64))
    return 1 / (X.shape[1] * variance) if variance else 1.0
