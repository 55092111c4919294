"""Training by small batches: the loss falls, the history is complete, and what diverges says so."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from pellucid.classic.linear.sgd import LinearClassifier
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.losses.softmax import softmax_loss, softmax_loss_vectorized
from pellucid.scratch.losses.svm import svm_loss, svm_loss_vectorized


def data(n: int = 500, k: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    return 3 * rng.standard_normal((k, 6))[y] + rng.standard_normal((n, 6)), y


@pytest.mark.parametrize("loss", [svm_loss, softmax_loss])
def test_the_course(loss) -> None:  # type: ignore[no-untyped-def]
    X, y = data()
    model = LinearClassifier(loss)
    assert model.W is None
    history = model.train(X, y, learning_rate=1e-2, reg=1e-3, num_iters=150, batch_size=200)
    assert model.W is not None and model.W.shape == (6, 4)
    assert len(history) == 150 and not model.diverged
    assert history[0] == pytest.approx(3 if loss is svm_loss else np.log(4), rel=0.05)  # all scores are about 0
    assert np.mean(history[-10:]) < 0.3 * np.mean(history[:3])
    np.testing.assert_array_equal(model.predict(X), np.argmax(X @ model.W, axis=1))
    assert (model.predict(X) == y).mean() > 0.9
    before = model.W.copy()
    assert model.train(X, y, learning_rate=1e-9, num_iters=1)[0] < 0.3 * history[0]  # it goes on
    np.testing.assert_allclose(model.W, before, atol=1e-6)


@pytest.mark.parametrize(("loss", "lesson"), [(svm_loss, svm_loss_vectorized), (softmax_loss, softmax_loss_vectorized)])
def test_loss_and_gradient_are_those_of_the_lessons(loss, lesson) -> None:  # type: ignore[no-untyped-def]
    X, y = data(50)
    model = LinearClassifier(loss)
    model.W = np.random.default_rng(0).standard_normal((6, 4))
    ours, wanted = model.loss(X, y, 0.3), lesson(model.W, X, y, 0.3)
    assert ours[0] == pytest.approx(wanted[0], rel=1e-12)
    np.testing.assert_allclose(ours[1], wanted[1], atol=1e-12)


def test_the_bias_is_the_last_row_and_not_penalised() -> None:
    X, y = data(50)
    model, plain = LinearClassifier(softmax_loss, intercept=True), LinearClassifier(softmax_loss)
    model.W = np.random.default_rng(0).standard_normal((7, 4))
    plain.W = model.W.copy()
    gradient, with_penalty = model.loss(X, y, 0.3)[1], plain.loss(np.column_stack([X, np.ones(50)]), y, 0.3)[1]
    np.testing.assert_allclose(gradient[:6], with_penalty[:6], atol=1e-12)
    np.testing.assert_allclose(gradient[6], with_penalty[6] - 0.6 * model.W[6], atol=1e-12)


def test_the_divergent_corner_multiplies_the_weights_by_minus_nine() -> None:
    """1 - 2 lr reg with lr = 5e-5 and reg = 1e5, where the data are too small to matter."""
    X, y = 1e-9 * data()[0], data()[1]
    model = LinearClassifier(svm_loss)
    model.train(X, y, learning_rate=1e-300, reg=0, num_iters=1)
    assert model.W is not None
    first = model.W.copy()
    model.train(X, y, learning_rate=5e-5, reg=1e5, num_iters=1)
    np.testing.assert_allclose(model.W, -9 * first, rtol=1e-6)
    model.train(X, y, learning_rate=1e-7, reg=1e5, num_iters=1)
    np.testing.assert_allclose(model.W, -9 * 0.98 * first, rtol=1e-6)
    history = model.train(X, y, learning_rate=5e-5, reg=1e5, num_iters=100)
    assert model.diverged and len(history) < 100
    assert np.isfinite(model.W).all() and np.isfinite(history).all()


def test_growth_that_has_not_left_all_bounds_yet() -> None:
    X, y = data()
    model = LinearClassifier(svm_loss)
    model.train(X, y, learning_rate=5e-5, reg=1e5, num_iters=4)
    assert model.diverged


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [LinearSVM, SoftmaxRegression])
def test_an_estimator_that_diverges_warns(kind, dtype) -> None:  # type: ignore[no-untyped-def]
    X, y = data()
    model = kind(1e5, solver="sgd", learning_rate=5e-5, max_iter=1000)
    with pytest.warns(ConvergenceWarning, match="diverged after .* steps; the last weights that are numbers were kept"):
        model.fit(X.astype(dtype), y)
    assert model.diverged_ and not model.converged_
    assert np.isfinite(model.coef_).all() and model.coef_.dtype == dtype
    assert set(model.predict(X.astype(dtype))) <= set(y)


@pytest.mark.parametrize(
    "model",
    [
        LinearSVM(1e-1, loss="hinge", solver="sgd", learning_rate=1e-2),
        LinearSVM(1e-1, loss="squared_hinge", solver="sgd", learning_rate=1e-2),
        SoftmaxRegression(1e-1, solver="sgd", learning_rate=0.1),
    ],
    ids=["hinge", "squared hinge", "softmax"],
)
def test_an_estimator_by_sgd_comes_near_the_optimum(model: LinearSVM) -> None:
    X, y = data()
    fast = model.__class__(**{**model.get_params(), "solver": "auto"}).fit(X, y)
    model.fit(X, y)
    assert len(model.history_) == model.n_iter_ == 2000
    assert np.mean(model.history_[-300:]) == pytest.approx(fast.history_[-1], rel=0.25)
    assert (model.predict(X) == fast.predict(X)).mean() > 0.97
    again = model.__class__(**model.get_params()).fit(X, y)
    np.testing.assert_array_equal(again.coef_, model.coef_)


def test_errors() -> None:
    X, y = data(10)
    with pytest.raises(DataError, match="There are no weights yet. Call train"):
        LinearClassifier(svm_loss).predict(X)
    with pytest.raises(DataError, match="X and y must have the same number of samples, 1 or more, got 10 and 9."):
        LinearClassifier(svm_loss).train(X, y[:-1])
    with pytest.raises(ConfigError, match="num_iters must be 1 or more, got 0."):
        LinearClassifier(svm_loss).train(X, y, num_iters=0)
    with pytest.raises(ConfigError, match="reg must be 0 or more, got -1."):
        LinearClassifier(svm_loss).train(X, y, reg=-1)


def test_nothing_is_said_when_all_is_well() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SoftmaxRegression(solver="sgd", max_iter=3).fit(*data())
