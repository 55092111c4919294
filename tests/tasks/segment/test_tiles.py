"""Tiles cover every pixel, their weights sum to 1, and what is blended of them equals the untiled answer."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.data.tiles.spans import spans
from pellucid.models.segment.fcn_small import fcn_small
from pellucid.tasks.segment.prediction.strips import resized
from pellucid.tasks.segment.prediction.tiles import tiled


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers(8, 200), st.floats(0, 0.5))
def test_spans_cover_every_pixel_once_in_sum(length: int, tile: int, overlap: float) -> None:
    found = spans(length, tile, overlap)
    assert found[0].start == 0 and found[-1].stop == length
    total = torch.zeros(length)
    for span in found:
        assert 0 < len(span) <= tile and len(span.weights) == len(span)
        assert (span.weights >= 0).all()
        total[span.start : span.stop] += span.weights
    torch.testing.assert_close(total, torch.ones(length))
    for left, right in pairwise(found):
        assert left.start < right.start
        assert left.stop - right.start >= overlap * tile - 1e-3
    if length > tile:
        assert len(found[-1]) > tile / 2 - 1  # no slivers, in which a network would see next to nothing


def test_weights_of_two_tiles_by_hand() -> None:
    """Tiles of 12 that share 6: outermost third nothing, then 1/4 and 3/4, then all of it."""
    left, right = spans(18, 12, 0.5)
    assert (left.start, left.stop, right.start, right.stop) == (0, 12, 6, 18)
    assert left.weights.tolist() == pytest.approx([1.0] * 8 + [0.75, 0.25, 0.0, 0.0])
    assert right.weights.tolist() == pytest.approx([0.0, 0.0, 0.25, 0.75] + [1.0] * 8)
    (only,) = spans(7, 12, 0.5)
    assert only.weights.tolist() == [1.0] * 7


def test_tiles_start_where_strides_do() -> None:
    for tile, grid in ((128, 32), (64, 32), (32, 16), (100, 2), (9, 1)):
        starts = [span.start for span in spans(1000, tile, 0.5)]
        assert all(start % grid == 0 for start in starts), (tile, starts)


class Field(nn.Module):
    """3x3 convolutions with zero padding: sees as many pixels to each side as it has layers."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        widths = [3, *[6] * (layers - 1), 4]
        self.layers = nn.Sequential(*(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


def picture(height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def together(net: nn.Module, image: Tensor, tile: tuple[int, int], overlap: float, pixels: int = 4096) -> Tensor:
    with torch.inference_mode():
        return torch.cat(list(tiled(lambda x: net(x.float() / 255), image, tile, overlap, pixels)), dim=1)


def untiled(net: nn.Module, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return net(image[None].float() / 255)[0]


@pytest.mark.parametrize("size", [(96, 131), (33, 200), (40, 40), (5, 7), (1, 1), (1, 90), (97, 3)])
def test_a_field_smaller_than_the_overlap_gives_the_untiled_logits(size: tuple[int, int]) -> None:
    """Five layers see 5 px to each side, 11 in all; 16 px are shared, of which 5 count for nothing."""
    net, image = Field(5), picture(*size)
    torch.testing.assert_close(together(net, image, (32, 32), 0.5), untiled(net, image), rtol=0, atol=1e-5)
    torch.testing.assert_close(together(net, image, (40, 32), 0.5, 1), untiled(net, image), rtol=0, atol=1e-5)


def test_a_strided_net_gives_the_untiled_logits_too() -> None:
    """Field 71 px (35 to each side) on a grid of 8 px: tiles must begin on it, and share 105 px or more."""
    torch.manual_seed(0)
    net, image = fcn_small(4, 3, (64, 64)).eval(), picture(480, 352)
    torch.testing.assert_close(together(net, image, (256, 224), 0.5), untiled(net, image), rtol=0, atol=1e-4)


def test_without_overlap_seams_would_show() -> None:
    """The same net, cut at hard borders, is wrong there: the tests above would notice."""
    net, image = Field(5), picture(96, 131)
    assert (together(net, image, (32, 32), 0.0) - untiled(net, image)).abs().max() > 1e-3


def test_a_net_that_sees_everything_has_no_steps_at_seams() -> None:
    """Its answer differs from tile to tile, and still changes from row to row by no more than 3 / shared of that."""

    def mean(x: Tensor) -> Tensor:
        return x.float().mean((2, 3), keepdim=True).expand(-1, -1, *x.shape[2:]) / 255

    image = torch.linspace(0, 255, 200).to(torch.uint8)[None, :, None].expand(3, -1, 40).contiguous()
    with torch.inference_mode():
        found = torch.cat(list(tiled(mean, image, (64, 64), 0.5, 4096)), dim=1)
    steps = found.diff(dim=1).abs()
    apart = found.max() - found.min()
    assert apart > 0.5 and steps.max() < 3 / 32 * 0.2


def test_batches_of_tiles_do_not_matter() -> None:
    net, image = Field(3), picture(100, 90)
    one = together(net, image, (32, 24), 0.25, 1)
    torch.testing.assert_close(together(net, image, (32, 24), 0.25, 1 << 20), one, rtol=0, atol=1e-5)


def test_no_more_than_so_many_pixels_at_once() -> None:
    seen: list[tuple[int, ...]] = []

    def net(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape))
        return x.float()

    image = picture(300, 310)
    found = torch.cat(list(tiled(net, image, (64, 64), 0.25, 3 * 64 * 64)), dim=1)
    assert max(n * h * w for n, _, h, w in seen) == 3 * 64 * 64
    assert all(h <= 64 and w <= 64 for _, _, h, w in seen)
    torch.testing.assert_close(found, image.float(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("size", [(50, 70), (13, 20), (7, 200), (1, 1), (21, 33), (22, 33)])
@pytest.mark.parametrize("cuts", [(21,), (1, 20), (5, 1, 7, 8)])
def test_strips_are_resized_as_the_whole_is(size: tuple[int, int], cuts: tuple[int, ...]) -> None:
    whole = torch.randn(3, 21, 33, generator=torch.Generator().manual_seed(2))
    expected = F.interpolate(whole[None], size, mode="bilinear", align_corners=False)[0]
    found = torch.cat(list(resized(whole.split(cuts, dim=1), 21, size)), dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
