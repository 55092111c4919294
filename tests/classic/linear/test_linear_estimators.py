"""Both linear estimators: objectives of scikit-learn, scratch's gradients, closed forms, and every kind of input."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import pellucid.classic.linear.softmax as softmax_module
import pellucid.classic.linear.svm as svm_module
from pellucid.classic.linear import preconditioner
from pellucid.classic.linear.losses import one_vs_rest_squared_hinge, smooth_hinge
from pellucid.classic.linear.objective import BLOCK, Objective
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient
from pellucid.scratch.losses.softmax import softmax, softmax_loss, softmax_loss_vectorized
from pellucid.scratch.losses.squared_hinge import squared_hinge_loss
from pellucid.scratch.losses.svm import svm_loss, svm_loss_vectorized

ESTIMATORS = {
    "softmax": SoftmaxRegression(),
    "hinge": LinearSVM(loss="hinge"),
    "squared hinge": LinearSVM(loss="squared_hinge"),
}


def data(n: int = 400, d: int = 7, k: int = 3, seed: int = 0, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Classes that overlap; features of quite different sizes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    y[:k] = np.arange(k)
    X = rng.standard_normal((n, d)) * spread + rng.standard_normal((k, d))[y]
    return X * np.geomspace(0.2, 3, d), y


def objective(loss: Any, X: np.ndarray, y: np.ndarray, reg: float, V: np.ndarray, b: np.ndarray) -> float:
    """Of K columns, straight from the definition."""
    return loss(X @ V + b, y)[0] + reg * float(np.sum(V * V))


def columns(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of two classes their vectors are opposite and half as long."""
    if len(model.coef_) == 1:
        b = np.reshape(model.intercept_, (-1,)) * np.ones(1)
        return np.concatenate([-model.coef_, model.coef_]).T / 2, np.concatenate([-b, b]) / 2
    return model.coef_.T, model.intercept_


def close_to(ours: float, theirs: float) -> bool:
    """Within 1e-4 of the optimum, which is not above what either found."""
    return abs(ours - theirs) <= 1e-4 * theirs


@pytest.mark.parametrize("reg", [1e-4, 1e-2])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_objective_of_logistic_regression(k: int, reg: float) -> None:
    X, y = data(k=k)
    theirs = LogisticRegression(C=1 / ((1 if k == 2 else 2) * len(X) * reg), tol=1e-10, max_iter=5000).fit(X, y)
    ours = SoftmaxRegression(reg).fit(X, y)
    P = partial(objective, softmax_loss, X, y, reg)
    assert close_to(P(*columns(ours)), P(*columns(theirs)))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=0.02)
    assert ours.history_[-1] == pytest.approx(P(*columns(ours)), rel=1e-9)
    assert ours.converged_ and not ours.diverged_ and ours.n_iter_ == len(ours.history_)


@pytest.mark.parametrize("reg", [1e-4, 1e-2])
@pytest.mark.parametrize("k", [3, 5])
def test_the_objective_of_linear_svc(k: int, reg: float) -> None:
    X, y = data(k=k)
    X = np.column_stack([X, np.ones(len(X))])  # it penalises its bias
    theirs = LinearSVC(C=1 / (2 * len(X) * reg), fit_intercept=False, tol=1e-8, max_iter=100_000, dual=False).fit(X, y)
    ours = LinearSVM(reg, loss="squared_hinge", fit_intercept=False).fit(X, y)
    P = partial(objective, one_vs_rest_squared_hinge, X, y, reg)
    assert close_to(P(*columns(ours)), P(*columns(theirs)))
    assert ours.history_[-1] == pytest.approx(P(*columns(ours)), rel=1e-9)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=0.02)


def test_the_weights_of_linear_svc_with_two_classes() -> None:
    X, y = data(k=2)
    theirs = LinearSVC(C=1 / (2 * len(X) * 1e-2), fit_intercept=False, tol=1e-8, max_iter=100_000, dual=False).fit(X, y)
    ours = LinearSVM(1e-2, loss="squared_hinge", fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)


@pytest.mark.parametrize("reg", [1e-3, 1e-1])
def test_the_hinge_of_linear_svc_with_two_classes(reg: float) -> None:
    X, y = data(k=2, n=200)
    theirs = LinearSVC(
        C=1 / (len(X) * reg), loss="hinge", fit_intercept=False, tol=1e-6, max_iter=1_000_000, random_state=0
    ).fit(X, y)
    ours = LinearSVM(reg, loss="hinge", fit_intercept=False).fit(X, y)
    P = partial(objective, svm_loss, X, y, reg)
    assert close_to(P(*columns(ours)), P(*columns(theirs)))


