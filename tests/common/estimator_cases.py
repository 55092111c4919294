"""The estimators, and samples for each: what the batteries on estimators run over."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier

from pellucid.classic.estimators import (
    PCA,
    Centre,
    Decorrelate,
    KMeans,
    KNearestNeighbors,
    LinearSVM,
    MinMax,
    OneHot,
    RandomFourier,
    SoftmaxRegression,
    Standardise,
    Textons,
    VisualWords,
    Whiten,
)

# N rows, D features, K classes

# name, and what is special about the settings -> the estimator, of rows (N, D)
OF_ROWS: dict[str, Any] = {
    "Centre": Centre(),
    "Decorrelate": Decorrelate(),
    "KMeans": KMeans(4, random_state=0),
    "KNearestNeighbors": KNearestNeighbors(),
    "KNearestNeighbors, by the course": KNearestNeighbors(distance="l1", ties="smallest", method="one_loop"),
    "KNearestNeighbors, weighted": KNearestNeighbors(3, weights="distance", method="vectorised"),
    "LinearSVM": LinearSVM(),
    "LinearSVM, hinge": LinearSVM(loss="hinge"),
    "LinearSVM, SGD": LinearSVM(solver="sgd", learning_rate=1e-2, max_iter=500),
    "MinMax": MinMax(),
    "MinMax, another range": MinMax(-1, 3),
    "OneHot": OneHot(),
    "PCA": PCA(),
    "PCA, a count": PCA(2),
    "PCA, a share": PCA(0.9),
    "RandomFourier": RandomFourier(50, random_state=0),
    "SoftmaxRegression": SoftmaxRegression(),
    "SoftmaxRegression, SGD": SoftmaxRegression(solver="sgd", learning_rate=1e-2, max_iter=500),
    "Standardise": Standardise(),
    "Whiten": Whiten(),
    "Whiten, ZCA": Whiten("zca", eps=0.1),
}
# of pictures (N, C, H, W): scikit-learn's checks give all estimators rows of numbers, which are no pictures
OF_PICTURES: dict[str, Any] = {
    "Textons": Textons(4, n_pixels=500, random_state=0),
    "VisualWords": VisualWords(5, patch=3, n_patches=200, random_state=0),
    "VisualWords, whitened": VisualWords(5, 3, n_patches=200, whiten=True, pool=2, assign="triangle", random_state=0),
}
EVERY = {**OF_ROWS, **OF_PICTURES}
NO_ESTIMATOR = {"one_hot"}

# name as above -> check of scikit-learn -> why it cannot be met; at most three in all
DECLARED_FAILURES: dict[str, dict[str, str]] = {}
# those whose results are float32 whatever they are given: codes, counts, and shares of float32 words
ALWAYS_FLOAT32 = {"OneHot", "Textons", "VisualWords", "VisualWords, whitened"}

each = pytest.mark.parametrize("name", EVERY)
each_of_rows = pytest.mark.parametrize("name", OF_ROWS)
each_transformer = pytest.mark.parametrize("name", [name for name in EVERY if hasattr(EVERY[name], "transform")])
each_classifier = pytest.mark.parametrize("name", [name for name in EVERY if is_classifier(EVERY[name])])


def make(name: str) -> Any:
    return clone(EVERY[name])


def samples(name: str, kind: Any = np.float64, n: int = 60, seed: int = 0) -> np.ndarray:
    """Three kinds of rows or of pictures, one after the other."""
    rng = np.random.default_rng(seed)
    level = np.arange(n) % 3
    if name in OF_PICTURES:
        stripes = np.array([np.zeros((9, 10)), np.indices((9, 10))[0] % 2, np.indices((9, 10))[1] % 2])
        x = rng.random((n, 3, 9, 10)) * 0.2 + 0.7 * stripes[level][:, None]
        return (x * 255).astype(np.uint8) if kind == np.uint8 else x.astype(kind)
    x = 30 * rng.random((n, 6)) * np.geomspace(0.2, 1, 6) + 40 * np.eye(3, 6)[level]
    if name == "OneHot":
        x = (level[:, None] + np.arange(6)) % 3
    return x.round().astype(kind) if kind == np.uint8 else x.astype(kind)


def labels(n: int = 60) -> np.ndarray:
    return np.array(["ape", "bee", "cow"])[np.arange(n) % 3]


def fitted(name: str, kind: Any = np.float64) -> Any:
    return make(name).fit(samples(name, kind), labels())


def answers(model: Any, X: Any) -> dict[str, np.ndarray]:
    """All a fitted estimator says about samples."""
    methods = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "kneighbors")
    found = {method: getattr(model, method)(X) for method in methods if hasattr(model, method)}
    assert found
    pairs = found.pop("kneighbors", ())
    return {**found, **{f"kneighbors {i}": part for i, part in enumerate(pairs)}}


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for method, values in one.items():
        np.testing.assert_array_equal(values, other[method], err_msg=method)


def state(model: Any) -> bytes:
    return pickle.dumps(vars(model))


def one_line(text: str) -> str:
    assert text and "\n" not in text and len(text) < 300, text
    return text
