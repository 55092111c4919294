"""The battery: every estimator is put through scikit-learn's checks, and through what the house promises beyond them.

A new name of `classic.estimators` must come into the table here; then it is tested without further work.
"""

import inspect
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from pellucid.classic import estimators
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
from pellucid.core.errors import ConfigError, DataError

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


# ------------------------------------------------------------------------------------------------ the table


def test_no_estimator_is_forgotten() -> None:
    tested = {name.split(",")[0] for name in EVERY}
    assert tested | NO_ESTIMATOR == set(estimators.__all__)
    assert all(type(estimator).__name__ == name.split(",")[0] for name, estimator in EVERY.items())


def test_at_most_three_failures_are_declared() -> None:
    reasons = [reason for checks in DECLARED_FAILURES.values() for reason in checks.values()]
    assert len(reasons) <= 3 and all(reasons)
    assert DECLARED_FAILURES.keys() <= OF_ROWS.keys()


def declared(estimator: BaseEstimator) -> dict[str, str]:
    name = next(name for name, other in OF_ROWS.items() if repr(other) == repr(estimator))
    return DECLARED_FAILURES.get(name, {})


@pytest.mark.filterwarnings("ignore")  # of data made to be difficult, where SGD diverges and descents stop early
@parametrize_with_checks(list(OF_ROWS.values()), expected_failed_checks=declared)
def test_scikit_learn_accepts_it(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


# --------------------------------------------------------------------------------------- settings, documents


@each
def test_settings_go_in_and_out(name: str) -> None:
    model = make(name)
    settings = model.get_params()
    signature = inspect.signature(type(model)).parameters
    assert list(settings) == sorted(signature)
    assert all(
        parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) for parameter in signature.values()
    )
    other = type(model)().set_params(**settings)
    assert all(value is settings[key] for key, value in other.get_params().items())
    if not isinstance(model, Decorrelate):  # which is a PCA of one setting
        assert vars(type(model)()).keys() == settings.keys()  # nothing is computed before fit
    assert repr(clone(other)) == repr(model)


