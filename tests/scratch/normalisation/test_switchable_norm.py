"""Switchable norm: the notes' call, its three corners, its weights, messages."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.instance import instancenorm_forward
from pellucid.scratch.normalisation.layer import layernorm_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_forward
from pellucid.scratch.normalisation.switchable import switchable_norm, switchnorm_backward, switchnorm_forward

W_MEAN, W_VAR = [0.1, 0.1, 0.8], [0.01, 0.02, 0.05]


@pytest.fixture
def pictures():
    return np.random.RandomState(0).rand(5, 10, 3, 3) * 100


def test_the_notes_call(pictures):
    y = switchable_norm(pictures, 0.1, 0.1, W_MEAN, W_VAR)
    assert y.mean() == pytest.approx(0.1000076, abs=1e-7)
    assert y.std() == pytest.approx(0.3489709, abs=1e-7)
    assert y[0, 0, 0] == pytest.approx([0.04801899, 0.27470442, 0.12152515], abs=1e-8)


def test_only_weights_that_sum_to_one_give_the_spread_gamma_asks_for(pictures):
    whole = np.array(W_VAR) / sum(W_VAR)
    y = switchable_norm(pictures, 0.1, 0.1, W_MEAN, whole)
    assert y.std() == pytest.approx(0.0987039, abs=1e-7)
    small = switchable_norm(pictures, 0.1, 0.1, W_MEAN, W_VAR)
    assert (small - 0.1) == pytest.approx((y - 0.1) / np.sqrt(0.08), rel=1e-6), "the divisor was √.08 of it"


def corner(k):
    """Weights whose softmax is 1 at k."""
    return np.where(np.arange(3) == k, 0.0, -1e3)


def test_corners_are_the_three_it_mixes(rng):
    x = rng.standard_normal((4, 3, 2, 5))
    gamma, beta = rng.standard_normal((2, 3))
    instance = instancenorm_forward(x, gamma, beta, {})[0]
    layer = layernorm_forward(x.reshape(4, -1), np.ones(30), np.zeros(30), {})[0].reshape(x.shape)
    layer = gamma.reshape(3, 1, 1) * layer + beta.reshape(3, 1, 1)
    batch = spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})[0]
    for k, wanted in enumerate((instance, layer, batch)):
        out, _ = switchnorm_forward(x, gamma, beta, corner(k), corner(k), {"mode": "train"})
        assert out == pytest.approx(wanted)


def test_the_layer_softmaxes_its_weights(rng):
    x = rng.standard_normal((3, 2, 4))
    gamma, beta = rng.standard_normal((2, 2))
    w_mean, w_var = rng.standard_normal((2, 3))
    out, cache = switchnorm_forward(x, gamma, beta, w_mean, w_var, {"mode": "train"})
    p, q = (np.exp(w) / np.exp(w).sum() for w in (w_mean, w_var))
    assert out == pytest.approx(switchable_norm(x, gamma, beta, p, q))
    moved, _ = switchnorm_forward(x, gamma, beta, w_mean + 7, w_var - 3, {"mode": "train"})
    assert moved == pytest.approx(out), "a softmax does not see a shift"
    *_, dw_mean, dw_var = switchnorm_backward(rng.standard_normal(x.shape), cache)
    assert dw_mean.sum() == pytest.approx(0, abs=1e-12)
    assert dw_var.sum() == pytest.approx(0, abs=1e-12)


def test_test_mode_ignores_the_batch(rng):
    param, ones, zeros = {"mode": "train"}, np.ones(3), np.zeros(3)
    for _ in range(5):
        switchnorm_forward(2 * rng.standard_normal((4, 3, 5)) + 1, ones, zeros, zeros, zeros, param)
    param["mode"] = "test"
    x = rng.standard_normal((4, 3, 5))
    out, _ = switchnorm_forward(x, ones, zeros, zeros, zeros, param)
    alone, _ = switchnorm_forward(x[:1], ones, zeros, zeros, zeros, param)
    assert alone[0] == pytest.approx(out[0], abs=1e-14)


def test_training_finds_the_useful_statistics(rng):
    """Where the wanted output is instance norm's, gradient steps on the weights alone go there."""
    x = rng.standard_normal((6, 4, 8)) * rng.uniform(0.2, 3, (6, 4, 1)) + 3 * rng.standard_normal((6, 4, 1))
    gamma, beta = np.ones(4), np.zeros(4)
    wanted, _ = instancenorm_forward(x, gamma, beta, {})
    w_mean, w_var = np.zeros(3), np.zeros(3)
    for _ in range(300):
        out, cache = switchnorm_forward(x, gamma, beta, w_mean, w_var, {"mode": "train"})
        *_, dw_mean, dw_var = switchnorm_backward(2 * (out - wanted) / x.size, cache)
        w_mean, w_var = w_mean - 2.0 * dw_mean, w_var - 2.0 * dw_var
    assert np.argmax(w_mean) == np.argmax(w_var) == 0
    softmaxed = np.exp(w_mean) / np.exp(w_mean).sum()
    assert softmaxed[0] > 0.9


def test_float32_and_an_empty_batch(rng):
    x = (rng.standard_normal((8, 4, 6, 6)) + 100).astype(np.float32)
    single = [a.astype(np.float32) for a in (np.ones(4), np.zeros(4), np.zeros(3), np.zeros(3))]
    out, cache = switchnorm_forward(x, *single, {"mode": "train"})
    exact, _ = switchnorm_forward(x.astype(np.float64), *(a.astype(np.float64) for a in single), {"mode": "train"})
    assert out.dtype == np.float32
    assert np.abs(out - exact).max() < 1e-4
    assert all(gradient.dtype == np.float32 for gradient in switchnorm_backward(out, cache))
    empty, cache = switchnorm_forward(x[:0], *single, {"mode": "train"})
    assert switchnorm_backward(empty, cache)[0].shape == (0, 4, 6, 6)


def test_messages():
    x = np.zeros((2, 3, 4))
    for arguments, text in [
        ((x[0], 1.0, 0.0, W_MEAN, W_VAR), "switchnorm: x must be (N, C, ...), got (3, 4)."),
        (
            (x, 1.0, 0.0, W_MEAN, W_VAR[:2]),
            "switchnorm: w_mean and w_var must be (3,): instance, layer, batch; got (3,) and (2,).",
        ),
        (
            (x, np.ones(4), 0.0, W_MEAN, W_VAR),
            "switchnorm: x (2, 3, 4) has 3 channels, so gamma must be (3,), got (4,).",
        ),
    ]:
        with pytest.raises(DataError) as caught:
            switchable_norm(*arguments)
        assert str(caught.value) == text
