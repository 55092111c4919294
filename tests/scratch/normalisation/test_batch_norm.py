"""Batch norm by hand: the course's checks, three ways back, two samples, identity, edges, messages."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_backward_alt, batchnorm_forward
from pellucid.scratch.normalisation.columns import TABLE
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.normalisation.two_sample import (
    two_sample_backward,
    two_sample_forward,
    two_sample_variance_gradient,
)

PLACES = (0, 2, 3)


def hidden(rng, n=200, weights=None):
    """The input of the course's check: (n, 3) activations of a small ReLU net."""
    first, second = weights or (rng.randn(50, 60), rng.randn(60, 3))
    return np.maximum(0, rng.randn(n, 50) @ first) @ second


def test_course_training():
    rng = np.random.RandomState(231)
    x = rng.randn(200, 50)
    a = np.maximum(0, x @ rng.randn(50, 60)) @ rng.randn(60, 3)
    assert a.std(0) == pytest.approx([27.18502186, 34.21455511, 37.68611762])  # the notebook's input, then
    out, _ = batchnorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train"})
    assert out.mean(0) == pytest.approx([0, 0, 0], abs=1e-15)
    assert out.std(0) == pytest.approx([0.99999999, 1, 1], abs=1e-8)
    out, _ = batchnorm_forward(a, np.array([1.0, 2, 3]), np.array([11.0, 12, 13]), {"mode": "train"})
    assert out.mean(0) == pytest.approx([11, 12, 13])
    assert out.std(0) == pytest.approx([0.99999999, 1.99999999, 2.99999999], abs=1e-8)


def test_course_test_time():
    rng = np.random.RandomState(231)
    weights = rng.randn(50, 60), rng.randn(60, 3)
    param = {"mode": "train"}
    for _ in range(50):
        batchnorm_forward(hidden(rng, weights=weights), np.ones(3), np.zeros(3), param)
    param["mode"] = "test"
    out, _ = batchnorm_forward(hidden(rng, weights=weights), np.ones(3), np.zeros(3), param)
    assert out.mean(0) == pytest.approx([-0.03927354, -0.04349152, -0.10452688], abs=1e-8)
    assert out.std(0) == pytest.approx([1.01531428, 1.01238373, 0.97819988], abs=1e-8)


def test_course_spatial():
    rng = np.random.RandomState(231)
    x = 4 * rng.randn(2, 3, 4, 5) + 10
    out, cache = spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), {"mode": "train"})
    assert out.shape == x.shape
    assert cache.mean.size == cache.var.size == 3, "one statistic a channel: 1 x C x 1 x 1"
    assert out.mean(PLACES) == pytest.approx([0, 0, 0], abs=1e-14)
    assert out.std(PLACES) == pytest.approx([0.99999962, 0.99999951, 0.9999996], abs=1e-8)
    out, _ = spatial_batchnorm_forward(x, np.asarray([3, 4, 5]), np.asarray([6, 7, 8]), {"mode": "train"})
    assert out.mean(PLACES) == pytest.approx([6, 7, 8])
    assert out.std(PLACES) == pytest.approx([2.99999885, 3.99999804, 4.99999798], abs=1e-8)


def test_course_spatial_test_time():
    rng, param = np.random.RandomState(231), {"mode": "train"}
    for _ in range(50):
        spatial_batchnorm_forward(2.3 * rng.randn(10, 4, 11, 12) + 13, np.ones(4), np.zeros(4), param)
    param["mode"] = "test"
    out, _ = spatial_batchnorm_forward(2.3 * rng.randn(10, 4, 11, 12) + 13, np.ones(4), np.zeros(4), param)
    assert out.mean(PLACES) == pytest.approx([-0.08034406, 0.07562881, 0.05716371, 0.04378383], abs=1e-8)
    assert out.std(PLACES) == pytest.approx([0.96718744, 1.0299714, 1.02887624, 1.00585577], abs=1e-8)


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("shape", [(1, 4), (2, 1), (7, 5), (100, 50)])
def test_graph_and_formula_agree(rng, mode, shape):
    x, dout = rng.standard_normal((2, *shape))
    _, cache = batchnorm_forward(5 * x + 12, *rng.standard_normal((2, shape[1])), {"mode": mode})
    for by_graph, by_formula in zip(batchnorm_backward(dout, cache), batchnorm_backward_alt(dout, cache), strict=True):
        assert by_graph == pytest.approx(by_formula, rel=1e-9, abs=1e-11)


