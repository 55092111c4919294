"""Running statistics: beside PyTorch under every combination of flags, and what test mode does with them."""

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.normalisation.batch import batchnorm_backward, batchnorm_forward
from pellucid.scratch.normalisation.spatial_batch import spatial_batchnorm_backward, spatial_batchnorm_forward
from pellucid.scratch.normalisation.switchable import switchnorm_forward

KINDS = {
    "1d": (torch.nn.BatchNorm1d, (5, 3)),
    "1d sequences": (torch.nn.BatchNorm1d, (2, 3, 4)),
    "2d": (torch.nn.BatchNorm2d, (2, 3, 2, 3)),
    "3d": (torch.nn.BatchNorm3d, (2, 3, 2, 1, 2)),
}


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("momentum", [0.1, 0.37, None])
@pytest.mark.parametrize("kind", KINDS)
def test_every_flag_beside_pytorch(rng, kind, momentum, track, affine):
    build, shape = KINDS[kind]
    flat = len(shape) == 2
    forward = batchnorm_forward if flat else spatial_batchnorm_forward
    backward = batchnorm_backward if flat else spatial_batchnorm_backward
    for eps in (1e-5, 0.2):
        theirs = build(3, eps=eps, momentum=momentum, affine=affine, track_running_stats=track, dtype=torch.float64)
        gamma, beta = rng.standard_normal((2, 3)) if affine else (np.ones(3), np.zeros(3))
        if affine:
            theirs.load_state_dict({"weight": torch.tensor(gamma), "bias": torch.tensor(beta)}, strict=False)
        param = {"convention": "torch", "eps": eps, "momentum": momentum, "track_running_stats": track}
        for step, mode in enumerate(["train", "train", "train", "test", "test"]):
            x, dout = (step + 1) * rng.standard_normal((2, *shape)) + step
            param["mode"] = mode
            theirs.train(mode == "train")
            tensor = torch.from_numpy(x).requires_grad_()
            wanted = theirs(tensor)
            theirs.zero_grad()
            wanted.backward(torch.from_numpy(dout))
            out, cache = forward(x, gamma, beta, param)
            assert out == pytest.approx(wanted.detach().numpy(), abs=1e-10)
            dx, dgamma, dbeta = backward(dout, cache)
            assert dx == pytest.approx(tensor.grad.numpy(), abs=1e-10)
            if affine:
                assert dgamma == pytest.approx(theirs.weight.grad.numpy(), abs=1e-10)
                assert dbeta == pytest.approx(theirs.bias.grad.numpy(), abs=1e-10)
        if track:
            assert param["running_mean"] == pytest.approx(theirs.running_mean.numpy())
            assert param["running_var"] == pytest.approx(theirs.running_var.numpy())
            assert param["num_batches_tracked"] == int(theirs.num_batches_tracked) == 3
        else:
            assert "running_mean" not in param


def test_course_convention_from_pytorch(rng):
    """The course's momentum 0.9 is PyTorch's 0.1, but for the factor m / (m - 1) and the first variance."""
    course, theirs = {"mode": "train"}, {"mode": "train", "convention": "torch"}
    m = 6
    for _ in range(4):
        x = rng.standard_normal((m, 2))
        for param in (course, theirs):
            batchnorm_forward(x, np.ones(2), np.zeros(2), param)
    assert course["running_mean"] == pytest.approx(theirs["running_mean"])
    assert course["running_var"] == pytest.approx((theirs["running_var"] - 0.9**4) * (m - 1) / m)


def trained(rng):
    """Statistics of ten batches, in test mode."""
    param = {"mode": "train"}
    for _ in range(10):
        spatial_batchnorm_forward(2 * rng.standard_normal((4, 3, 2, 2)) + 5, np.ones(3), np.zeros(3), param)
    return param | {"mode": "test"}


def test_test_mode_is_deterministic_and_ignores_the_batch(rng):
    param = trained(rng)
    before = {name: np.copy(param[name]) for name in ("running_mean", "running_var")}
    x = rng.standard_normal((6, 3, 2, 2))
    out, _ = spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), param)
    again, _ = spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), param)
    assert np.array_equal(out, again), "no random part"
    for n in range(6):
        alone, _ = spatial_batchnorm_forward(x[n : n + 1], np.ones(3), np.zeros(3), param)
        assert np.array_equal(alone[0], out[n])
    assert all(np.array_equal(param[name], value) for name, value in before.items())


def test_test_mode_does_normalise(rng):
    """It is used at inference, too: by the running statistics, which are constants."""
    param = trained(rng)
    x = 2 * rng.standard_normal((50, 3, 4, 4)) + 5
    out, _ = spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), param)
    assert param["running_mean"].shape == param["running_var"].shape == (3,), "a channel, not a sample"
    mean, var = (param[name].reshape(1, 3, 1, 1) for name in ("running_mean", "running_var"))
    assert out == pytest.approx((x - mean) / np.sqrt(var + 1e-5))
    assert np.abs(out - x).max() > 1


def test_statistics_that_were_given_are_not_written_to(rng):
    mine = np.zeros(3)
    param = {"mode": "train", "running_mean": mine}
    batchnorm_forward(rng.standard_normal((4, 3)), np.ones(3), np.zeros(3), param)
    assert not np.any(mine)
    assert np.any(param["running_mean"])


def test_float32_statistics(rng):
    param = {"mode": "train"}
    x = rng.standard_normal((4, 3)).astype(np.float32)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    batchnorm_forward(x, ones, zeros, param)
    assert param["running_mean"].dtype == param["running_var"].dtype == np.float32
    param |= {"mode": "test", "running_mean": np.zeros(3)}  # loaded as float64
    assert batchnorm_forward(x, ones, zeros, param)[0].dtype == np.float32


def test_messages():
    ones = np.ones(3)
    with pytest.raises(DataError) as caught:
        batchnorm_forward(np.zeros((2, 3)), ones, ones, {"mode": "test", "running_var": np.ones(4)})
    assert str(caught.value) == "batchnorm: 3 channels need running_var (3,), got (4,)."
    with pytest.raises(DataError) as caught:
        spatial_batchnorm_forward(np.zeros((1, 3, 1, 1)), ones, ones, {"mode": "train", "convention": "torch"})
    assert str(caught.value) == (
        "spatial_batchnorm: one value a channel has no variance by convention 'torch'. "
        "Use a larger batch, or mode 'test'."
    )
    with pytest.raises(ConfigError) as caught:
        batchnorm_forward(np.zeros((2, 3)), ones, ones, {"mode": "train", "convention": "pytorch"})
    assert str(caught.value) == "Unknown convention 'pytorch'. Did you mean 'torch'? Choose from: course, torch."
    with pytest.raises(ConfigError) as caught:
        switchnorm_forward(np.zeros((2, 3, 2)), ones, ones, ones, ones, {"mode": "eval"})
    assert str(caught.value).startswith("Unknown mode 'eval'.")
