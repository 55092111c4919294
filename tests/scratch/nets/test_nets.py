"""The three nets: the course's numbers, PyTorch from the same weights, first losses, sanity checks."""

import math

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient, rel_error
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.solver import Solver
from pellucid.scratch.nets.three_layer_convnet import ThreeLayerConvNet
from pellucid.scratch.nets.two_layer import TwoLayerNet


def test_two_layer_net_has_the_course_s_size_and_first_loss():
    net = TwoLayerNet()
    assert sum(w.size for w in net.params.values()) == 308_310
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 3, 32, 32)), rng.integers(10, size=50)
    loss, _ = net.loss(X, y)
    assert loss == pytest.approx(math.log(10), abs=5e-3)


def test_two_layer_net_of_the_course_s_notebook():
    """Weights and inputs on straight lines, and the scores and losses that the assignment prints."""
    n, d, h, c = 3, 5, 50, 7
    net = TwoLayerNet(input_dim=d, hidden_dim=h, num_classes=c, weight_scale=1e-3)
    net.params["W1"] = np.linspace(-0.7, 0.3, num=d * h).reshape(d, h)
    net.params["b1"] = np.linspace(-0.1, 0.9, num=h)
    net.params["W2"] = np.linspace(-0.3, 0.4, num=h * c).reshape(h, c)
    net.params["b2"] = np.linspace(-0.9, 0.1, num=c)
    X, y = np.linspace(-5.5, 4.5, num=n * d).reshape(d, n).T, np.array([0, 5, 1])
    wanted = [
        [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765, 16.09215096],
        [12.05769098, 12.74614105, 13.43459113, 14.1230412, 14.81149128, 15.49994135, 16.18839143],
        [12.58373087, 13.20054771, 13.81736455, 14.43418138, 15.05099822, 15.66781506, 16.2846319],
    ]
    np.testing.assert_allclose(net.loss(X), wanted, atol=1e-8)
    assert net.loss(X, y)[0] == pytest.approx(3.4702243556, abs=1e-10)
    net.reg = 1.0
    assert net.loss(X, y)[0] == pytest.approx(26.5948426952, abs=1e-10)
    for reg in (0.0, 0.7):
        net.reg = reg
        _, grads = net.loss(X, y)
        for name, w in net.params.items():
            numerical = eval_numerical_gradient(lambda _: net.loss(X, y)[0], w)
            assert rel_error(numerical, grads[name]) < 1e-6


@pytest.mark.parametrize("normalization", [None, "batchnorm", "layernorm"])
@pytest.mark.parametrize("reg", [0, 3.14])
def test_fully_connected_net_of_the_course_s_notebook(normalization: str | None, reg: float):
    rng = np.random.default_rng(231)
    X, y = rng.standard_normal((8, 15)), rng.integers(10, size=8)
    net = FullyConnectedNet(
        [20, 30],
        input_dim=15,
        num_classes=10,
        normalization=normalization,
        reg=reg,
        weight_scale=5e-2,
        dtype=np.float64,
    )
    loss, grads = net.loss(X, y)
    assert np.isfinite(loss) and grads.keys() == net.params.keys()
    for name in ("W1", "b3", *(("gamma2", "beta1") if normalization else ())):
        numerical = eval_numerical_gradient(lambda _: net.loss(X, y)[0], net.params[name])
        np.testing.assert_allclose(numerical, grads[name], atol=2e-6)


def torch_gradients(model: torch.nn.Module, X: np.ndarray, y: np.ndarray) -> tuple[float, list[np.ndarray]]:
    loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(X)), torch.from_numpy(y))
    loss.backward()
    return loss.item(), [p.grad.numpy() for p in model.parameters()]


def copy_into(model: torch.nn.Module, arrays: list[np.ndarray]) -> None:
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), arrays, strict=True):
            parameter.copy_(torch.from_numpy(array))


def test_the_same_weights_in_torch_give_the_same_gradients_with_batch_norm():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((16, 12)).astype(np.float32), rng.integers(4, size=16)
    net = FullyConnectedNet([10, 8], 12, 4, normalization="batchnorm", weight_scale="auto", seed=1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(12, 10),
        nn.BatchNorm1d(10),
        nn.ReLU(),
        nn.Linear(10, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 4),
    )
    order = ["W1", "b1", "gamma1", "beta1", "W2", "b2", "gamma2", "beta2", "W3", "b3"]
    copy_into(model, [net.params[name].T for name in order])
    loss, grads = net.loss(X, y)
    torch_loss, torch_grads = torch_gradients(model, X, y)
    assert loss == pytest.approx(torch_loss, abs=1e-6)
    for name, gradient in zip(order, torch_grads, strict=True):
        np.testing.assert_allclose(grads[name], gradient.T, atol=1e-6, err_msg=name)


