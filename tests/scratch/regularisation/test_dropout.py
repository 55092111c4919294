"""Dropout, by units, channels and weights: worked numbers, the checks of the course, and masks."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array, rel_error
from pellucid.scratch.layers.affine import affine_forward
from pellucid.scratch.losses.softmax import softmax_loss
from pellucid.scratch.regularisation.channel_dropout import channel_dropout_backward, channel_dropout_forward
from pellucid.scratch.regularisation.dropconnect import dropconnect_backward, dropconnect_forward
from pellucid.scratch.regularisation.dropout import (
    dropout_backward,
    dropout_forward,
    vanilla_dropout_backward,
    vanilla_dropout_forward,
)
from pellucid.scratch.regularisation.random_mask import keep_mask

Function = Callable[..., Any]
ALL = [dropout_forward, vanilla_dropout_forward, channel_dropout_forward]


def every_mask(n: int, p: float) -> list[dict[str, Any]]:
    """Settings whose seeds give each of the 2ⁿ masks of n units once."""
    found: dict[tuple[bool, ...], dict[str, Any]] = {}
    for seed in itertools.count():
        param = {"mode": "train", "p": p, "seed": seed}
        found.setdefault(tuple(keep_mask((n,), param).tolist()), param)
        if len(found) == 2**n:
            return list(found.values())
    raise AssertionError


def test_mean_over_all_masks_is_the_output_in_use() -> None:
    """Two inputs (3, 1), weights (2, 5), p = ½: 11 in all, and 5.5 on the average of the four networks."""
    w, x, masks = np.array([2.0, 5.0]), np.array([3.0, 1.0]), every_mask(2, 0.5)
    outputs = sorted(vanilla_dropout_forward(x, param)[0] @ w for param in masks)
    assert outputs == [0, 5, 6, 11]
    in_use = vanilla_dropout_forward(x, {"mode": "test", "p": 0.5})[0] @ w
    assert np.mean(outputs) == in_use == 5.5
    inverted = [dropout_forward(x, param)[0] @ w for param in masks]
    assert np.mean(inverted) == dropout_forward(x, {"mode": "test", "p": 0.5})[0] @ w == 11


def test_behind_a_nonlinearity_the_mean_is_only_near() -> None:
    w, x = np.array([2.0, -5.0]), np.array([3.0, 1.0])
    outputs = [max(0.0, vanilla_dropout_forward(x, param)[0] @ w) for param in every_mask(2, 0.5)]
    in_use = max(0.0, vanilla_dropout_forward(x, {"mode": "test", "p": 0.5})[0] @ w)
    assert (np.mean(outputs), in_use) == (1.75, 0.5)


@pytest.mark.parametrize("p", [0.25, 0.4, 0.7])
@pytest.mark.parametrize("forward", [dropout_forward, vanilla_dropout_forward])
def test_means_in_training_and_in_use_agree(forward: Function, p: float) -> None:
    rng = np.random.default_rng(231)
    x = rng.standard_normal((500, 500)) + 10
    in_training, _ = forward(x, {"mode": "train", "p": p, "rng": rng})
    in_use, _ = forward(x, {"mode": "test", "p": p})
    assert in_training.mean() == pytest.approx(in_use.mean(), rel=0.01)
    assert np.mean(in_training == 0) == pytest.approx(1 - p, abs=0.01)


@pytest.mark.parametrize(
    ("skipped", "p", "mean", "zeros"),
    [
        (0, 0.25, 10.014059116977283, 0.749784),
        (1, 0.4, 9.977917658761159, 0.600796),
        (2, 0.7, 9.987811912159426, 0.30074),
    ],
)
def test_course_values(skipped: int, p: float, mean: float, zeros: float) -> None:
    """As the notebook draws them, from the global state of NumPy, one after the other."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(231)  # noqa: NPY002
        x = np.random.randn(500, 500) + 10  # noqa: NPY002
        np.random.rand(skipped, 500, 500)  # noqa: NPY002
        out, _ = dropout_forward(x, {"mode": "train", "p": p})
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert x.mean() == pytest.approx(10.000207878477502, rel=1e-14)
    assert out.mean() == pytest.approx(mean, rel=1e-14)
    assert np.mean(out == 0) == zeros


