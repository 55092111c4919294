"""What both linear estimators share: samples in, scores and predictions out, one template for each class."""

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from pellucid.classic.linear.losses import ScoreLoss
from pellucid.classic.linear.objective import Descent
from pellucid.classic.linear.sgd import LinearClassifier
from pellucid.classic.rows import complaints_in_one_line
from pellucid.core.config import is_number, is_whole, require
from pellucid.core.errors import DataError
from pellucid.plots.classic.templates import as_bytes

# N samples, D features, K classes

SGD_STEPS = 2000


class LinearEstimator(ClassifierMixin, BaseEstimator):
    """Scores x W + b of a fitted classifier; `coef_` is (K, D), or (1, D) of two classes, as in scikit-learn."""

    coef_: np.ndarray
    intercept_: np.ndarray
    classes_: np.ndarray

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores (N, K); of two classes the second's above the first's, (N,)."""
        check_is_fitted(self)
        X = check_samples(self, X)
        scores = X @ self.coef_.T.astype(X.dtype, copy=False) + self.intercept_.astype(X.dtype, copy=False)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest score, for each sample."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[chosen]

    def templates(self, shape: tuple[int, ...]) -> np.ndarray:
        """What each class looks for: its weights as a picture.

        Args:
            shape: of one sample: (C, H, W), or (H, W) for grey pictures.

        Returns:
            (K, C, H, W) uint8, 128 for a weight of 0, brighter for the class, darker against it. Of two classes the
            first's weights are the second's with the other sign.

        Raises:
            DataError: the shape does not hold as many numbers as a sample.
        """
        check_is_fitted(self)
        full = (1, *shape) if len(shape) == 2 else tuple(shape)
        if len(full) != 3 or int(np.prod(full)) != self.coef_.shape[1]:
            raise DataError(
                f"shape must be (C, H, W) or (H, W) with {self.coef_.shape[1]} numbers, one for each weight of a "
                f"class, got {tuple(shape)}."
            )
        rows = np.concatenate([-self.coef_, self.coef_]) if len(self.classes_) == 2 else self.coef_
        return as_bytes(rows).reshape(-1, *full)

    def fit(self, X: Any, y: Any) -> Self:
        """Fit; each estimator has its own."""
        raise AttributeError(f"{type(self).__name__} has no fit of its own.")


def check_samples(estimator: BaseEstimator, X: Any, y: Any = None, *, reset: bool = False) -> Any:
    """Samples (N, D) as float32 or float64, rows contiguous; with `reset` the labels too.

    uint8 becomes float32, its numbers unchanged (0..255), and so do tensors of a CPU. float32 stays float32.

    Raises:
        DataError: NaN or infinity, another rank or number of features, labels that do not match.
    """
    if getattr(X, "dtype", None) is not None and str(X.dtype).removeprefix("torch.") in ("uint8", "float16"):
        X = np.asarray(X).astype(np.float32)
    checks: dict[str, Any] = {
        "dtype": (np.float64, np.float32),
        "order": "C",
        "ensure_all_finite": False,
        "reset": reset,
    }
    with complaints_in_one_line():
        if not reset:
            X = validate_data(estimator, X, **checks)
        else:
            X, y = validate_data(estimator, X, y, **checks)
            check_classification_targets(y)
    with np.errstate(over="ignore", invalid="ignore"):
        total = X.sum()  # one pass; only when it is not finite the entries are looked at
    if not np.isfinite(total) and not np.isfinite(X).all():
        raise DataError("X holds NaN or infinity. Replace such values first, as numpy.nan_to_num does.")
    return (X, y) if reset else X


def check_training(estimator: BaseEstimator, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples (N, D), labels as integers in 0..K-1, and the classes (K,) they stand for.

    Raises:
        DataError: fewer than two classes, or values that are not finite.
    """
    X, y = check_samples(estimator, X, y, reset=True)
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"y must hold two classes or more, got one class only: {classes[0]!r}.")
    return X, labels.reshape(-1), classes


def check_settings(estimator: Any) -> None:
    """Refuse settings that are out of range, also those of a solver that is not chosen.

    Raises:
        ConfigError: one is.
    """
    reg, tol, max_iter = estimator.reg, estimator.tol, estimator.max_iter
    rate, batch_size = estimator.learning_rate, estimator.batch_size
    require(is_number(reg) and reg >= 0, "reg", "0 or more", reg)
    require(is_number(tol) and tol > 0, "tol", "above 0", tol)
    steps = is_whole(max_iter) and max_iter >= 1
    require(max_iter is None or steps, "max_iter", "1 or more, or None", max_iter)
    require(is_number(rate) and rate > 0, "learning_rate", "above 0", rate)
    require(is_whole(batch_size) and batch_size >= 1, "batch_size", "1 or more", batch_size)


def generator(random_state: Any) -> np.random.Generator:
    """NumPy's generator for what scikit-learn takes as a `random_state`."""
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))


def descend(
    loss: ScoreLoss,
    X: np.ndarray,
    y: np.ndarray,
    n_classes: int,
    reg: float,
    intercept: bool,
    learning_rate: float,
    batch_size: int,
    max_iter: int | None,
    rng: np.random.Generator,
) -> Descent:
    """Training by SGD."""
    model = LinearClassifier(loss, intercept, int(rng.integers(2**31)))
    history = model.train(X, y, learning_rate, reg, max_iter or SGD_STEPS, batch_size, n_classes)
    assert model.W is not None
    return Descent(model.W, history, converged=not model.diverged, diverged=model.diverged)


def keep(estimator: Any, descent: Descent, classes: np.ndarray, X: np.ndarray, intercept: bool) -> None:
    """Set the fitted attributes, and warn if the weights are not those that were asked for."""
    D = X.shape[1]
    V = descent.W[:D].T  # (K, D)
    b = descent.W[D] if intercept else np.zeros(len(V))
    if len(classes) == 2:
        V, b = V[1:] - V[:1], b[1:] - b[:1]
    estimator.coef_, estimator.intercept_ = V.astype(X.dtype), b.astype(X.dtype)
    estimator.classes_ = classes
    estimator.history_ = np.array(descent.history)
    estimator.n_iter_ = max(len(descent.history), 1)
    estimator.converged_, estimator.diverged_ = descent.converged, descent.diverged
    name = type(estimator).__name__
    if descent.diverged:
        warnings.warn(
            f"{name} diverged after {len(descent.history)} steps; the last weights that are numbers were kept. Lower "
            f"learning_rate, or learning_rate times reg.",
            ConvergenceWarning,
            stacklevel=3,
        )
    elif not descent.converged:
        warnings.warn(
            f"{name} stopped after {estimator.n_iter_} steps before it reached tol. Raise max_iter or reg, or "
            f"standardise X.",
            ConvergenceWarning,
            stacklevel=3,
        )