def test_the_same_weights_in_torch_give_the_same_gradients_with_a_convolution():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4, 3, 8, 10)).astype(np.float32), rng.integers(5, size=4)
    net = ThreeLayerConvNet((3, 8, 10), num_filters=4, filter_size=5, hidden_dim=7, num_classes=5, weight_scale=0.1)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(3, 4, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(80, 7),
        nn.ReLU(),
        nn.Linear(7, 5),
    )
    order = ["W1", "b1", "W2", "b2", "W3", "b3"]
    copy_into(model, [net.params[name].T if name in ("W2", "W3") else net.params[name] for name in order])
    loss, grads = net.loss(X, y)
    torch_loss, torch_grads = torch_gradients(model, X, y)
    assert loss == pytest.approx(torch_loss, abs=1e-6)
    for name, gradient in zip(order, torch_grads, strict=True):
        expected = gradient.T if name in ("W2", "W3") else gradient
        np.testing.assert_allclose(grads[name], expected, atol=1e-6, err_msg=name)


def test_convnet_s_first_loss_and_what_the_penalty_adds():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 3, 32, 32)), rng.integers(10, size=20)
    net = ThreeLayerConvNet()
    loss, _ = net.loss(X, y)
    assert loss == pytest.approx(math.log(10), abs=5e-3)
    net.reg = 0.5
    squares = sum(float((w.astype(np.float64) ** 2).sum()) for name, w in net.params.items() if name[0] == "W")
    assert net.loss(X, y)[0] == pytest.approx(loss + 0.25 * squares, rel=1e-5)


@pytest.mark.parametrize("keep", [1, 0.75, 0.5])
def test_dropout_of_the_course_s_notebook(keep: float):
    """With a seed the mask is the same in every call, so that gradients can be checked."""
    rng = np.random.default_rng(231)
    X, y = rng.standard_normal((2, 15)), rng.integers(10, size=2)
    net = FullyConnectedNet(
        [20, 30], input_dim=15, dropout_keep_ratio=keep, weight_scale=5e-2, dtype=np.float64, seed=123
    )
    loss, grads = net.loss(X, y)
    assert net.loss(X, y)[0] == loss
    numerical = eval_numerical_gradient(lambda _: net.loss(X, y)[0], net.params["W2"])
    np.testing.assert_allclose(numerical, grads["W2"], atol=1e-8)


def test_batch_norm_in_test_mode_does_not_depend_on_the_batch():
    rng = np.random.default_rng(0)
    net = FullyConnectedNet([6], 4, 3, normalization="batchnorm", weight_scale=1.0, dtype=np.float64)
    for _ in range(20):
        net.loss(rng.standard_normal((8, 4)), rng.integers(3, size=8))
    X = rng.standard_normal((5, 4))
    alone = np.concatenate([net.loss(X[k : k + 1]) for k in range(5)])
    np.testing.assert_allclose(net.loss(X), alone, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TwoLayerNet(6, 10, 3, weight_scale=0.5),
        lambda: FullyConnectedNet([10, 10], 6, 3, weight_scale="auto", normalization="layernorm"),
        lambda: ThreeLayerConvNet((1, 2, 3), 8, 3, 10, 3, weight_scale=0.5),
    ],
)
def test_every_net_learns_a_few_samples_by_heart(make):
    rng = np.random.default_rng(0)
    net = make()
    shape = (6, 1, 2, 3) if isinstance(net, ThreeLayerConvNet) else (6, 6)
    X, y = rng.standard_normal(shape), np.array([0, 1, 2, 0, 1, 2])
    data = {"X_train": X, "y_train": y, "X_val": X, "y_val": y}
    solver = Solver(net, data, "adam", {"learning_rate": 1e-2}, batch_size=6, num_epochs=150, verbose=False)
    solver.train()
    np.testing.assert_array_equal(net.predict(X), y)
    assert solver.loss_history[-1] < 0.1


def test_a_batch_of_one_and_odd_pictures():
    X, y = np.ones((1, 3, 7, 9)), np.array([1])
    net = ThreeLayerConvNet((3, 7, 9), num_filters=2, filter_size=3, hidden_dim=4)
    loss, grads = net.loss(X, y)
    assert np.isfinite(loss) and grads["W2"].shape == (2 * 3 * 4, 4)


def test_single_precision_stays_single():
    X, y = np.ones((2, 3, 4, 4)), np.array([0, 1])
    for net in (
        FullyConnectedNet([5], 48, 3, normalization="batchnorm", dropout_keep_ratio=0.5, reg=0.1),
        ThreeLayerConvNet((3, 4, 4), 2, 3, 4, reg=0.1),
    ):
        assert {g.dtype for g in net.loss(X, y)[1].values()} == {np.dtype(np.float32)}


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ConfigError) as caught:
        FullyConnectedNet([3], normalization="batchnrom")
    assert str(caught.value) == (
        "Unknown normalization 'batchnrom'. Did you mean 'batchnorm'? Choose from: batchnorm, layernorm."
    )
    with pytest.raises(ConfigError) as caught:
        FullyConnectedNet([3], dropout_keep_ratio=0)
    assert str(caught.value) == "dropout_keep_ratio is the probability to keep, in (0, 1], got 0."


def test_samples_of_another_size_are_refused():
    with pytest.raises(DataError, match=r"^affine: x \(2, 5\) has 5 numbers a sample"):
        TwoLayerNet(4, 3, 2).loss(np.ones((2, 5)))