def section(documentation: str, title: str) -> set[str]:
    """The names that a section of a docstring explains."""
    found = re.search(rf"^{title}:\n(.*?)(?=^\S|\Z)", documentation, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^    (\w[\w, ]*):", found[1], re.MULTILINE) if found else []
    return {name for line in lines for name in line.split(", ")}


@each
def test_settings_and_attributes_are_documented(name: str) -> None:
    model = make(name)
    said = inspect.getdoc(type(model)) or ""
    assert section(said, "Args") == set(model.get_params())
    model.fit(samples(name), labels())
    public = {key for key in vars(model) if key.endswith("_") and not key.startswith("_")}
    documented = section(said, "Attributes")
    if isinstance(model, Decorrelate):
        documented |= section(inspect.getdoc(PCA) or "", "Attributes")
    assert public - {"n_features_in_"} <= documented
    assert all(hasattr(model, key) for key in documented)
    assert model.get_params() == EVERY[name].get_params() or name == "Textons"


@each
def test_every_method_is_documented(name: str) -> None:
    kind = type(EVERY[name])
    methods = [
        value
        for key, value in inspect.getmembers(kind, inspect.isfunction)
        if not key.startswith("_") and value.__module__.startswith("pellucid")
    ]
    assert {"fit"} < {method.__name__ for method in methods}
    for method in methods:
        assert method.__doc__, method.__name__
        assert method.__doc__.strip().split("\n")[0].endswith((".", ")", ":")), method.__doc__


# setting -> values that it cannot have; every setting of every estimator is here or below
NAN = float("nan")
CANNOT_BE: dict[str, tuple[Any, ...]] = {
    "assign": ("soft", None),
    "batch_size": (0, -1, 2.5, "many"),
    "border": ("torus", None),
    "contrast": (0, -1, NAN, "much"),
    "distance": ("l3", None, 2),
    "eps": (-1, NAN, "small", None),
    "gamma": (0, -1, NAN, "auto", None),
    "high": (-5, NAN, "top", None),
    "k": (0, -1, 1.5, 61, "few", None),
    "learning_rate": (0, -1, NAN, "fast", None),
    "loss": ("logistic", None),
    "low": (9, NAN, "bottom", None),
    "max_iter": (-1, 2.5, "long"),
    "method": ("slow", None),
    "n_clusters": (0, -1, 1.5, 61, "few", None),
    "n_components": (0, -1, 1.5, NAN, "few"),
    "n_init": (0, 1.5, "auto", None),
    "n_patches": (0, 2, 1.5, "few", None),
    "n_pixels": (0, 2, 1.5, "few", None),
    "n_textons": (0, -1, 1.5, "few", None),
    "n_words": (0, -1, 1.5, "few", None),
    "patch": (0, -1, 1.5, "small", None),
    "pool": (0, -1, 1.5, "max", None),
    "reg": (-1, NAN, "little", None),
    "solver": ("lbfgs", None),
    "stride": (0, -1, 1.5, "wide", None),
    "ties": ("random", None),
    "tol": (-1, NAN, "small", None),
    "weights": ("even", None),
    "kind": ("ica", None),
}
# truth values; a table of filters, a device and random states, which have errors of their own
ANYTHING = {"bank", "device", "fit_intercept", "random_state", "standardise", "whiten"}


def test_no_setting_is_forgotten() -> None:
    settings = {key for estimator in EVERY.values() for key in estimator.get_params()}
    assert settings == CANNOT_BE.keys() | ANYTHING


@each
def test_settings_that_cannot_be_are_refused_in_one_line(name: str) -> None:
    """When fit is called, by name, and never when the estimator is made."""
    for key in EVERY[name].get_params().keys() & CANNOT_BE.keys():
        for value in CANNOT_BE[key]:
            model = make(name).set_params(**{key: value})
            with pytest.raises((ConfigError, DataError)) as error:
                model.fit(samples(name), labels())
                model.transform(samples(name))  # `stride` plays no part before
            said = one_line(str(error.value))
            assert key in said or str(value) in said, said


# ------------------------------------------------------------------------------------------- again and again


@each
def test_it_survives_being_pickled(name: str) -> None:
    model = fitted(name)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    equal(answers(model, samples(name, seed=1)), answers(again, samples(name, seed=1)))


@each
def test_fitting_twice_gives_the_same(name: str) -> None:
    model = fitted(name)
    first = answers(model, samples(name, seed=1))
    equal(first, answers(model.fit(samples(name), labels()), samples(name, seed=1)))
    equal(first, answers(fitted(name), samples(name, seed=1)))


@each
def test_asking_changes_nothing(name: str) -> None:
    model = fitted(name)
    X, before = samples(name, seed=1), state(model)
    first = answers(model, X)
    np.testing.assert_array_equal(X, samples(name, seed=1))
    assert state(model) == before
    equal(first, answers(model, X))


@each
def test_fitting_does_not_change_the_samples(name: str) -> None:
    X, y = samples(name), labels()
    model = make(name).fit(X, y)
    first = answers(model, samples(name, seed=1))
    np.testing.assert_array_equal(X, samples(name))
    np.testing.assert_array_equal(y, labels())
    if not isinstance(model, KNearestNeighbors):  # which remembers them, and says so
        X[:] = 0
    equal(first, answers(model, samples(name, seed=1)))


@each
def test_locked_and_strided_samples(name: str) -> None:
    X = samples(name)
    expected = answers(make(name).fit(X, labels()), X)
    locked = X.copy()
    locked.flags.writeable = False
    for view in (locked, np.asfortranarray(X), X[::-1].copy()[::-1], X.repeat(2, axis=0)[::2], X.astype(">f8")):
        found = answers(make(name).fit(view, labels()), view)
        for method, values in expected.items():
            if values.dtype.kind == "U":
                np.testing.assert_array_equal(found[method], values)
            else:
                np.testing.assert_allclose(found[method], values, rtol=1e-4, atol=1e-6, err_msg=method)


# -------------------------------------------------------------------------------------------- kinds of samples


@each_transformer
def test_floats_stay_what_they_are(name: str) -> None:
    for kind in (np.float32, np.float64):
        out = fitted(name, kind).transform(samples(name, kind))
        assert out.dtype == (np.float32 if name in ALWAYS_FLOAT32 else kind)
        assert len(out) == 60 and out.ndim == 2 and np.isfinite(out).all()


@each
def test_bytes_are_what_their_values_are(name: str) -> None:
    """They give float32, and what the same numbers give as float64 (as shares of 255 for pictures)."""
    X = samples(name, np.uint8)
    exact = X / 255 if name in OF_PICTURES else X.astype(np.float64)
    found, wanted = answers(fitted(name, np.uint8), X), answers(make(name).fit(exact, labels()), exact)
    for method, values in wanted.items():
        if method == "predict":
            assert np.mean(found[method] == values) > 0.95
        elif name not in ("KMeans", "Textons"):  # whose clusters are others after a rounding
            largest = max(1.0, float(np.abs(values).max()))
            np.testing.assert_allclose(found[method], values, atol=0.02 * largest, err_msg=method)
    if "transform" in found:
        assert found["transform"].dtype == np.float32


@each_classifier
def test_labels_of_any_type(name: str) -> None:
    X = samples(name)
    for kinds in (["ape", "bee", "cow"], [7, -2, 40], [1.0, 3.0, 9.0], [True, False, True]):
        y = np.array(kinds)[np.arange(60) % 3]
        model = make(name).fit(X, y)
        np.testing.assert_array_equal(model.classes_, np.unique(y))
        found = model.predict(X)
        assert found.dtype == y.dtype and np.mean(found == y) > 0.8
        assert make(name).fit(X, y.tolist()).predict(X).tolist() == found.tolist()


# -------------------------------------------------------------------------------------------------- wrong input


def bad(x: np.ndarray, value: float) -> np.ndarray:
    x = x.copy()
    x.reshape(-1)[7] = value
    return x


# what is wrong -> how it is made of samples, and what is said about it
WRONG: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "NaN": (lambda x: bad(x, np.nan), r"NaN.* (Replace|replace)"),
    "NaN in float32": (lambda x: bad(x, np.nan).astype(np.float32), r"NaN.* (Replace|replace)"),
    "infinity": (lambda x: bad(x, np.inf), r"infinity.* (Replace|replace)"),
    "one axis": (lambda x: x.reshape(-1), r"1D|\(\d+,\)"),
    "three axes": (lambda x: x.reshape(60, -1, 2), r"dim 3|\(60, \d+, 2\)"),
    "no rows": (lambda x: x[:0], r"\(0, "),
    "no columns": (lambda x: x[..., :0], r"0\)"),
    "complex": (lambda x: x.astype(complex), "[Cc]omplex"),
    "words": (lambda x: np.full(x.shape, "ape"), "ape|<U3|strings"),
    "objects": (lambda x: np.full(x.shape, object(), dtype=object), "object"),
    "nothing": (lambda x: None, "None|scalar array"),
    "sparse": (lambda x: csr_array(x.reshape(len(x), -1)), "[Ss]parse|csr"),
}
WORDS_MAY_BE = ("words", "infinity", "objects")  # of OneHot


