"""Every way to compute a convolution gives the same, for all settings, and the course's own numbers."""

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array, rel_error
from pellucid.scratch.convolution.blocked import conv_backward_blocked, conv_forward_blocked
from pellucid.scratch.convolution.dilated import (
    conv_backward_dilated,
    conv_backward_holes,
    conv_forward_dilated,
    conv_forward_holes,
    with_holes,
)
from pellucid.scratch.convolution.fast import conv_backward_fast, conv_forward_fast
from pellucid.scratch.convolution.fft import conv_backward_fft, conv_forward_fft
from pellucid.scratch.convolution.grouped import conv_backward_grouped, conv_forward_grouped
from pellucid.scratch.convolution.im2col import col2im, conv_backward_im2col, conv_forward_im2col, im2col
from pellucid.scratch.convolution.loops import conv_backward_naive, conv_forward_naive
from pellucid.scratch.convolution.matrix import conv_backward_matrix, conv_forward_matrix
from pellucid.scratch.convolution.size import conv_window
from pellucid.scratch.convolution.winograd import conv_backward_winograd, conv_forward_winograd

WAYS = {
    "loops": (conv_forward_naive, conv_backward_naive),
    "im2col": (conv_forward_im2col, conv_backward_im2col),
    "blocked": (conv_forward_blocked, conv_backward_blocked),
    "fast": (conv_forward_fast, conv_backward_fast),
    "fft": (conv_forward_fft, conv_backward_fft),
    "dilated": (conv_forward_dilated, conv_backward_dilated),
    "holes": (conv_forward_holes, conv_backward_holes),
    "matrix": (conv_forward_matrix, conv_backward_matrix),
}
GRID = list(product((1, 2, 3), (0, 1, (2, 1)), (1, 2, (1, 3)), ((3, 3), (1, 2), (2, 1))))


def both(forward, backward, x, w, b, conv_param, dout):
    out, cache = forward(x, w, b, conv_param)
    return out, *backward(dout, cache)