def dual_of_the_hinge(X: np.ndarray, y: np.ndarray, reg: float, n_classes: int, sweeps: int) -> float:
    """A lower bound of the objective without a bias, by coordinate ascent in the multipliers a_nj of j != y_n.

    With 0 <= a <= 1 and V = (1 / 2 reg N) sum_nj a_nj x_n (e_y - e_j): (1/N) sum a - reg sum V^2 <= P of any weights.
    """
    n, V = len(X), np.zeros((X.shape[1], n_classes))
    a, squares = np.zeros((n, n_classes)), np.einsum("nd,nd->n", X, X)
    for _ in range(sweeps):
        for i in range(n):
            for j in range(n_classes):
                if j != y[i]:
                    slope = 1 - float(X[i] @ (V[:, y[i]] - V[:, j]))
                    new = min(max(a[i, j] + slope * reg * n / squares[i], 0), 1)
                    move = (new - a[i, j]) / (2 * reg * n) * X[i]
                    V[:, y[i]] += move
                    V[:, j] -= move
                    a[i, j] = new
    return float(a.sum()) / n - reg * float(np.sum(V * V))


@pytest.mark.parametrize("reg", [1e-2, 1e-1])
def test_the_hinge_of_several_classes_is_at_its_dual(reg: float) -> None:
    X, y = data(k=3, n=60)
    model = LinearSVM(reg, loss="hinge", fit_intercept=False).fit(X, y)
    primal, dual = objective(svm_loss, X, y, reg, model.coef_.T, np.zeros(3)), dual_of_the_hinge(X, y, reg, 3, 400)
    assert dual <= primal
    assert close_to(primal, dual)


@pytest.mark.parametrize("n", [50, BLOCK + 3])
def test_the_objective_in_blocks_is_that_of_the_lessons(n: int) -> None:
    X, y = data(n=n)
    W = np.random.default_rng(1).standard_normal((7, 3))
    for loss, lesson in ((softmax_loss, softmax_loss_vectorized), (svm_loss, svm_loss_vectorized)):
        value, gradient = Objective(X, y, loss, 0.1, False, 3).value_and_gradient(W)
        wanted, dW = lesson(W, X, y, 0.1)
        assert value == pytest.approx(wanted, rel=1e-12)
        np.testing.assert_allclose(gradient, dW, atol=1e-12)
        assert Objective(X, y, loss, 0.1, False, 3).value(W) == pytest.approx(wanted, rel=1e-12)


def test_the_bias_is_not_penalised() -> None:
    X, y = data(n=50)
    W = np.random.default_rng(1).standard_normal((8, 3))
    P = Objective(X, y, softmax_loss, 0.1, True, 3)
    gradient = P.value_and_gradient(W)[1]
    np.testing.assert_allclose(gradient, eval_numerical_gradient(lambda w: P.value(w), W.copy()), atol=1e-7)
    assert P.value(W) == pytest.approx(softmax_loss(X @ W[:7] + W[7], y)[0] + 0.1 * np.sum(W[:7] ** 2))


def test_one_against_the_rest_is_the_lessons_squared_hinge_of_two_classes() -> None:
    rng = np.random.default_rng(0)
    scores, y = rng.standard_normal((20, 4)), rng.integers(4, size=20)
    loss, dscores = one_vs_rest_squared_hinge(scores, y)
    parts = [squared_hinge_loss(np.stack([-s / 2, s / 2], 1), (y == k).astype(int)) for k, s in enumerate(scores.T)]
    assert loss == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    np.testing.assert_allclose(dscores, np.stack([(d[:, 1] - d[:, 0]) / 2 for _, d in parts], 1), atol=1e-12)


@pytest.mark.parametrize("width", [1.0, 0.1])
def test_the_rounded_hinge_lies_below_by_half_its_width_a_class_at_most(width: float) -> None:
    rng = np.random.default_rng(0)
    scores, y = rng.standard_normal((20, 4)), rng.integers(4, size=20)
    loss, dscores = smooth_hinge(scores, y, width)
    numerical = eval_numerical_gradient(lambda s: smooth_hinge(s, y, width)[0], scores.copy())
    np.testing.assert_allclose(dscores, numerical, atol=1e-7)
    sharp = svm_loss(scores, y)[0]
    assert sharp - 3 * width / 2 <= loss <= sharp
    assert smooth_hinge(scores, y, 0)[0] == sharp


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_two_points(loss: str) -> None:
    """At -1 and 1: v = 1 keeps both margins; of less than that the loss would pay more than the penalty, if small."""
    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    model = LinearSVM(1e-3, loss=loss, tol=1e-4 if loss == "hinge" else 1e-9).fit(X, y)  # type: ignore[arg-type]
    # hinge: reg v^2 / 2 falls until v = 1; squared: 2 (1 - v)^2 + 2 reg v^2 is least at 1 / (1 + reg)
    assert model.coef_[0, 0] == pytest.approx(1 if loss == "hinge" else 1 / (1 + 1e-3), abs=1e-3)
    assert model.intercept_[0] == pytest.approx(0, abs=1e-4)


