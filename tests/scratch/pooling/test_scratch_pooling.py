"""Max and average pooling: the course's numbers, ties, padding, edges and messages."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array, rel_error
from pellucid.scratch.pooling.average import (
    average_pool_backward,
    average_pool_backward_naive,
    average_pool_forward,
    average_pool_forward_naive,
)
from pellucid.scratch.pooling.global_average import global_average_pool_backward, global_average_pool_forward
from pellucid.scratch.pooling.max import (
    max_pool_backward_fast,
    max_pool_backward_naive,
    max_pool_forward_fast,
    max_pool_forward_naive,
    max_pool_positions,
)

TWO = {"pool_height": 2, "pool_width": 2, "stride": 2}
MAX = [(max_pool_forward_naive, max_pool_backward_naive), (max_pool_forward_fast, max_pool_backward_fast)]
AVERAGE = [(average_pool_forward_naive, average_pool_backward_naive), (average_pool_forward, average_pool_backward)]
PAIRS = [*MAX, *AVERAGE]
NAMES = ["max, naive", "max, fast", "average, naive", "average"]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def plane(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)[None, None]


@pytest.mark.parametrize("pair", MAX, ids=["naive", "fast"])
def test_the_courses_numbers(pair: Any) -> None:
    x = np.linspace(-0.3, 0.4, num=2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    out, _ = pair[0](x, {"pool_width": 2, "pool_height": 2, "stride": 2})
    published = [
        [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]],
        [[-0.14526316, -0.13052632], [-0.08631579, -0.07157895]],
        [[-0.02736842, -0.01263158], [0.03157895, 0.04631579]],
        [[0.09052632, 0.10526316], [0.14947368, 0.16421053]],
        [[0.20842105, 0.22315789], [0.26736842, 0.28210526]],
        [[0.32631579, 0.34105263], [0.38526316, 0.4]],
    ]
    assert np.allclose(out, np.reshape(published, (2, 3, 2, 2)), rtol=0, atol=5e-9)


@pytest.mark.parametrize("pair", MAX, ids=["naive", "fast"])
def test_the_courses_gradient_check(pair: Any) -> None:
    generator = np.random.RandomState(231)
    x, dout = generator.randn(3, 2, 8, 8), generator.randn(3, 2, 4, 4)
    _, cache = pair[0](x, TWO)
    numerical = eval_numerical_gradient_array(lambda x: pair[0](x, TWO)[0], x, dout)
    assert rel_error(pair[1](dout, cache), numerical) < 1e-8


@pytest.mark.parametrize(
    ("window", "stride", "pad"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 1), (4, 3, 2), (2, 5, 1)]
)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pytorch_agrees_in_single_precision(
    kind: str, window: int, stride: int, pad: int, rng: np.random.Generator
) -> None:
    forward, backward = MAX[1] if kind == "max" else AVERAGE[1]
    twin: Any = F.max_pool2d if kind == "max" else F.avg_pool2d
    x = np.round(rng.standard_normal((4, 3, 15, 12)), 1).astype(np.float32)  # rounded, so that there are ties
    out, cache = forward(x, {"pool_height": window, "pool_width": window, "stride": stride, "pad": pad})
    tensor = torch.from_numpy(x).requires_grad_()
    theirs = twin(tensor, window, stride, pad)
    dout = rng.standard_normal(out.shape).astype(np.float32)
    (wanted,) = torch.autograd.grad(theirs, tensor, torch.from_numpy(dout))
    assert np.allclose(out, theirs.detach().numpy(), atol=1e-6)
    assert np.allclose(backward(dout, cache), wanted.numpy(), atol=1e-5)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("stride", [(1, 2), (2, 3), (3, 1)])
@pytest.mark.parametrize("pad", [(0, 0), (1, 0), (1, 1)])
@pytest.mark.parametrize("size", [(4, 5), (5, 7), (7, 6)])
def test_pytorch_agrees_on_rests_and_on_settings_for_each_axis(
    ceil: bool, stride: tuple[int, int], pad: tuple[int, int], size: tuple[int, int], rng: np.random.Generator
) -> None:
    x = rng.standard_normal((2, 2, *size))
    param = {"pool_height": 3, "pool_width": 2, "stride": stride, "pad": pad, "ceil": ceil}
    tensor = torch.from_numpy(x)
    wanted = F.max_pool2d(tensor, (3, 2), stride, pad, 1, ceil).numpy()
    assert (max_pool_forward_fast(x, param)[0] == wanted).all()
    for counted in (False, True):
        out, _ = average_pool_forward(x, {**param, "count_include_pad": counted})
        assert np.allclose(out, F.avg_pool2d(tensor, (3, 2), stride, pad, ceil, counted).numpy(), atol=1e-14)


def test_a_rest_gets_its_window_only_if_asked_for() -> None:
    x = plane([1, 2, 3, 4, 9])
    param = {"pool_height": 1, "pool_width": 2, "stride": 2}
    assert max_pool_forward_fast(x, param)[0].tolist() == plane([2, 4]).tolist()
    assert max_pool_forward_fast(x, {**param, "ceil": True})[0].tolist() == plane([2, 4, 9]).tolist()
    assert average_pool_forward(x, {**param, "ceil": True})[0].tolist() == plane([1.5, 3.5, 9]).tolist()


def test_dilated_windows_leave_pixels_out() -> None:
    x = plane([1, 8, 2, 7, 3])
    param = {"pool_height": 1, "pool_width": 2, "stride": 1, "dilation": (1, 2)}
    assert max_pool_forward_fast(x, param)[0].tolist() == plane([2, 8, 3]).tolist()
    assert average_pool_forward(x, param)[0].tolist() == plane([1.5, 7.5, 2.5]).tolist()


def test_the_lectures_picture() -> None:
    x = plane([1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4])
    assert max_pool_forward_fast(x, TWO)[0].tolist() == [[[[6, 8], [3, 4]]]]
    assert average_pool_forward(x, TWO)[0].tolist() == [[[[3.25, 5.25], [2, 2]]]]


@pytest.mark.parametrize("pair", MAX, ids=["naive", "fast"])
def test_the_first_of_equals_gets_the_whole_gradient(pair: Any) -> None:
    x = plane([7, 7, 1, 3], [7, 7, 3, 3])
    _, cache = pair[0](x, TWO)
    assert pair[1](plane([1, 5]), cache).tolist() == plane([1, 0, 0, 5], [0, 0, 0, 0]).tolist()


def test_overlapping_windows_add_their_gradients() -> None:
    x = plane([0, 0, 0], [0, 9, 0], [0, 0, 0])
    _, cache = max_pool_forward_fast(x, {**TWO, "stride": 1})
    dx = max_pool_backward_fast(plane([1, 2], [3, 4]), cache)
    assert dx.tolist() == plane([0, 0, 0], [0, 10, 0], [0, 0, 0]).tolist()


def test_padding_is_never_the_maximum() -> None:
    x = -np.ones((1, 1, 3, 3))
    out, cache = max_pool_forward_fast(x, {"pool_height": 3, "pool_width": 3, "stride": 2, "pad": 1})
    assert out.tolist() == (-np.ones((1, 1, 2, 2))).tolist()
    assert max_pool_backward_fast(np.ones_like(out), cache).sum() == 4


def test_minus_infinity_everywhere_still_has_a_place_for_the_gradient() -> None:
    x = np.full((1, 1, 4, 4), -np.inf)
    param = {"pool_height": 3, "pool_width": 3, "stride": 2, "pad": 1}
    wanted = F.max_pool2d(torch.from_numpy(x), 3, 2, 1, return_indices=True)[1].numpy()
    assert (max_pool_positions(x, param) == wanted).all()


def test_averages_of_a_constant_picture_at_the_border() -> None:
    x, param = np.ones((1, 1, 4, 4)), {"pool_height": 3, "pool_width": 3, "stride": 1, "pad": 1}
    darker, _ = average_pool_forward(x, param)
    same, _ = average_pool_forward(x, {**param, "count_include_pad": False})
    assert np.allclose(darker[0, 0, 0], [4 / 9, 6 / 9, 6 / 9, 4 / 9], atol=1e-15)
    assert (same == 1).all()


@pytest.mark.parametrize(("window", "stride"), [(2, 1), (3, 1), (3, 2), (4, 3), (5, 2), (2, 3)])
def test_same_padding_gives_one_output_a_stride(window: int, stride: int) -> None:
    param = {"pool_height": window, "pool_width": window, "stride": stride, "pad": "same"}
    for height, width in ((1, 8), (5, 6), (7, 9)):
        x = np.ones((1, 1, height, width))
        for forward in (max_pool_forward_fast, average_pool_forward):
            assert forward(x, param)[0].shape == (1, 1, -(-height // stride), -(-width // stride))


def test_same_padding_pads_more_below_and_right() -> None:
    x = plane([1, 2, 3])
    out, _ = average_pool_forward(x, {"pool_height": 1, "pool_width": 2, "stride": 1, "pad": "same"})
    assert out.tolist() == [[[[1.5, 2.5, 1.5]]]]


def test_a_window_over_everything_is_global_pooling(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5))
    whole = {"pool_height": 4, "pool_width": 5, "stride": 1}
    mean, _ = global_average_pool_forward(x)
    assert np.allclose(average_pool_forward(x, whole)[0][:, :, 0, 0], mean, atol=1e-15)
    assert (max_pool_forward_fast(x, whole)[0][:, :, 0, 0] == x.max(axis=(2, 3))).all()


@pytest.mark.parametrize("size", [(1,), (7,), (1, 1), (4, 9), (2, 3, 5)])
def test_global_pooling_takes_any_size(size: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, *size))
    out, cache = global_average_pool_forward(x)
    assert out.shape == (2, 3)
    assert np.allclose(global_average_pool_backward(out, cache).sum(axis=tuple(range(2, x.ndim))), out, atol=1e-15)


def test_pooling_a_shifted_picture_shifts_the_result(rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 2, 8, 8))
    for forward in (max_pool_forward_fast, average_pool_forward):
        whole, shifted = forward(x, TWO)[0], forward(x[:, :, 2:], TWO)[0]
        assert np.allclose(whole[:, :, 1:], shifted, atol=1e-15)


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
@pytest.mark.parametrize("pad", [0, 1, "same"])
def test_an_empty_batch_stays_empty(pair: Any, pad: Any) -> None:
    out, cache = pair[0](np.zeros((0, 3, 5, 4)), {"pool_height": 3, "pool_width": 2, "stride": 2, "pad": pad})
    assert len(out) == 0
    assert out.shape[1] == 3
    assert pair[1](out, cache).shape == (0, 3, 5, 4)
    assert global_average_pool_backward(*global_average_pool_forward(np.zeros((0, 2, 3)))).shape == (0, 2, 3)


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_there_is_nothing_to_learn(pair: Any, rng: np.random.Generator) -> None:
    out, cache = pair[0](rng.standard_normal((1, 2, 4, 4)), TWO)
    gradients = pair[1](out, cache)
    assert isinstance(gradients, np.ndarray)  # dx alone: no weights, no biases


@pytest.mark.parametrize("pair", PAIRS, ids=NAMES)
def test_slices_and_transposed_pictures_are_fine(pair: Any, rng: np.random.Generator) -> None:
    x, param = rng.standard_normal((4, 9, 7, 3)), {"pool_height": 3, "pool_width": 2, "stride": 2, "pad": 1}
    odd = x.transpose(0, 3, 1, 2)[::2]
    out, cache = pair[0](odd, param)
    plain, plain_cache = pair[0](np.ascontiguousarray(odd), param)
    dout = rng.standard_normal((*out.shape[2:], *out.shape[:2])).transpose(2, 3, 0, 1)
    assert (out == plain).all()
    assert (pair[1](dout, cache) == pair[1](np.ascontiguousarray(dout), plain_cache)).all()


@pytest.mark.parametrize(
    ("param", "message"),
    [
        (
            {"pool_height": 2, "pool_width": 2},
            'pooling: pool_param must have "pool_height", "pool_width" and "stride", "stride" is missing.',
        ),
        ({**TWO, "stride": 0}, 'pooling: "stride" must be 1 or more, got 0.'),
        ({**TWO, "pad": 2}, 'pooling: "pad" must be 0 to 1, less than the pool height 2, got 2.'),
        (
            {**TWO, "pool_width": 9},
            "pooling: the pool width 9 is larger than x with its padding, width 7.",
        ),
        ({**TWO, "stride": (2, 0)}, 'pooling: "stride" must be 1 or more, got (2, 0).'),
        ({**TWO, "dilation": 1.5}, 'pooling: "dilation" must be a whole number or (height, width), got 1.5.'),
        (
            {**TWO, "pad": (0, 1, 2)},
            'pooling: "pad" must be a whole number or (height, width), got (0, 1, 2).',
        ),
        (
            {**TWO, "pad": 6, "dilation": 8},
            "pooling: along the height 6 a window of 2 places, 8 apart, holds padding alone."
            ' Make "pad" or "dilation" smaller.',
        ),
        (
            {**TWO, "strict": True},
            'pooling: width 7 less the window 2 is 5, no multiple of the stride 2. Change the window, "stride" or'
            ' "pad", or leave out "strict" to drop the last 1.',
        ),
    ],
)
def test_settings_that_do_not_fit(param: dict[str, Any], message: str) -> None:
    for forward in (max_pool_forward_naive, max_pool_forward_fast, average_pool_forward):
        with pytest.raises(DataError) as raised:
            forward(np.zeros((1, 2, 6, 7)), param)
        assert str(raised.value) == message


def test_strict_lets_pass_what_fits() -> None:
    out, _ = max_pool_forward_fast(np.zeros((1, 2, 6, 8)), {**TWO, "strict": True})
    assert out.shape == (1, 2, 3, 4)


def test_other_wrong_inputs() -> None:
    with pytest.raises(
        ConfigError, match=r"^Unknown padding 'sane'\. Did you mean 'same'\? Choose from: same, valid\.$"
    ):
        max_pool_forward_fast(np.zeros((1, 1, 4, 4)), {**TWO, "pad": "sane"})
    with pytest.raises(DataError, match=r"^pooling: x must be \(N, C, H, W\), got \(3, 4\)\.$"):
        average_pool_forward(np.zeros((3, 4)), TWO)
    with pytest.raises(DataError, match=r"with at least one position, got \(2, 3, 0\)\.$"):
        global_average_pool_forward(np.zeros((2, 3, 0)))