def test_two_samples_agree_with_both(rng):
    x, dout = rng.standard_normal((2, 2, 4))
    gamma, beta = rng.standard_normal((2, 4))
    out, cache = batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": 0.1})
    y1, y2, small = two_sample_forward(x[0], x[1], gamma, beta, 0.1)
    assert np.stack([y1, y2]) == pytest.approx(out)
    dx1, dx2, dgamma, dbeta = two_sample_backward(dout[0], dout[1], small)
    for way in (batchnorm_backward, batchnorm_backward_alt):
        for found, wanted in zip((np.stack([dx1, dx2]), dgamma, dbeta), way(dout, cache), strict=True):
            assert found == pytest.approx(wanted)


def test_two_samples_worked():
    one = np.ones(1)
    y1, y2, cache = two_sample_forward(1.0 * one, 3.0 * one, 2.0 * one, 0.0 * one, eps=1.0)
    dx1, dx2, _, _ = two_sample_backward(0.7 * one, -0.2 * one, cache)
    assert dx1 == pytest.approx(0.318198, abs=1e-6)
    assert dx2 == pytest.approx(-0.318198, abs=1e-6)
    dvar = two_sample_variance_gradient(0.7 * one, -0.2 * one, cache)
    assert dvar == pytest.approx(0.318198, abs=1e-6), "the way over the variance is not 0 in general"
    assert y1 == -y2


def test_two_samples_without_eps_hand_nothing_back(rng):
    x1, x2, gamma, beta, dy1, dy2 = rng.standard_normal((6, 1000))
    _, _, cache = two_sample_forward(x1, x2, gamma, beta, eps=0.0)
    dx1, dx2, _, _ = two_sample_backward(dy1, dy2, cache)
    assert not np.any(dx1)
    assert not np.any(dx2)
    assert np.all(two_sample_variance_gradient(dy1, dy2, cache)), "the two ways cancel; neither is 0"


def test_gradient_has_nothing_along_a_shift_or_a_stretch(rng):
    x, dout = rng.standard_normal((2, 9, 4))
    _, cache = batchnorm_forward(x, np.ones(4), np.zeros(4), {"mode": "train", "eps": 0.0})
    dx, _, _ = batchnorm_backward(dout, cache)
    assert dx.sum(0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert (dx * x).sum(0) == pytest.approx(np.zeros(4), abs=1e-12)


@pytest.mark.parametrize("forward", [batchnorm_forward, spatial_batchnorm_forward])
def test_identity_is_within_reach(rng, forward):
    x = 3 * rng.standard_normal((8, 5) if forward is batchnorm_forward else (4, 5, 3, 2)) + 7
    axes = tuple(a for a in range(x.ndim) if a != 1)
    gamma, beta = np.sqrt(x.var(axes) + 1e-5), x.mean(axes)
    assert forward(x, gamma, beta, {"mode": "train"})[0] == pytest.approx(x, abs=1e-6)
    rough = forward(x, np.sqrt(x.var(axes)), beta, {"mode": "train", "eps": 1e-9})[0]
    assert rough == pytest.approx(x, abs=1e-6)


def test_spatial_is_batch_norm_of_the_table_of_places(rng):
    x = rng.standard_normal((3, 4, 2, 5))
    gamma, beta = rng.standard_normal((2, 4))
    table, _ = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, 4), gamma, beta, {"mode": "train"})
    out, _ = spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})
    assert out == pytest.approx(table.reshape(3, 2, 5, 4).transpose(0, 3, 1, 2))


def test_one_value_a_channel_gives_beta_and_no_gradient():
    x, beta = np.array([[4.0, -7.0]]), np.array([0.5, 2.0])
    out, cache = batchnorm_forward(x, np.ones(2), beta, {"mode": "train"})
    assert np.array_equal(out[0], beta)
    assert not np.any(batchnorm_backward(np.ones((1, 2)), cache)[0])
    spatial, cache = spatial_batchnorm_forward(x[..., None, None], np.ones(2), beta, {"mode": "train"})
    assert np.array_equal(spatial[0, :, 0, 0], beta)
    assert not np.any(spatial_batchnorm_backward(np.ones((1, 2, 1, 1)), cache)[0])