def refused(call: Callable[[], Any], said: str) -> None:
    """In one line; DataError, but TypeError where scikit-learn wants that: of sparse matrices and of no numbers."""
    with pytest.raises((DataError, TypeError)) as error:
        call()
    assert re.search(said, one_line(str(error.value))), str(error.value)
    assert isinstance(error.value, DataError) or re.search("[Ss]parse|object", str(error.value))


@each
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_samples_are_refused_in_one_line(name: str, wrong: str) -> None:
    change, said = WRONG[wrong]
    X = change(samples(name))
    if name == "OneHot" and wrong in WORDS_MAY_BE:
        return
    refused(lambda: make(name).fit(X, labels()), said)
    model = fitted(name)
    for method in ("predict", "transform", "decision_function", "predict_proba"):
        if hasattr(model, method):
            refused(partial(getattr(model, method), X), said)


@each
def test_another_number_of_features(name: str) -> None:
    X = samples(name)
    if name == "Textons":
        return  # its pictures may be of any size, grey or in colour
    model, narrow = fitted(name), X[:, :2]
    for method in ("predict", "transform", "decision_function", "predict_proba", "kneighbors"):
        if hasattr(model, method):
            refused(partial(getattr(model, method), narrow), r"2.*\b(6|3)\b|\b(6|3)\b.*2")


@each_classifier
def test_labels_that_do_not_match(name: str) -> None:
    X, y = samples(name), labels()
    refused(lambda: make(name).fit(X, y[:-1]), "60.*59")
    refused(lambda: make(name).fit(X, y.reshape(20, 3)), r"\(20, 3\)|2d|1d")
    refused(lambda: make(name).fit(X, None), "y")
    refused(lambda: make(name).fit(X, np.full(60, np.nan)), "NaN")
    refused(lambda: make(name).fit(X, np.linspace(0, 1, 60)), "[Uu]nknown label type|continuous")


@each
def test_it_must_be_fitted_first(name: str) -> None:
    model = make(name)
    for method in ("predict", "transform", "inverse_transform", "decision_function", "predict_proba", "kneighbors"):
        if hasattr(model, method):
            with pytest.raises(NotFittedError) as error:
                getattr(model, method)(samples(name))
            one_line(str(error.value))


# ------------------------------------------------------------------------------------- with scikit-learn's tools

# a setting of each, and what a grid search tries
GRID: dict[str, tuple[str, list[Any]]] = {
    "KMeans": ("n_clusters", [3, 6]),
    "KNearestNeighbors": ("k", [1, 5]),
    "LinearSVM": ("reg", [1e-4, 1e-2]),
    "MinMax": ("high", [4, 5]),
    "PCA": ("n_components", [2, 3]),
    "RandomFourier": ("gamma", ["scale", 1e-3]),
    "SoftmaxRegression": ("reg", [1e-4, 1e-2]),
    "Textons": ("standardise", [True, False]),
    "VisualWords": ("n_words", [4, 5]),
    "Whiten": ("eps", [0.1, 1.0]),
}


@each
@pytest.mark.filterwarnings("ignore:.*stopped after:UserWarning")
def test_pipelines_searches_and_cross_validation(name: str) -> None:
    model, X, y = make(name), samples(name), labels()
    chain = make_pipeline(Standardise(), model) if is_classifier(model) else make_pipeline(model, KNearestNeighbors(3))
    assert cross_val_score(chain, X, y, cv=3, error_score="raise").mean() > 0.8
    key, values = GRID.get(type(model).__name__, ("", []))
    step = type(model).__name__.lower()
    search = GridSearchCV(chain, {f"{step}__{key}": values} if key else {}, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.8
    assert np.mean(search.predict(X) == y) > 0.8