def test_two_points_of_softmax() -> None:
    """The derivative of ln(1 + exp(-v)) + reg v² / 2 is 0: v (1 + exp(v)) = 1 / reg."""
    model = SoftmaxRegression(0.1, tol=1e-10).fit(np.array([[-1.0], [1.0]]), np.array([0, 1]))
    v = float(model.coef_[0, 0])
    assert v * (1 + np.exp(v)) == pytest.approx(10, rel=1e-3)


def test_probabilities_do_not_move_with_all_scores() -> None:
    X, y = data()
    model = SoftmaxRegression().fit(X, y)
    before = model.predict_proba(X)
    model.intercept_ = model.intercept_ + 50
    np.testing.assert_allclose(model.predict_proba(X), before, atol=1e-12)
    np.testing.assert_allclose(before, softmax(X @ model.coef_.T + model.intercept_), atol=1e-12)
    np.testing.assert_allclose(before.sum(axis=1), 1)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("k", [2, 3])
def test_labels_of_any_type(name: str, k: int) -> None:
    X, y = data(k=k)
    words = np.array(["boot", "coat", "bag"])[:k]
    model = ESTIMATORS[name].__class__(**ESTIMATORS[name].get_params())
    by_number, number = model.fit(X, np.argsort(np.argsort(words))[y]).predict(X), model.coef_
    by_word = model.fit(X, words[y]).predict(X)
    assert (by_word == np.sort(words)[by_number]).all()
    np.testing.assert_array_equal(model.coef_, number)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_kinds_of_samples(name: str) -> None:
    X, y = data()
    model = ESTIMATORS[name].__class__(**ESTIMATORS[name].get_params())
    bytes_ = np.clip(40 * X + 128, 0, 255).astype(np.uint8)
    from_bytes = model.fit(bytes_, y).coef_
    assert from_bytes.dtype == np.float32
    np.testing.assert_array_equal(model.fit(bytes_.astype(np.float32), y).coef_, from_bytes)  # not scaled
    np.testing.assert_array_equal(model.fit(torch.from_numpy(bytes_), y).coef_, from_bytes)
    before = X.astype(np.float32)
    given = before.copy()
    assert model.fit(given, y).coef_.dtype == np.float32 and model.decision_function(given).dtype == np.float32
    np.testing.assert_array_equal(given, before)
    assert model.fit(X, y).coef_.dtype == np.float64


