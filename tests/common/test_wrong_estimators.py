"""The battery of wrong input: every estimator refuses settings, samples and labels that cannot be, in one line."""

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

sys.path.insert(0, str(Path(__file__).parent))
from estimator_cases import EVERY, each, each_classifier, fitted, labels, make, one_line, samples

from pellucid.core.errors import ConfigError, DataError

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
