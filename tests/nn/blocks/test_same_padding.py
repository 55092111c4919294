"""SAME padding, by counting how many taps lie inside the picture: a filter of ones over a picture of ones."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.nn.blocks.same_padding import SameConv2d, same_conv, same_padding


def taps_inside(size: tuple[int, int], kernel: int, stride: int) -> list[list[int]]:
    conv = SameConv2d(1, 1, kernel, stride, bias=False)
    nn.init.ones_(conv.weight)
    with torch.no_grad():
        return conv(torch.ones(1, 1, *size))[0, 0].int().tolist()


def test_an_even_picture_is_padded_below_and_to_the_right_alone() -> None:
    assert taps_inside((4, 4), 3, 2) == [[9, 6], [6, 4]]  # torch's padding=1 would give [[4, 6], [6, 9]]


def test_an_odd_picture_is_padded_on_both_sides() -> None:
    assert taps_inside((5, 5), 3, 2) == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_each_side_is_padded_for_itself() -> None:
    assert taps_inside((4, 5), 3, 2) == [[6, 9, 6], [4, 6, 4]]


def test_five_taps_need_one_row_before_and_two_after() -> None:
    assert same_padding(6, 5, 2) == (1, 2)
    assert taps_inside((6, 1), 5, 2) == [[4], [5], [3]]


@pytest.mark.parametrize("size", range(1, 20))
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2), (2, 3)])
def test_the_output_has_the_side_over_the_stride_rounded_up(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert 0 <= after - before <= 1
    out = F.conv1d(torch.zeros(1, 1, size + before + after), torch.zeros(1, 1, kernel), stride=stride)
    assert out.shape[2] == math.ceil(size / stride)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_at_stride_one_it_is_an_ordinary_convolution(kernel: int) -> None:
    plain = same_conv(4, 6, kernel, groups=2)
    assert type(plain) is nn.Conv2d and type(same_conv(4, 6, kernel, stride=2)) is SameConv2d
    same = SameConv2d(4, 6, kernel, groups=2)
    same.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 7, 6)
    torch.testing.assert_close(same(x), plain(x))


def test_groups_and_bias_are_those_of_a_convolution_on_the_padded_picture() -> None:
    conv, x = SameConv2d(4, 8, 3, 2, groups=4), torch.randn(2, 4, 6, 9)
    padded = F.pad(x, (1, 1, 0, 1))
    torch.testing.assert_close(conv(x), F.conv2d(padded, conv.weight, conv.bias, 2, groups=4))


def test_the_layout_of_memory_is_kept() -> None:
    x = torch.randn(2, 4, 6, 6).contiguous(memory_format=torch.channels_last)
    conv = SameConv2d(4, 8, 3, 2).to(memory_format=torch.channels_last)
    assert conv(x).is_contiguous(memory_format=torch.channels_last)