def test_course_value_of_a_network() -> None:
    """The first loss of the notebook's three-layer network with p = 0.75 and the seed 123 in both layers."""
    legacy = np.random.RandomState(231)
    h, y = legacy.randn(2, 15), legacy.randint(10, size=2)
    legacy.randn(15 * 20 + 20 * 30 + 30 * 10)  # the weights of its network without dropout
    sizes = [(15, 20), (20, 30), (30, 10)]
    weights = [5e-2 * legacy.randn(*size) for size in sizes]
    for w in weights[:2]:
        h, _ = affine_forward(h, w, np.zeros(w.shape[1]))
        h, _ = dropout_forward(np.maximum(0, h), {"mode": "train", "p": 0.75, "seed": 123})
    assert softmax_loss(h @ weights[2], y)[0] == pytest.approx(2.302371489704412, rel=1e-14)


def test_gradient_as_the_course_checks_it() -> None:
    rng = np.random.default_rng(231)
    x, dout = rng.standard_normal((10, 10)) + 10, rng.standard_normal((10, 10))
    param = {"mode": "train", "p": 0.2, "seed": 123}
    _, cache = dropout_forward(x, param)
    numerical = eval_numerical_gradient_array(lambda xx: dropout_forward(xx, param)[0], x, dout)
    assert rel_error(dropout_backward(dout, cache), numerical) < 1e-9


def test_what_is_kept_is_scaled_and_what_is_dropped_learns_nothing() -> None:
    x = np.arange(1.0, 25).reshape(4, 6)
    out, cache = dropout_forward(x, {"mode": "train", "p": 0.5, "seed": 0})
    kept = out != 0
    assert 0 < kept.sum() < x.size
    assert np.array_equal(out[kept], 2 * x[kept])
    assert np.array_equal(dropout_backward(np.ones_like(x), cache), 2 * kept)


def test_in_use_inverted_dropout_is_the_identity() -> None:
    x = np.arange(6.0).reshape(2, 3)
    out, cache = dropout_forward(x, {"mode": "test", "p": 0.3})
    assert np.array_equal(out, x)
    assert np.array_equal(dropout_backward(x, cache), x)
    out, cache = vanilla_dropout_forward(x, {"mode": "test", "p": 0.3})
    assert np.array_equal(out, 0.3 * x)
    assert np.array_equal(vanilla_dropout_backward(x, cache), 0.3 * x)


def test_with_p_of_one_everything_is_kept() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 2, 2))
    for forward in ALL:
        assert np.array_equal(forward(x, {"mode": "train", "p": 1})[0], x)


def test_variance_that_dropout_adds() -> None:
    """x² (1 - p) / p for an input x."""
    out, _ = dropout_forward(np.full(200_000, 3.0), {"mode": "train", "p": 0.25, "seed": 1})
    assert out.var() == pytest.approx(9 * 3, rel=0.02)


def test_a_seed_repeats_the_mask_and_leaves_the_global_state_alone() -> None:
    x, param = np.ones((5, 5)), {"mode": "train", "p": 0.5, "seed": 3}
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    first, second = dropout_forward(x, param)[0], dropout_forward(x, param)[0]
    assert np.array_equal(first, second)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_a_generator_gives_new_masks_and_the_same_ones_again() -> None:
    x = np.ones((8, 8))

    def two(seed: int) -> list[np.ndarray]:
        param = {"mode": "train", "p": 0.5, "rng": np.random.default_rng(seed)}
        return [dropout_forward(x, param)[0] for _ in range(2)]

    first, second = two(0)
    assert not np.array_equal(first, second)
    assert all(np.array_equal(a, b) for a, b in zip(two(0), (first, second), strict=True))


def test_channels_are_dropped_as_a_whole_and_by_sample() -> None:
    x = np.random.default_rng(1).standard_normal((6, 8, 3, 5)) + 5
    out, cache = channel_dropout_forward(x, {"mode": "train", "p": 0.6, "seed": 2})
    zeros = (out == 0).sum(axis=(2, 3))
    assert set(zeros.ravel().tolist()) == {0, 15}
    kept = zeros == 0
    assert len({tuple(row) for row in kept.tolist()}) > 1  # samples have masks of their own
    assert out[kept] == pytest.approx(x[kept] / 0.6)
    assert np.array_equal(channel_dropout_backward(np.ones_like(x), cache) == 0, out == 0)
    assert np.array_equal(channel_dropout_forward(x, {"mode": "test", "p": 0.6})[0], x)


def test_mean_over_channel_masks_is_the_output_in_use() -> None:
    x, rng = np.ones((2, 3, 2, 2)), np.random.default_rng(2)
    outs = [channel_dropout_forward(x, {"mode": "train", "p": 0.5, "rng": rng})[0] for _ in range(4000)]
    assert np.mean(outs, axis=0) == pytest.approx(x, abs=0.1)


