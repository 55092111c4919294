"""The pyramid against its definition, and its names against torchvision's."""

import pytest
import torch
from torch.nn import functional as F

from pellucid.models.necks.fpn import FeaturePyramid

WIDTHS = {8: 3, 16: 5, 32: 7}
KINDS = ("weight", "bias")


def maps_of(height: int, width: int) -> dict[int, torch.Tensor]:
    return {s: torch.randn(2, m, -(-height // s), -(-width // s)) for s, m in WIDTHS.items()}


def test_names_are_torchvisions() -> None:
    names = list(FeaturePyramid(WIDTHS, 4, "p6p7").state_dict())
    assert names == [
        *(f"{part}.{i}.0.{each}" for part in ("inner_blocks", "layer_blocks") for i in range(3) for each in KINDS),
        *(f"extra_blocks.{part}.{each}" for part in ("p6", "p7") for each in KINDS),
    ]


def test_sums_from_the_coarsest_down_whatever_the_size() -> None:
    pyramid = FeaturePyramid(WIDTHS, 4)
    maps = maps_of(71, 100)  # odd sizes: 9 x 13, 5 x 7, 3 x 4 cells
    out = pyramid({2: torch.zeros(1), **maps})  # a finer map that nobody asked for
    inner, outer = pyramid.inner_blocks, pyramid.layer_blocks
    p32 = inner[2](maps[32])
    p16 = inner[1](maps[16]) + F.interpolate(p32, size=(5, 7), mode="nearest")
    p8 = inner[0](maps[8]) + F.interpolate(p16, size=(9, 13), mode="nearest")
    assert list(out) == [8, 16, 32]
    for stride, layer, expected in zip(out, outer, (p8, p16, p32), strict=True):
        assert torch.equal(out[stride], layer(expected))


@pytest.mark.parametrize("norm", [False, True])
def test_coarser_maps(norm: bool) -> None:
    maps = maps_of(70, 90)
    pooled = FeaturePyramid(WIDTHS, 4, "pool", norm)
    out = pooled(maps)
    assert list(out) == list(pooled.widths) == [8, 16, 32, 64]
    assert torch.equal(out[64], F.max_pool2d(out[32], 1, 2, 0))
    convolved = FeaturePyramid(WIDTHS, 4, "p6p7", norm)
    out = convolved(maps)
    assert {s: each.shape for s, each in out.items()} == {
        s: (2, 4, -(-70 // s), -(-90 // s)) for s in (8, 16, 32, 64, 128)
    }
    assert torch.equal(out[128], convolved.extra_blocks.p7(out[64].relu()))
    assert all(("bias" in name) == (not norm or ".1." in name or "extra" in name) for name in _biased(convolved))


def _biased(net: torch.nn.Module) -> list[str]:
    return [name for name, _ in net.named_parameters() if not name.endswith("weight")]


def test_every_part_learns() -> None:
    pyramid = FeaturePyramid(WIDTHS, 4, "p6p7")
    sum(each.square().sum() for each in pyramid(maps_of(64, 64)).values()).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in pyramid.parameters())