@pytest.mark.parametrize("way", WAYS)
def test_the_course_values(way):
    x = np.linspace(-0.1, 0.5, num=2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    w = np.linspace(-0.2, 0.3, num=3 * 3 * 4 * 4).reshape(3, 3, 4, 4)
    b = np.linspace(-0.1, 0.2, num=3)
    out, _ = WAYS[way][0](x, w, b, {"stride": 2, "pad": 1})
    correct = [
        [
            [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
            [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
            [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
        ],
        [
            [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
            [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
            [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
        ],
    ]
    assert rel_error(out, np.array(correct)) < 1e-7


def test_the_course_backward(rng):
    x, w, b = rng.standard_normal((4, 3, 5, 5)), rng.standard_normal((2, 3, 3, 3)), rng.standard_normal(2)
    dout, conv_param = rng.standard_normal((4, 2, 5, 5)), {"stride": 1, "pad": 1}
    _, cache = conv_forward_naive(x, w, b, conv_param)
    dx, dw, db = conv_backward_naive(dout, cache)
    assert (
        rel_error(dx, eval_numerical_gradient_array(lambda x: conv_forward_fast(x, w, b, conv_param)[0], x, dout))
        < 1e-7
    )
    assert (
        rel_error(dw, eval_numerical_gradient_array(lambda w: conv_forward_fast(x, w, b, conv_param)[0], w, dout))
        < 1e-7
    )
    assert (
        rel_error(db, eval_numerical_gradient_array(lambda b: conv_forward_fast(x, w, b, conv_param)[0], b, dout))
        < 1e-7
    )


@pytest.mark.parametrize("way", WAYS)
def test_as_pytorch_over_a_grid_of_settings(way, rng):
    for stride, pad, dilation, kernel in GRID:
        x, w, b = (rng.standard_normal(shape) for shape in ((2, 3, 8, 7), (2, 3, *kernel), (2,)))
        tensors = [torch.from_numpy(array).requires_grad_() for array in (x, w, b)]
        theirs = F.conv2d(*tensors, stride, pad, dilation)
        dout = rng.standard_normal(tuple(theirs.shape))
        gradients = torch.autograd.grad(theirs, tensors, torch.from_numpy(dout))
        ours = both(*WAYS[way], x, w, b, {"stride": stride, "pad": pad, "dilation": dilation}, dout)
        for a, z in zip(ours, (theirs, *gradients), strict=True):
            np.testing.assert_allclose(a, z.detach().numpy(), atol=1e-8, rtol=0)


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_groups_as_pytorch(groups, rng):
    x, w, b = (rng.standard_normal(shape) for shape in ((2, 8, 6, 5), (16, 8 // groups, 3, 3), (16,)))
    tensors = [torch.from_numpy(array).requires_grad_() for array in (x, w, b)]
    theirs = F.conv2d(*tensors, 2, 1, 1, groups)
    dout = rng.standard_normal(tuple(theirs.shape))
    gradients = torch.autograd.grad(theirs, tensors, torch.from_numpy(dout))
    conv_param = {"stride": 2, "pad": 1, "groups": groups}
    ours = both(conv_forward_grouped, conv_backward_grouped, x, w, b, conv_param, dout)
    for a, z in zip(ours, (theirs, *gradients), strict=True):
        np.testing.assert_allclose(a, z.detach().numpy(), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("x", "w", "stride", "pad"),
    [
        ((9, 16, 13, 7), (5, 16, 3, 3), 1, 1),
        ((3, 17, 6, 34), (4, 17, 3, 5), 1, (0, 2)),
        ((9, 4, 30, 12), (3, 4, 5, 5), 1, 2),
        ((2, 3, 40, 40), (4, 3, 3, 3), 1, 1),
        ((10, 5, 15, 15), (6, 5, 3, 3), 2, 1),
        ((2, 3, 23, 23), (4, 3, 11, 11), 4, 0),
        ((3, 8, 7, 5), (4, 8, 1, 1), 2, 0),
        ((1, 16, 1, 1), (2, 16, 3, 3), 1, 1),
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_fast_is_right_on_layers_of_some_size(x, w, stride, pad, dtype, tolerance, rng):
    arrays = [
        rng.standard_normal(shape).astype(dtype) / scale
        for shape, scale in ((x, 1), (w, np.sqrt(np.prod(w[1:]))), (w[0], 1))
    ]
    arrays = [array.astype(dtype) for array in arrays]
    tensors = [torch.from_numpy(array.astype(np.float64)).requires_grad_() for array in arrays]
    theirs = F.conv2d(*tensors, stride, pad)
    dout = rng.standard_normal(tuple(theirs.shape)).astype(dtype)
    gradients = torch.autograd.grad(theirs, tensors, torch.from_numpy(dout.astype(np.float64)))
    ours = both(conv_forward_fast, conv_backward_fast, *arrays, {"stride": stride, "pad": pad}, dout)
    for a, z in zip(ours, (theirs, *gradients), strict=True):
        assert a.dtype == dtype
        assert np.abs(a - z.detach().numpy()).max() <= tolerance * float(z.detach().abs().max())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("channels", [3, 16])  # fast takes another way for 16
def test_no_pictures(way, channels):
    w, b = np.ones((2, channels, 3, 3)), np.ones(2)
    out, cache = WAYS[way][0](np.ones((0, channels, 6, 5)), w, b, {"stride": 1, "pad": 1})
    dx, dw, db = WAYS[way][1](out, cache)
    assert out.shape == (0, 2, 6, 5)
    assert dx.shape == (0, channels, 6, 5)
    assert not dw.any() and not db.any()


def test_no_pictures_in_groups():
    out, cache = conv_forward_grouped(
        np.ones((0, 4, 5, 5)), np.ones((2, 2, 3, 3)), np.ones(2), {"stride": 1, "pad": 0, "groups": 2}
    )
    dx, dw, db = conv_backward_grouped(out, cache)
    assert out.shape == (0, 2, 3, 3)
    assert dx.shape == (0, 4, 5, 5)
    assert not dw.any() and not db.any()


def test_no_pictures_pointwise():
    out, cache = conv_forward_fast(np.ones((0, 3, 4, 4)), np.ones((2, 3, 1, 1)), np.ones(2), {"stride": 1, "pad": 0})
    assert out.shape == (0, 2, 4, 4)
    assert not conv_backward_fast(out, cache)[1].any()


def test_im2col_of_the_notes():
    """32 x 32 x 3 under six kernels of 5 x 5: a matrix of 75 x 784, and 6 x 784 outputs."""
    x, w, b = np.ones((1, 3, 32, 32)), np.ones((6, 3, 5, 5)), np.zeros(6)
    window = conv_window(x, w, b, {"stride": 1, "pad": 0})
    columns = im2col(x, window)[0]
    assert columns.shape == (75, 784)
    assert (w.reshape(6, 75) @ columns).shape == (6, 784)
    out, _ = conv_forward_im2col(x, w, b, {"stride": 1, "pad": 0})
    assert out.shape == (1, 6, 28, 28)
    assert (out == 75).all()


def test_col2im_is_the_exact_adjoint_of_im2col(rng):
    """With whole numbers both inner products are exact."""
    for stride, pad, dilation, kernel in GRID:
        x = rng.integers(-9, 10, (2, 3, 8, 7)).astype(float)
        window = conv_window(
            x, np.ones((1, 3, *kernel)), np.ones(1), {"stride": stride, "pad": pad, "dilation": dilation}
        )
        columns = im2col(x, window)
        m = rng.integers(-9, 10, columns.shape).astype(float)
        assert np.sum(columns * m) == np.sum(x * col2im(m, window))


def test_a_kernel_with_holes():
    w = np.arange(1.0, 5).reshape(1, 1, 2, 2)
    assert (with_holes(w, (2, 3))[0, 0] == [[1, 0, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]]).all()


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "pad"),
    [((2, 4, 9, 8), (3, 4, 3, 3), 1), ((1, 2, 3, 40), (2, 2, 3, 2), 0), ((9, 1, 33, 5), (1, 1, 3, 1), 0)],
)
def test_winograd_alone(x_shape, w_shape, pad, rng):
    conv_param = {"stride": 1, "pad": pad}
    x, w, b = rng.standard_normal(x_shape), rng.standard_normal(w_shape), rng.standard_normal(w_shape[0])
    out, cache = conv_forward_winograd(x, w, b, conv_param)
    dout = rng.standard_normal(out.shape)
    expected = both(conv_forward_im2col, conv_backward_im2col, x, w, b, conv_param, dout)
    for a, z in zip((out, *conv_backward_winograd(dout, cache)), expected, strict=True):
        np.testing.assert_allclose(a, z, atol=1e-11)


def test_winograd_rounds_little_in_single_precision(rng):
    """64 channels: the error of the output, and of each gradient, is far below 1e-4 of the largest entry."""
    x, w, b = rng.standard_normal((2, 64, 16, 16)), rng.standard_normal((8, 64, 3, 3)) / 24, rng.standard_normal(8)
    dout, conv_param = rng.standard_normal((2, 8, 16, 16)), {"stride": 1, "pad": 1}
    exact = both(conv_forward_im2col, conv_backward_im2col, x, w, b, conv_param, dout)
    single = [array.astype(np.float32) for array in (x, w, b, dout)]
    rounded = both(conv_forward_winograd, conv_backward_winograd, *single[:3], conv_param, single[3])
    for a, z in zip(rounded, exact, strict=True):
        assert np.abs(a - z).max() < 1e-5 * np.abs(z).max()


def test_winograd_says_what_it_cannot_do():
    x, w = np.ones((1, 1, 8, 8)), np.ones((1, 1, 3, 3))
    with pytest.raises(DataError) as refused:
        conv_forward_winograd(x, w, np.ones(1), {"stride": 2, "pad": 1})
    assert str(refused.value) == (
        "Winograd's convolution needs a kernel of 3 rows, stride 1, no dilation and less padding than the kernel is"
        " wide, got kernel (3, 3), stride (2, 2), dilation (1, 1) and padding (1, 1). Use conv_forward_fast, which"
        " takes it where it can."
    )


def test_groups_that_do_not_divide():
    x, b = np.ones((1, 6, 4, 4)), np.ones(4)
    with pytest.raises(DataError, match=r'^grouped convolution: conv_param must have "groups", it is missing\.$'):
        conv_forward_grouped(x, np.ones((4, 3, 3, 3)), b, {"stride": 1, "pad": 0})
    with pytest.raises(DataError) as refused:
        conv_forward_grouped(x, np.ones((4, 2, 3, 3)), b, {"stride": 1, "pad": 0, "groups": 3})
    assert str(refused.value) == "grouped convolution: 3 groups do not divide the 4 kernels of w (4, 2, 3, 3)."
    with pytest.raises(DataError) as refused:
        conv_forward_grouped(x, np.ones((4, 2, 3, 3)), b, {"stride": 1, "pad": 0, "groups": 2})
    assert str(refused.value) == (
        "convolution: x must be (N, C, H, W) and w (F, C / 2, HH, WW), got x (1, 6, 4, 4) and w (4, 2, 3, 3)."
    )


def test_strict_mode_refuses_in_every_way():
    x, w, b = np.ones((1, 1, 7, 7)), np.ones((1, 1, 3, 3)), np.ones(1)
    for forward, _ in WAYS.values():
        with pytest.raises(DataError, match=r"= 2\.33 outputs along the height"):
            forward(x, w, b, {"stride": 3, "pad": 0, "strict": True})
        assert forward(x, w, b, {"stride": 3, "pad": 0})[0].shape == (1, 1, 2, 2)
