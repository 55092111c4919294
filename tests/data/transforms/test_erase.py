"""Random erasing: areas, ratios and places by the paper's algorithm, and what is painted."""

import numpy as np
import pytest
import torch

from pellucid.core.seed import generator
from pellucid.data.transforms import Erase


def pictures(n: int, h: int = 40, w: int = 50, c: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 100, (n, c, h, w), dtype=np.uint8))


def erased(transform: Erase, image: torch.Tensor) -> torch.Tensor:
    """(N, H, W) bool: where, told by the mask."""
    batch = {"image": image, "mask": torch.zeros(image.shape[0], *image.shape[2:], dtype=torch.uint8)}
    return transform(batch, generator(0, "t"))["mask"] == 255


def test_areas_and_ratios_cover_what_the_paper_says():
    where = erased(Erase(1.0), pictures(3000, 60, 60, 1))
    heights, widths = where.any(2).sum(1).double(), where.any(1).sum(1).double()
    assert torch.equal(where.sum((1, 2)).double(), heights * widths)  # one whole rectangle
    areas, ratios = heights * widths / 3600, heights / widths
    assert areas.min() > 0.015 and areas.max() < 0.41
    assert areas.min() < 0.03 and areas.max() > 0.37
    assert ratios.min() > 0.26 and ratios.max() < 3.9
    assert ratios.log().mean().abs() < 0.05  # taller and wider alike
    assert areas.mean() == pytest.approx(0.2, abs=0.015)  # a little lower: large flat ones do not fit


def test_every_place_is_reached_alike_from_left_and_right():
    share = erased(Erase(1.0), pictures(4000, 20, 20, 1)).double().mean(0)
    assert (share > 0.005).all()
    assert (share - share.flip(1)).abs().max() < 0.06
    assert (share - share.flip(0)).abs().max() < 0.06


@pytest.mark.parametrize(("p", "low", "high"), [(0.0, 0, 0), (0.3, 0.25, 0.35), (1.0, 1, 1)])
def test_so_many_pictures_are_erased(p, low, high):
    chosen = erased(Erase(p), pictures(2000, 20, 20, 1)).any(2).any(1)
    assert low <= chosen.double().mean() <= high


def test_only_the_rectangle_is_painted():
    image = pictures(50)
    for fill in ("noise", "mean", 255, 0):
        transform = Erase(1.0, fill=fill)
        batch = {"image": image, "mask": torch.ones(50, 40, 50, dtype=torch.int64)}
        found = transform(batch, generator(0, "t"))
        hidden = found["mask"] == 255
        kept = ~hidden[:, None].expand_as(image)
        assert torch.equal(found["image"][kept], image[kept])
        inside = found["image"].permute(0, 2, 3, 1)[hidden].double()
        if fill == "noise":
            assert inside.mean() == pytest.approx(127.5, abs=2)
            assert inside.std() == pytest.approx(np.sqrt((256**2 - 1) / 12), rel=0.02)
        elif fill == "mean":
            expected = image.double().mean((2, 3)).round()[:, None, None].expand(50, 40, 50, 3)[hidden]
            assert torch.equal(inside, expected)
        else:
            assert (inside == fill).all()


def test_what_never_fits_is_left_whole():
    """A rectangle ten times as tall as wide, of nine tenths of the area, fits into no square."""
    impossible = Erase(1.0, area=(0.9, 0.9), aspect=(10.0, 10.0))
    image = pictures(20)
    assert torch.equal(impossible({"image": image}, generator(0, "t"))["image"], image)


def test_boxes_and_keypoints_stay():
    batch = {
        "image": pictures(2),
        "boxes_xyxy": torch.rand(2, 3, 4),
        "keypoints": torch.rand(2, 3, 1, 3),
    }
    found = Erase(1.0)(batch, generator(0, "t"))
    assert torch.equal(found["boxes_xyxy"], batch["boxes_xyxy"])
    assert torch.equal(found["keypoints"], batch["keypoints"])
