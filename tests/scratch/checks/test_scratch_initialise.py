"""First weights: variances, symmetry, and what the rule advises."""

import re

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.activations.table import ACTIVATIONS
from pellucid.scratch.checks.initialise import INITIALISERS, RULE, advise, fans, initialise
from pellucid.scratch.layers.affine import affine_backward, affine_forward

RNG = np.random.default_rng


# ---------------------------------------------------------------------------------------------------- variances


@pytest.mark.parametrize("shape", [(300, 200), (40, 30, 5, 5)])
@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("xavier", lambda n_in, n_out: 1 / n_in),
        ("xavier_average", lambda n_in, n_out: 2 / (n_in + n_out)),
        ("he", lambda n_in, n_out: 2 / n_in),
        ("lecun", lambda n_in, n_out: 1 / n_in),
        ("normal", lambda n_in, n_out: 1e-4),
    ],
)
def test_drawn_variances(shape: tuple[int, ...], init: str, variance: object) -> None:
    """Measured over n numbers, a variance is off by about √(2/n) of itself."""
    w = INITIALISERS[init](shape, RNG(0))
    assert w.shape == shape
    wanted = variance(*fans(shape))  # type: ignore[operator]
    assert np.var(w) == pytest.approx(wanted, rel=4 * np.sqrt(2 / w.size))
    assert abs(np.mean(w)) < 4 * np.sqrt(wanted / w.size)


def test_fans() -> None:
    """A unit of a convolution sees a window of every channel: k · k · c inputs."""
    assert fans((3072, 100)) == (3072, 100)
    assert fans((64, 3, 5, 7)) == (5 * 7 * 3, 5 * 7 * 64)
    with pytest.raises(DataError, match=r"^Weights have the shape \(D, M\) or \(F, C, KH, KW\), got \(4,\)\.$"):
        fans((4,))


def test_a_convolutions_outputs_keep_the_size_of_its_inputs() -> None:
    x = RNG(0).standard_normal((2000, 8, 3, 3))
    w = INITIALISERS["xavier"]((50, 8, 3, 3), RNG(1))
    assert np.std(np.einsum("nchw,fchw->nf", x, w)) == pytest.approx(1, rel=0.05)


# ----------------------------------------------------------------------------------------------------- symmetry


def trained_hidden_units(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
    """Weights into the hidden units, (D, H), after 100 steps of a net with tanh."""
    rng = RNG(0)
    x = rng.standard_normal((30, 4))
    y = np.sin(x.sum(axis=1, keepdims=True))
    b1, b2 = np.zeros(w1.shape[1]), np.zeros(1)
    for _ in range(100):
        z, first = affine_forward(x, w1, b1)
        h = np.tanh(z)
        out, second = affine_forward(h, w2, b2)
        dh, dw2, db2 = affine_backward(2 * (out - y) / len(x), second)
        _, dw1, db1 = affine_backward(dh * (1 - h**2), first)
        w1, b1, w2, b2 = w1 - 0.1 * dw1, b1 - 0.1 * db1, w2 - 0.1 * dw2, b2 - 0.1 * db2
    return w1


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_units_stay_equal(value: float) -> None:
    w1 = trained_hidden_units(np.full((4, 5), value), np.full((5, 1), value))
    assert np.ptp(w1, axis=1).max() < 1e-12
    if value == 0:
        assert (w1 == 0).all()  # zeros above stop every gradient on its way down
    else:
        assert np.ptp(w1[:, 0]) > 0.01  # they did learn, all the same thing


def test_different_units_stay_different() -> None:
    w1 = trained_hidden_units(initialise((4, 5), "tanh", RNG(1)), initialise((5, 1), "identity", RNG(2)))
    apart = np.abs(w1[:, :, None] - w1[:, None, :]).max(axis=0) + np.eye(5)
    assert apart.min() > 0.1


# ------------------------------------------------------------------------------------------- the rule, and advice


def test_auto_obeys_the_rule() -> None:
    for activation in ("tanh", "sigmoid"):
        assert RULE[activation] == "xavier"
    for activation in ("relu", "leaky_relu", "prelu", "relu6", "elu"):
        assert RULE[activation] == "he"
    assert RULE["selu"] == "lecun"
    assert set(ACTIVATIONS) <= set(RULE)
    for activation, init in RULE.items():
        drawn = initialise((50, 40), activation, RNG(3))
        assert np.array_equal(drawn, INITIALISERS[init]((50, 40), RNG(3)))


def test_advice_names_the_layer_that_breaks_the_rule() -> None:
    layers = [
        ("conv1", INITIALISERS["he"]((32, 3, 3, 3), RNG(0)), "relu"),
        ("conv2", INITIALISERS["xavier"]((32, 32, 3, 3), RNG(1)), "relu"),
        ("fc1", INITIALISERS["xavier_average"]((512, 100), RNG(2)), "tanh"),
        ("fc2", INITIALISERS["normal"]((1000, 100), RNG(3)), "tanh"),
    ]
    said = advise(layers)
    assert len(said) == 2
    assert re.fullmatch(
        r"conv2: its weights have std 0\.05\d\d, but he before relu has 0\.0833\. "
        r"The mean square of the signal shrinks to 0\.\d+ times itself\. Use he\.",
        said[0],
    )
    assert said[1].startswith("fc2: its weights have std 0.0100, but xavier before tanh has 0.0316.")


@pytest.mark.parametrize("activation", RULE)
@pytest.mark.parametrize("shape", [(3, 2), (10, 40), (400, 300), (6, 3, 3, 3)])
def test_what_the_rule_draws_is_never_criticised(activation: str, shape: tuple[int, ...]) -> None:
    for seed in range(20):
        assert advise([("layer", initialise(shape, activation, RNG(seed)), activation)]) == []


@pytest.mark.parametrize("init", ["zeros", "constant"])
def test_equal_weights_are_named_as_such(init: str) -> None:
    assert advise([("fc", INITIALISERS[init]((4, 3), RNG(0)), "relu")]) == [
        "fc: all its weights are equal, so its units stay copies of each other. Use he."
    ]


def test_unknown_names() -> None:
    with pytest.raises(ConfigError, match=r"^Unknown activation 'rellu'\. Did you mean 'relu'"):
        initialise((2, 2), "rellu", RNG(0))
    with pytest.raises(ConfigError, match=r"^Unknown initialisation 'savier'\. Did you mean 'xavier'"):
        initialise((2, 2), "relu", RNG(0), "savier")
