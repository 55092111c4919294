"""Transposed convolution: FCN's sizes, checkerboards, the bilinear start, and its kinship with convolution."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.size import transposed_size
from pellucid.scratch.convolution.transposed import (
    bilinear_kernel,
    bilinear_weights,
    conv_transpose_backward,
    conv_transpose_backward_naive,
    conv_transpose_forward,
    conv_transpose_forward_naive,
    overlap_count,
)
from pellucid.scratch.interpolation.bilinear import interpolate_bilinear_forward


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_fcn_32s_takes_7_to_224() -> None:
    assert transposed_size(7, 64, 32, 16) == 6 * 32 + 64 - 2 * 16 == 224
    x = np.full((1, 2, 7, 7), 0.3)
    out, _ = conv_transpose_forward(x, bilinear_weights(2, 64), np.zeros(2), {"stride": 32, "pad": 16})
    assert out.shape == (1, 2, 224, 224)
    inside = out[:, :, 16:-16, 16:-16]  # 16 pixels at each side get one stamp where the others get two
    assert np.allclose(inside, 0.3, atol=1e-14)
    assert out[0, 0, 0, 0] < 0.3


@pytest.mark.parametrize(("k", "stride", "pad"), [(4, 2, 1), (3, 2, 1), (8, 4, 2), (6, 3, 1), (64, 32, 16)])
def test_a_bilinear_kernel_leaves_constants_alone(k: int, stride: int, pad: int) -> None:
    out, _ = conv_transpose_forward(
        np.ones((1, 1, 5, 4)), bilinear_kernel(k)[None, None], np.zeros(1), {"stride": stride, "pad": pad}
    )
    assert np.allclose(out[:, :, stride:-stride, stride:-stride], 1, atol=1e-14)


def test_a_bilinear_kernel_is_bilinear_interpolation(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 5, 6))
    out, _ = conv_transpose_forward(x, bilinear_weights(3, 8), np.zeros(3), {"stride": 4, "pad": 2})
    wanted, _ = interpolate_bilinear_forward(x, scale=4)
    assert out.shape == wanted.shape
    assert np.allclose(out[:, :, 2:-2, 2:-2], wanted[:, :, 2:-2, 2:-2], atol=1e-13)


def test_the_lectures_stamps_overlap_and_add() -> None:
    x, w = np.array([[[[2.0, 3.0]]]]), np.array([[[[1.0, 10.0, 100.0]]]])  # a, b with the kernel x, y, z
    out, _ = conv_transpose_forward(x, w, np.zeros(1), {"stride": 2, "pad": 0})
    assert out.tolist() == [[[[2, 20, 200 + 3, 30, 300]]]]


def test_the_transpose_of_a_convolution_with_padding() -> None:
    """Kernel 1, 2, 3 over 4, 5, 6, 7: the transposed matrix gives six numbers."""
    a, k = np.array([4.0, 5.0, 6.0, 7.0]), np.array([1.0, 2.0, 3.0])
    out, _ = conv_transpose_forward(a[None, None, None], k[None, None, None], np.zeros(1), {"stride": 1, "pad": 0})
    assert out[0, 0, 0].tolist() == [4, 13, 28, 34, 32, 21]


@pytest.mark.parametrize(("k", "stride"), [(k, s) for k in range(1, 9) for s in range(1, 5)])
def test_overlap_is_even_only_if_the_stride_divides_the_kernel(k: int, stride: int) -> None:
    counts = overlap_count((12, 12), (k, k), stride)
    margin = k  # away from the border, where stamps are missing
    inside = counts[margin:-margin, margin:-margin]
    assert (inside.min() == inside.max()) == (k % stride == 0)
    assert counts.sum() == 144 * k * k


def test_the_checkerboard_of_kernel_3_and_stride_2() -> None:
    counts = overlap_count((3, 3), (3, 3), 2)
    line = np.array([1, 1, 2, 1, 2, 1, 1])
    assert (counts == np.outer(line, line)).all()  # up to 4 beside 1


@pytest.mark.parametrize("pad", [0, 1, 2])
def test_stride_1_is_an_ordinary_convolution_with_other_padding(pad: int, rng: np.random.Generator) -> None:
    x, w, b = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((3, 4, 3, 3)), rng.standard_normal(4)
    out, _ = conv_transpose_forward(x, w, b, {"stride": 1, "pad": pad})
    turned = np.ascontiguousarray(w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3))
    plain = F.conv2d(*map(torch.from_numpy, (x, turned, b)), padding=3 - 1 - pad).numpy()
    assert np.allclose(out, plain, atol=1e-13)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1])
def test_it_is_the_adjoint_of_convolution(stride: int, pad: int, rng: np.random.Generator) -> None:
    y, w = rng.standard_normal((2, 3, 9, 9)), rng.standard_normal((4, 3, 2, 2))
    z = F.conv2d(torch.from_numpy(y), torch.from_numpy(w), stride=stride, padding=pad).numpy()
    dz = rng.standard_normal(z.shape)
    left_over = (9 + 2 * pad - 2) % stride  # rows and columns that convolution did not look at
    out, _ = conv_transpose_forward(dz, w, np.zeros(3), {"stride": stride, "pad": pad, "output_padding": left_over})
    assert out.shape == y.shape
    assert np.isclose(np.sum(z * dz), np.sum(y * out), rtol=1e-12)


def test_output_padding_names_one_of_the_sizes_that_give_the_same() -> None:
    for more in (0, 1):
        size = transposed_size(4, 3, 2, 1, output_padding=more)
        assert size == 7 + more
        assert (size + 2 - 3) // 2 + 1 == 4


def test_kernels_larger_than_the_picture_and_empty_batches(rng: np.random.Generator) -> None:
    w, b, param = rng.standard_normal((2, 3, 7, 5)), rng.standard_normal(3), {"stride": 3, "pad": 2}
    x = rng.standard_normal((1, 2, 1, 1))
    out, cache = conv_transpose_forward(x, w, b, param)
    naive, naive_cache = conv_transpose_forward_naive(x, w, b, param)
    assert np.allclose(out, naive, atol=1e-14)
    for ours, theirs in zip(
        conv_transpose_backward(out, cache), conv_transpose_backward_naive(out, naive_cache), strict=True
    ):
        assert np.allclose(ours, theirs, atol=1e-12)
    out, cache = conv_transpose_forward(x[:0], w, b, param)
    dx, dw, db = conv_transpose_backward(out, cache)
    assert out.shape == (0, 3, 3, 1)
    assert dx.shape == (0, 2, 1, 1)
    assert not dw.any()
    assert not db.any()


@pytest.mark.parametrize(
    ("x", "w", "b", "param", "message"),
    [
        (
            (1, 2, 3, 3),
            (3, 2, 2, 2),
            2,
            {"stride": 1, "pad": 0},
            "conv_transpose: x must be (N, C, H, W) and w (C, F, HH, WW), got (1, 2, 3, 3) and (3, 2, 2, 2).",
        ),
        (
            (1, 2, 3, 3),
            (2, 3, 2, 2),
            2,
            {"stride": 1, "pad": 0},
            "conv_transpose: w (2, 3, 2, 2) has 3 outputs, so b must be (3,), got (2,).",
        ),
        (
            (1, 2, 3, 3),
            (2, 3, 2, 2),
            3,
            {"stride": 1},
            'conv_transpose: conv_param must have "stride" and "pad", "pad" is missing.',
        ),
        (
            (1, 2, 3, 3),
            (2, 3, 2, 2),
            3,
            {"stride": 2, "pad": 0, "output_padding": 2},
            'conv_transpose: "stride" must be a whole number from 1, "pad" one from 0 and "output_padding" one from 0'
            " to stride - 1, or two of them for (height, width), got 2, 0 and 2.",
        ),
        (
            (1, 2, 3, 3),
            (2, 3, 2, 2),
            3,
            {"stride": (2, 1), "pad": (0, 1, 0)},
            'conv_transpose: "stride" must be a whole number from 1, "pad" one from 0 and "output_padding" one from 0'
            " to stride - 1, or two of them for (height, width), got (2, 1), (0, 1, 0) and 0.",
        ),
        (
            (1, 2, 1, 3),
            (2, 3, 2, 2),
            3,
            {"stride": 2, "pad": 1},
            'conv_transpose: "pad" 1 leaves 0 x 4 pixels; it must be smaller.',
        ),
    ],
)
def test_wrong_inputs(x: tuple[int, ...], w: tuple[int, ...], b: int, param: dict[str, Any], message: str) -> None:
    for forward in (conv_transpose_forward, conv_transpose_forward_naive):
        with pytest.raises(DataError) as raised:
            forward(np.zeros(x), np.zeros(w), np.zeros(b), param)
        assert str(raised.value) == message