def test_dropconnect_masks_weights_not_units() -> None:
    """With the identity for x the output is the masked weights; rows and columns are neither kept nor dropped whole."""
    w, b = np.ones((20, 30)), np.arange(30.0)
    out, cache = dropconnect_forward(np.eye(20), w, b, {"mode": "train", "p": 0.5, "seed": 0})
    masked = out - b
    assert set(masked.ravel().tolist()) == {0.0, 2.0}
    for axis in (0, 1):
        assert masked.mean(axis=axis).min() > 0
        assert masked.mean(axis=axis).max() < 2
    dw = dropconnect_backward(np.ones((20, 30)), cache)[1]
    assert np.array_equal(dw, masked)  # a weight that was left out learns nothing
    assert np.array_equal(dropconnect_forward(np.eye(20), w, b, {"mode": "test", "p": 0.5})[0], w + b)


def test_dropconnect_gradients_with_a_fixed_mask() -> None:
    rng = np.random.default_rng(3)
    x, w, b = rng.standard_normal((3, 2, 2)), rng.standard_normal((4, 5)), rng.standard_normal(5)
    param, dout = {"mode": "train", "p": 0.7, "seed": 5}, rng.standard_normal((3, 5))
    dx, dw, db = dropconnect_backward(dout, dropconnect_forward(x, w, b, param)[1])
    assert (
        rel_error(dx, eval_numerical_gradient_array(lambda x: dropconnect_forward(x, w, b, param)[0], x, dout)) < 1e-7
    )
    assert (
        rel_error(dw, eval_numerical_gradient_array(lambda w: dropconnect_forward(x, w, b, param)[0], w, dout)) < 1e-7
    )
    assert (
        rel_error(db, eval_numerical_gradient_array(lambda b: dropconnect_forward(x, w, b, param)[0], b, dout)) < 1e-7
    )


def test_mean_over_all_masks_of_weights_is_the_output_in_use() -> None:
    """Four weights, sixteen masks, p = ½."""
    x, w, b = np.array([[3.0, 1.0]]), np.array([[2.0, 1.0], [5.0, -1.0]]), np.array([0.5, 0.0])
    found = {}
    for seed in itertools.count():
        param = {"mode": "train", "p": 0.5, "seed": seed}
        found[keep_mask((2, 2), param).tobytes()] = dropconnect_forward(x, w, b, param)[0]
        if len(found) == 16:
            break
    in_use, _ = dropconnect_forward(x, w, b, {"mode": "test", "p": 0.5})
    assert np.array_equal(np.mean(list(found.values()), axis=0), in_use)


def test_an_empty_batch() -> None:
    param = {"mode": "train", "p": 0.5, "seed": 0}
    for forward in ALL:
        assert forward(np.zeros((0, 3)), param)[0].shape == (0, 3)
    assert dropconnect_forward(np.zeros((0, 3)), np.ones((3, 2)), np.ones(2), param)[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ({"p": 0.5}, "dropout_param needs 'mode', \"train\" or \"test\"; it has 'p'."),
        ({"mode": "train"}, "dropout_param needs 'p', the probability to keep; it has 'mode'."),
        ({}, 'dropout_param needs \'mode\', "train" or "test"; it has nothing.'),
        ({"mode": "eval", "p": 0.5}, "Unknown mode in dropout_param 'eval'. Choose from: test, train."),
        ({"mode": "train", "p": 1.5}, "p in dropout_param is the probability to keep, so in [0, 1], got 1.5."),
        ({"mode": "train", "p": -0.1}, "p in dropout_param is the probability to keep, so in [0, 1], got -0.1."),
    ],
)
def test_wrong_settings(param: dict[str, Any], message: str) -> None:
    x = np.ones((2, 3))
    calls = [lambda forward=forward: forward(x, param) for forward in ALL]
    for call in [*calls, lambda: dropconnect_forward(x, np.ones((3, 2)), np.ones(2), param)]:
        with pytest.raises(ConfigError) as error:
            call()
        assert str(error.value) == message


def test_keeping_nothing_cannot_be_scaled() -> None:
    param = {"mode": "train", "p": 0}
    with pytest.raises(ConfigError) as error:
        dropout_forward(np.ones(3), param)
    assert str(error.value) == (
        "p in dropout_param must be above 0: it is the probability to keep, and with 0 nothing is left."
    )
    assert not vanilla_dropout_forward(np.ones(3), param)[0].any()


def test_channels_need_an_axis() -> None:
    with pytest.raises(DataError) as error:
        channel_dropout_forward(np.ones(3), {"mode": "train", "p": 0.5})
    assert str(error.value) == "Channel dropout needs inputs (N, C, ...), got (3,)."