def test_empty_batch():
    param = {"mode": "train", "running_mean": np.array([1.0, 2.0])}
    for forward, back, shape in (
        (batchnorm_forward, batchnorm_backward, (0, 2)),
        (batchnorm_forward, batchnorm_backward_alt, (0, 2)),
        (spatial_batchnorm_forward, spatial_batchnorm_backward, (0, 2, 3, 3)),
    ):
        out, cache = forward(np.zeros(shape), np.ones(2), np.zeros(2), param)
        dx, dgamma, dbeta = back(out, cache)
        assert out.shape == dx.shape == shape
        assert not np.any(dgamma)
        assert not np.any(dbeta)
    assert np.array_equal(param["running_mean"], [1.0, 2.0]), "nothing was seen"


@pytest.mark.parametrize("mean", [0, 100])
def test_float32_is_close_to_float64(rng, mean):
    x = (rng.standard_normal((64, 8, 16, 16)) + mean).astype(np.float32)
    dout, gamma, beta = (rng.standard_normal(s).astype(np.float32) for s in (x.shape, 8, 8))
    double = [torch.from_numpy(a).double().requires_grad_() for a in (x, gamma, beta)]
    theirs = F.batch_norm(double[0], None, None, *double[1:], True)
    wanted = (theirs.detach(), *torch.autograd.grad(theirs, double, torch.from_numpy(dout).double()))
    out, cache = spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})
    for found, exact in zip((out, *spatial_batchnorm_backward(dout, cache)), wanted, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - exact.numpy()).max() <= 1e-4 * max(1.0, float(exact.abs().max()))
    table = x.transpose(0, 2, 3, 1).reshape(-1, 8)
    flat, cache = batchnorm_forward(table, gamma, beta, {"mode": "train"})
    assert flat.dtype == np.float32
    assert np.abs(flat - theirs.detach().numpy().transpose(0, 2, 3, 1).reshape(-1, 8)).max() <= 1e-4
    exact_dx = wanted[1].numpy().transpose(0, 2, 3, 1).reshape(-1, 8)
    for way in (batchnorm_backward, batchnorm_backward_alt):
        dx, dgamma, dbeta = way(dout.transpose(0, 2, 3, 1).reshape(-1, 8), cache)
        for found, exact in ((dx, exact_dx), (dgamma, wanted[2].numpy()), (dbeta, wanted[3].numpy())):
            assert found.dtype == np.float32
            assert np.abs(found - exact).max() <= 1e-4 * max(1.0, np.abs(exact).max())


def test_a_batch_whose_first_rows_tell_nothing(rng):
    """Sorted by size, as no batch should be: the guess at the mean is wrong by 100 deviations of the first block."""
    x = (rng.standard_normal((20_000, 8)) + np.linspace(-100, 100, 20_000)[:, None]).astype(np.float32)
    assert x.size > 2 * TABLE
    out, _ = batchnorm_forward(x, np.ones(8, np.float32), np.zeros(8, np.float32), {"mode": "train"})
    exact = x.astype(np.float64)
    assert np.abs(out - (exact - exact.mean(0)) / exact.std(0)).max() <= 1e-5


def message(error, call, *arguments):
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


def test_messages():
    x, two, three = np.zeros((4, 3)), np.zeros(2), np.zeros(3)
    train = {"mode": "train"}
    assert message(DataError, batchnorm_forward, x, two, three, train) == (
        "batchnorm: x (4, 3) has 3 features, so gamma must be (3,), got (2,)."
    )
    assert message(DataError, batchnorm_forward, x, three, two, train) == (
        "batchnorm: x (4, 3) has 3 features, so beta must be (3,), got (2,)."
    )
    assert message(DataError, batchnorm_forward, x[None], three, three, train) == (
        "batchnorm: x must be (N, D), got (1, 4, 3). For pictures use spatial_batchnorm_forward."
    )
    assert message(DataError, spatial_batchnorm_forward, x, three, three, train) == (
        "spatial_batchnorm: x must be (N, C, ...), got (4, 3). For (N, D) use batchnorm_forward."
    )
    assert message(DataError, spatial_batchnorm_forward, np.zeros((2, 3, 4, 4)), two, three, train) == (
        "spatial_batchnorm: x (2, 3, 4, 4) has 3 channels, so gamma must be (3,), got (2,)."
    )
    assert message(ConfigError, batchnorm_forward, x, three, three, {}) == (
        "batchnorm: the settings need 'mode', one of: train, test."
    )
    assert message(ConfigError, batchnorm_forward, x, three, three, {"mode": "tran"}) == (
        "Unknown mode 'tran'. Did you mean 'train'? Choose from: test, train."
    )
