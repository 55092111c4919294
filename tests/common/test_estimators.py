"""The battery: every estimator is put through scikit-learn's checks, and through what the house promises beyond them.

A new name of `classic.estimators` must come into `estimator_cases.py`; then it is tested without further work.
"""

import inspect
import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

sys.path.insert(0, str(Path(__file__).parent))
from estimator_cases import (
    ALWAYS_FLOAT32,
    DECLARED_FAILURES,
    EVERY,
    NO_ESTIMATOR,
    OF_PICTURES,
    OF_ROWS,
    answers,
    each,
    each_classifier,
    each_transformer,
    equal,
    fitted,
    labels,
    make,
    samples,
    state,
)

from pellucid.classic import estimators
from pellucid.classic.estimators import (
    PCA,
    Decorrelate,
    KNearestNeighbors,
    Standardise,
)

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
