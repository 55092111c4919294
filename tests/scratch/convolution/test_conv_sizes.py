"""Sizes, parameters, and what is said when something does not fit."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.convolution.loops import conv_forward_naive
from pellucid.scratch.convolution.size import (
    conv_parameters,
    conv_window,
    effective_size,
    output_size,
    transposed_size,
)


def test_the_notes_sizes():
    assert output_size(7, 3, 1) == 5
    assert output_size(7, 3, 2) == 3
    assert output_size(32, 5, pad=2) == 32
    assert output_size(32, 5) == 28
    assert output_size(output_size(32, 3), 3) == 28  # two 3 x 3 shrink as much as one 5 x 5
    assert output_size(227, 11, 4) == 55


def test_windows_that_do_not_fit_are_refused_or_cut():
    assert output_size(7, 3, 3) == 2
    with pytest.raises(DataError) as refused:
        output_size(7, 3, 3, strict=True)
    assert str(refused.value) == (
        "convolution: (7 - 3 + 2·0) / 3 + 1 = 2.33 outputs along the size, no whole number."
        " Change stride or padding, or leave out strict to drop the last 1."
    )


def test_padding_of_half_the_kernel_keeps_the_size():
    for kernel in (1, 3, 5, 7):
        assert output_size(20, kernel, 1, (kernel - 1) // 2) == 20


def test_a_transposed_convolution_undoes_the_size():
    for size in range(5, 12):
        for stride in (1, 2, 3):
            out = output_size(size, 3, stride, 1)
            rest = (size + 2 - 3) % stride
            assert transposed_size(out, 3, stride, 1, 1, rest) == size


def test_parameters_of_ten_filters():
    assert conv_parameters(1, 3, (5, 5)) == 76
    assert conv_parameters(10, 3, (5, 5)) == 760


def test_stacked_small_kernels_have_fewer_weights():
    def weights(c: int, *kernels: tuple[int, int]) -> int:
        return sum(conv_parameters(c, c, kernel) - c for kernel in kernels)

    c = 8
    assert weights(c, (3, 3), (3, 3)) / weights(c, (5, 5)) == 18 / 25 == 0.72
    assert weights(c, (3, 3), (3, 3), (3, 3)) / weights(c, (7, 7)) == 27 / 49
    assert round(27 / 49, 3) == 0.551
    assert weights(c, (1, 3), (3, 1)) == 6 * c**2
    assert weights(c, (3, 3)) == 9 * c**2


def test_the_bottleneck_has_thirteen_thirtysixths_of_the_weights():
    c, narrow = 64, 32
    bottleneck = sum(
        conv_parameters(filters, channels, kernel) - filters
        for filters, channels, kernel in [(narrow, c, (1, 1)), (narrow, narrow, (3, 3)), (c, narrow, (1, 1))]
    )
    assert bottleneck == 3.25 * c**2
    assert round(bottleneck / (conv_parameters(c, c, (3, 3)) - c), 4) == 0.3611


@pytest.mark.parametrize(("kernel", "dilation", "reach"), [(3, 1, 3), (3, 2, 5), (3, 4, 9), (5, 3, 13), (1, 7, 1)])
def test_how_far_a_dilated_kernel_reaches(kernel, dilation, reach):
    assert effective_size(kernel, dilation) == dilation * (kernel - 1) + 1 == reach


X, W, B = np.zeros((2, 3, 8, 9)), np.zeros((4, 3, 3, 3)), np.zeros(4)


@pytest.mark.parametrize(
    ("x", "w", "b", "conv_param", "said"),
    [
        (
            X,
            W[:, :2],
            B,
            {"stride": 1, "pad": 0},
            "convolution: x must be (N, C, H, W) and w (F, C, HH, WW), got x (2, 3, 8, 9) and w (4, 2, 3, 3).",
        ),
        (
            X,
            W,
            B[:3],
            {"stride": 1, "pad": 0},
            "convolution: w (4, 3, 3, 3) has 4 kernels, so b must be (4,), got (3,).",
        ),
        (X, W, B, {"stride": 1}, 'convolution: conv_param must have "stride" and "pad", "pad" is missing.'),
        (
            X,
            W,
            B,
            {"stride": 1, "pad": (1, 1, 1)},
            "convolution: a setting must be one number or (height, width), got (1, 1, 1).",
        ),
        (
            X,
            W,
            B,
            {"stride": 0, "pad": 0},
            "convolution: kernel, stride and dilation must be 1 or more and pad 0 or more, got 3, 0, 1 and 0.",
        ),
        (
            X,
            W,
            B,
            {"stride": 1, "pad": 0, "dilation": (1, 5)},
            "convolution: the kernel reaches over 11 pixels, more than the width 9 with padding 0 has (9)."
            " Take a smaller kernel or more padding.",
        ),
        (
            X,
            W,
            B,
            {"stride": 2, "pad": 0, "strict": True},
            "convolution: (8 - 3 + 2·0) / 2 + 1 = 3.50 outputs along the height, no whole number."
            " Change stride or padding, or leave out strict to drop the last 1.",
        ),
    ],
)
def test_what_is_said(x, w, b, conv_param, said):
    with pytest.raises(DataError) as refused:
        conv_forward_naive(x, w, b, conv_param)
    assert str(refused.value) == said


def test_a_window_knows_both_its_sides():
    window = conv_window(X, W, B, {"stride": (2, 1), "pad": (0, 3), "unknown": 1})
    assert window.out == (3, 13)
    assert window.padded == (8, 15)
