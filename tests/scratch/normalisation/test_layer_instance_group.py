"""Layer, instance and group norm: the course's checks, how they are related, invariances, edges, messages."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_forward
from pellucid.scratch.normalisation.group import (
    spatial_groupnorm_backward,
    spatial_groupnorm_forward,
    spatial_groupnorm_forward_naive,
)
from pellucid.scratch.normalisation.instance import (
    instancenorm_backward,
    instancenorm_forward,
    instancenorm_forward_naive,
)
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward
from pellucid.scratch.normalisation.rows import BLOCK, broadcasting
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.normalisation.switchable import switchable_norm


def test_course_layernorm():
    rng = np.random.RandomState(231)
    x = rng.randn(4, 50)
    a = np.maximum(0, x @ rng.randn(50, 60)) @ rng.randn(60, 3)
    assert a.std(1) == pytest.approx([10.07429373, 28.39478981, 35.28360729, 4.01831507])  # the notebook's input
    out, _ = layernorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train"})
    assert out.mean(1) == pytest.approx(np.zeros(4), abs=1e-14)
    assert out.std(1) == pytest.approx([0.99999995, 0.99999999, 1.0, 0.99999969], abs=1e-8)
    out, _ = layernorm_forward(a, 3 * np.ones(3), 5 * np.ones(3), {})
    assert out.mean(1) == pytest.approx(5 * np.ones(4))
    assert out.std(1) == pytest.approx([2.99999985, 2.99999998, 2.99999999, 2.99999907], abs=1e-8)


def test_course_groupnorm():
    rng = np.random.RandomState(231)
    x = 4 * rng.randn(2, 6, 4, 5) + 10
    gamma, beta = np.ones((1, 6, 1, 1)), np.zeros((1, 6, 1, 1))
    out, cache = spatial_groupnorm_forward(x, gamma, beta, 2, {"mode": "train"})
    groups = out.reshape(4, -1)
    assert groups.mean(1) == pytest.approx(np.zeros(4), abs=1e-14)
    assert groups.std(1) == pytest.approx([0.99999963, 0.99999948, 0.99999973, 0.99999968], abs=1e-8)
    dx, dgamma, dbeta = spatial_groupnorm_backward(x, cache)
    assert dx.shape == x.shape
    assert dgamma.shape == dbeta.shape == (1, 6, 1, 1)


def test_one_group_is_layer_norm_over_everything(rng):
    x, dout = rng.standard_normal((2, 3, 4, 2, 5))
    out, cache = spatial_groupnorm_forward(x, np.ones(4), np.zeros(4), 1, {})
    flat, layer_cache = layernorm_forward(x.reshape(3, -1), np.ones(40), np.zeros(40), {})
    assert out == pytest.approx(flat.reshape(x.shape))
    dx = layernorm_backward(dout.reshape(3, -1), layer_cache)[0]
    assert spatial_groupnorm_backward(dout, cache)[0] == pytest.approx(dx.reshape(x.shape))
    assert out == pytest.approx(F.layer_norm(torch.from_numpy(x), (4, 2, 5)).numpy())


def test_a_group_a_channel_is_instance_norm(rng):
    x, dout = rng.standard_normal((2, 3, 4, 2, 5))
    gamma, beta = rng.standard_normal((2, 4))
    out, cache = spatial_groupnorm_forward(x, gamma, beta, 4, {})
    instance, instance_cache = instancenorm_forward(x, gamma, beta, {})
    assert out == pytest.approx(instance)
    pairs = zip(spatial_groupnorm_backward(dout, cache), instancenorm_backward(dout, instance_cache), strict=True)
    for ours, theirs in pairs:
        assert ours == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("name", "axes"), [("layer", (1, 2, 3)), ("instance", (2, 3)), ("group", (2, 3, 4))], ids=lambda v: str(v)
)
def test_axes(rng, name, axes):
    """Which numbers share a mean and a variance: those over which the output has mean 0 and deviation 1."""
    x = 3 * rng.standard_normal((2, 6, 4, 3)) + np.arange(6).reshape(6, 1, 1)
    if name == "layer":
        out = layernorm_forward(x.reshape(2, -1), np.ones(72), np.zeros(72), {})[0].reshape(x.shape)
    elif name == "instance":
        out = instancenorm_forward(x, np.ones(6), np.zeros(6), {})[0]
    else:
        out = spatial_groupnorm_forward(x, np.ones(6), np.zeros(6), 3, {})[0].reshape(2, 3, 2, 4, 3)
    assert out.mean(axes) == pytest.approx(np.zeros_like(out.mean(axes)), abs=1e-13)
    assert out.std(axes) == pytest.approx(np.ones_like(out.std(axes)), abs=1e-4)


def test_loops_agree(rng):
    x = rng.standard_normal((2, 6, 3, 2))
    gamma, beta = rng.standard_normal((2, 1, 6, 1, 1))
    by_loops = spatial_groupnorm_forward_naive(x, gamma, beta, 3, {})
    assert spatial_groupnorm_forward(x, gamma, beta, 3, {})[0] == pytest.approx(by_loops)
    by_loops = instancenorm_forward_naive(x, gamma.ravel(), beta.ravel(), {})
    assert instancenorm_forward(x, gamma.ravel(), beta.ravel(), {})[0] == pytest.approx(by_loops)


def test_samples_do_not_see_each_other(rng):
    x, dout = rng.standard_normal((2, 5, 4, 3, 3))
    gamma, beta = rng.standard_normal((2, 4))
    out, cache = spatial_groupnorm_forward(x, gamma, beta, 2, {})
    dx, dgamma, _ = spatial_groupnorm_backward(dout, cache)
    total = np.zeros(4)
    for n in range(5):
        alone, cache = spatial_groupnorm_forward(x[n : n + 1], gamma, beta, 2, {})
        dx_alone, dgamma_alone, _ = spatial_groupnorm_backward(dout[n : n + 1], cache)
        assert alone[0] == pytest.approx(out[n])
        assert dx_alone[0] == pytest.approx(dx[n])
        total += dgamma_alone
    assert total == pytest.approx(dgamma)


def test_instance_norm_forgets_brightness_and_contrast(rng):
    x = rng.random((2, 3, 5, 4))
    scale, shift = rng.uniform(0.5, 2, (2, 3, 1, 1)), rng.standard_normal((2, 3, 1, 1))
    one, other = (instancenorm_forward(v, np.ones(3), np.zeros(3), {"eps": 0.0})[0] for v in (x, scale * x + shift))
    assert one == pytest.approx(other)


def test_words_of_a_text_are_samples(rng):
    x, dout = rng.standard_normal((2, 2, 5, 8))
    gamma, beta = rng.standard_normal((2, 8))
    out, cache = layernorm_forward(x, gamma, beta, {})
    rows, rows_cache = layernorm_forward(x.reshape(10, 8), gamma, beta, {})
    assert np.array_equal(out.reshape(10, 8), rows)
    dx, dgamma, _ = layernorm_backward(dout, cache)
    flat, dgamma_flat, _ = layernorm_backward(dout.reshape(10, 8), rows_cache)
    assert np.array_equal(dx.reshape(10, 8), flat)
    assert np.array_equal(dgamma, dgamma_flat)


def test_other_memory_layouts(rng):
    x, dout = rng.standard_normal((2, 3, 4, 6, 5)).transpose(0, 1, 4, 2, 3)
    gamma, beta = rng.standard_normal((2, 5))
    turned = spatial_groupnorm_forward(x, gamma, beta, 5, {})
    plain = spatial_groupnorm_forward(np.ascontiguousarray(x), gamma, beta, 5, {})
    assert turned[0] == pytest.approx(plain[0])
    pairs = zip(spatial_groupnorm_backward(dout, turned[1]), spatial_groupnorm_backward(dout, plain[1]), strict=True)
    for one, other in pairs:
        assert one == pytest.approx(other)
    rows = rng.standard_normal((5, 7)).T
    assert layernorm_forward(rows, gamma, beta, {})[0] == pytest.approx(
        layernorm_forward(rows.copy(), gamma, beta, {})[0]
    )


@pytest.mark.parametrize("mean", [0, 100])
@pytest.mark.parametrize("shape", [(3000, 256), (400, 700)])
def test_layer_norm_in_float32_over_many_blocks(rng, mean, shape):
    assert shape[0] * shape[1] > BLOCK
    d = shape[1]
    x, dout = ((rng.standard_normal(shape) + m).astype(np.float32) for m in (mean, 0))
    gamma, beta = rng.standard_normal((2, d)).astype(np.float32)
    double = [torch.from_numpy(a).double().requires_grad_() for a in (x, gamma, beta)]
    theirs = F.layer_norm(double[0], (d,), double[1], double[2])
    wanted = (theirs.detach(), *torch.autograd.grad(theirs, double, torch.from_numpy(dout).double()))
    out, cache = layernorm_forward(x, gamma, beta, {})
    for found, exact in zip((out, *layernorm_backward(dout, cache)), wanted, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - exact.numpy()).max() <= 1e-4 * max(1.0, float(exact.abs().max()))


def test_numpys_buffer_is_put_back():
    before = np.getbufsize()
    with pytest.raises(ZeroDivisionError), broadcasting(10**4):
        assert np.getbufsize() < before
        _ = 1 / 0
    assert np.getbufsize() == before


def whole(kind):
    return np.arange(36).reshape(2, 3, 3, 2).astype(kind) ** 2 % 41


NORMS = {
    "batch": lambda x, kind: batchnorm_forward(
        x[..., 0, 0], np.arange(1, 4, dtype=kind), np.ones(3, kind), {"mode": "train"}
    ),
    "spatial": lambda x, kind: spatial_batchnorm_forward(
        x, np.arange(1, 4, dtype=kind), np.ones(3, kind), {"mode": "train"}
    ),
    "layer": lambda x, kind: layernorm_forward(x, np.arange(1, 3, dtype=kind), np.ones(2, kind), {}),
    "instance": lambda x, kind: instancenorm_forward(x, np.arange(1, 4, dtype=kind), np.ones(3, kind), {}),
    "group": lambda x, kind: spatial_groupnorm_forward(x, np.arange(1, 4, dtype=kind), np.ones(3, kind), 3, {}),
    "loops": lambda x, kind: (instancenorm_forward_naive(x, np.arange(1, 4, dtype=kind), np.ones(3, kind), {}), None),
    "more loops": lambda x, kind: (spatial_groupnorm_forward_naive(x, np.ones(3, kind), np.ones(3, kind), 3, {}), None),
    "switchable": lambda x, kind: (switchable_norm(x, 2, 1, [0.2, 0.3, 0.5], [0.2, 0.3, 0.5]), None),
}
BACK = {
    "batch": batchnorm_backward,
    "spatial": spatial_batchnorm_backward,
    "layer": layernorm_backward,
    "instance": instancenorm_backward,
    "group": spatial_groupnorm_backward,
}


@pytest.mark.parametrize("name", NORMS)
def test_whole_numbers_are_not_cut_off(rng, name):
    found, cache = NORMS[name](whole(np.int64), np.int64)
    wanted, wanted_cache = NORMS[name](whole(np.float64), np.float64)
    assert found == pytest.approx(wanted)
    if name in BACK:
        dout = rng.standard_normal(found.shape)
        for ours, exact in zip(BACK[name](dout, cache), BACK[name](dout, wanted_cache), strict=True):
            assert ours == pytest.approx(exact)


def test_empty_and_single():
    out, cache = layernorm_forward(np.zeros((0, 4)), np.ones(4), np.zeros(4), {})
    dx, dgamma, _ = layernorm_backward(out, cache)
    assert dx.shape == (0, 4)
    assert not np.any(dgamma)
    out, cache = instancenorm_forward(np.zeros((0, 4, 2, 2)), np.ones(4), np.zeros(4), {})
    assert instancenorm_backward(out, cache)[0].shape == (0, 4, 2, 2)
    out, cache = instancenorm_forward(np.full((2, 3, 1, 1), 9.0), np.ones(3), np.arange(3.0), {})
    assert np.array_equal(out[0, :, 0, 0], [0, 1, 2]), "one place has no variance: beta is left"
    assert not np.any(instancenorm_backward(np.ones((2, 3, 1, 1)), cache)[0])
    out, _ = spatial_groupnorm_forward(np.zeros((0, 4, 2, 2)), np.ones(4), np.zeros(4), 2, {})
    assert out.shape == (0, 4, 2, 2)


def message(call, *arguments):
    with pytest.raises(DataError) as caught:
        call(*arguments)
    return str(caught.value)


def test_messages():
    x, four, six = np.zeros((2, 6, 4, 5)), np.zeros(4), np.zeros(6)
    assert message(spatial_groupnorm_forward, x, six, six, 4, {}) == (
        "spatial_groupnorm: 6 channels do not divide into 4 groups. Choose G from: 1, 2, 3, 6."
    )
    assert message(spatial_groupnorm_forward, x, six, four, 2, {}) == (
        "spatial_groupnorm: x (2, 6, 4, 5) has 6 channels, so beta must be (1, 6, 1, 1) or (6,), got (4,)."
    )
    assert message(spatial_groupnorm_forward, x[0, 0], four, four, 2, {}) == (
        "spatial_groupnorm: x must be (N, C, ...), got (4, 5)."
    )
    assert message(instancenorm_forward, x, four, six, {}) == (
        "instancenorm: x (2, 6, 4, 5) has 6 channels, so gamma must be (6,), got (4,)."
    )
    assert message(instancenorm_forward, x[0, 0], four, four, {}) == (
        "instancenorm: x must be (N, C, ...), got (4, 5)."
    )
    assert message(layernorm_forward, x, four, six, {}) == (
        "layernorm: x (2, 6, 4, 5) has 5 features, so gamma must be (5,), got (4,)."
    )
    assert message(layernorm_forward, np.zeros(()), four, four, {}) == (
        "layernorm: x must be (..., D), got a single number."
    )