@pytest.mark.parametrize("name", ESTIMATORS)
def test_odd_data(name: str) -> None:
    """One sample of each class; features that are constant or 0 everywhere; one feature."""
    model = ESTIMATORS[name].__class__(**ESTIMATORS[name].get_params())
    assert (model.fit(np.eye(4), np.arange(4)).predict(np.eye(4)) == np.arange(4)).all()
    X, y = data()
    constant = np.column_stack([X, np.zeros(len(X)), np.full(len(X), 7.0)])
    plain, wide = model.fit(X, y).score(X, y), model.fit(constant, y)
    assert wide.score(constant, y) == pytest.approx(plain, abs=0.02)
    assert np.abs(wide.coef_[:, -2]).max() < 1e-6
    assert np.isfinite(model.fit(np.zeros((6, 2)), np.arange(6) % 3).decision_function(np.ones((1, 2)))).all()
    assert model.fit(X[:, :1], y).coef_.shape == (3, 1)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_same_again(name: str) -> None:
    X, y = data()
    model = ESTIMATORS[name].__class__(**ESTIMATORS[name].get_params())
    first = model.fit(X, y).coef_
    np.testing.assert_array_equal(model.fit(X, y).coef_, first)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_errors(name: str) -> None:
    X, y = data()
    kind, settings = ESTIMATORS[name].__class__, ESTIMATORS[name].get_params()
    with pytest.raises(DataError, match="y must hold two classes or more, got one class only: "):
        kind(**settings).fit(X, np.zeros(len(X)))
    holed = X.copy()
    holed[3, 2] = np.nan
    with pytest.raises(DataError, match="X holds NaN or infinity. Replace such values first"):
        kind(**settings).fit(holed, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        kind(**settings).fit(X, y[:-1])
    for wrong, message in (
        ({"reg": -1.0}, "reg must be 0 or more, got -1.0."),
        ({"tol": 0.0}, "tol must be above 0, got 0.0."),
        ({"max_iter": 0}, "max_iter must be 1 or more, or None, got 0."),
        ({"solver": "adam"}, "Unknown solver 'adam'."),
        ({"solver": "sgd", "learning_rate": 0.0}, "learning_rate must be above 0, got 0.0."),
        ({"solver": "sgd", "batch_size": 0}, "batch_size must be 1 or more, got 0."),
    ):
        with pytest.raises(ConfigError) as error:
            kind(**{**settings, **wrong}).fit(X, y)
        assert message in str(error.value)
    with pytest.raises(ConfigError, match="Unknown loss 'higne'. Did you mean 'hinge'"):
        LinearSVM(loss="higne").fit(X, y)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_stopped_too_early(name: str) -> None:
    X, y = data()
    model = ESTIMATORS[name].__class__(**{**ESTIMATORS[name].get_params(), "max_iter": 1, "tol": 1e-12})
    with pytest.warns(ConvergenceWarning, match="stopped after . steps before it reached tol"):
        model.fit(X, y)
    assert not model.converged_ and not model.diverged_


def test_templates() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((3, 12))
    y = rng.integers(3, size=300)
    X = patterns[y] + 0.1 * rng.standard_normal((300, 12))
    model = SoftmaxRegression(1e-2).fit(X, y)
    pictures = model.templates((2, 3, 2))
    assert pictures.shape == (3, 2, 3, 2) and pictures.dtype == np.uint8
    assert (np.abs(pictures.reshape(3, -1).astype(int) - 128).max(1) == 127).all()
    assert ((pictures.reshape(3, -1) > 128) >= (model.coef_ > 0.01)).all()  # the sign can be read
    own = patterns - patterns.mean(0)  # what tells a class from the others
    for k in range(3):
        assert np.corrcoef(pictures[k].ravel(), own[k])[0, 1] > 0.9
    assert model.templates((3, 4)).shape == (3, 1, 3, 4)
    with pytest.raises(DataError, match=r"shape must be \(C, H, W\) or \(H, W\) with 12 numbers"):
        model.templates((3, 3))
    two = LinearSVM(loss="hinge").fit(X[y < 2], y[y < 2]).templates((3, 4)).astype(int)
    assert np.abs(two[0] + two[1] - 256).max() <= 1


def test_score_zero_is_the_boundary() -> None:
    X, y = data(k=2)
    model = LinearSVM().fit(X, y)
    v, b = model.coef_[0], model.intercept_[0]
    on_it = X - ((X @ v + b) / (v @ v))[:, None] * v  # the nearest points of the boundary
    np.testing.assert_allclose(model.decision_function(on_it), 0, atol=1e-9)
    assert (model.predict(on_it + 1e-3 * v) == 1).all() and (model.predict(on_it - 1e-3 * v) == 0).all()


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("limit", ["MOST_FEATURES", "MOST_SHARED"])
def test_many_features(name: str, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ways for many features come to the same optimum; here a few count as many."""
    X, y = data(n=3000)
    model = ESTIMATORS[name].__class__(**{**ESTIMATORS[name].get_params(), "reg": 1e-3})
    few = model.fit(X, y).history_[-1]
    monkeypatch.setattr(preconditioner, "MOST_SHARED", 3 if limit == "MOST_SHARED" else 100)
    for module in (softmax_module, svm_module):
        monkeypatch.setattr(module, "MOST_FEATURES", 3)
    many = model.fit(X, y)
    assert many.converged_
    assert many.history_[-1] == pytest.approx(few, rel=2e-4)


@pytest.mark.parametrize("make", [SoftmaxRegression, LinearSVM, lambda reg: LinearSVM(reg, loss="hinge")])
def test_more_features_than_samples_are_fitted_in_the_span_of_the_samples(make: Any) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 300)), np.arange(20) % 3
    model = make(1e-2).fit(X, y)
    in_the_span = X.T @ np.linalg.lstsq(X.T, model.coef_.T, rcond=None)[0]
    np.testing.assert_allclose(in_the_span.T, model.coef_, atol=1e-9)
    few = make(1e-2).fit(X @ np.linalg.qr(X.T)[0], y)  # turned by hand: the same scores
    np.testing.assert_allclose(few.decision_function(X @ np.linalg.qr(X.T)[0]), model.decision_function(X), atol=2e-3)


@pytest.mark.parametrize("make", [SoftmaxRegression, LinearSVM])
def test_weights_in_the_span_are_those_of_scikit_learn(make: Any) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((30, 200)), np.arange(30) % 3
    model, C = make(1e-2, fit_intercept=False, tol=1e-9).fit(X, y), 1 / (2 * 30 * 1e-2)
    if make is SoftmaxRegression:
        theirs = LogisticRegression(C=C, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(X, y)
    else:
        theirs = LinearSVC(C=C, fit_intercept=False, tol=1e-10, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=2e-3 * np.abs(theirs.coef_).max())
