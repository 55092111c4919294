"""ResNet's scale jitter in training, and its fifty crops in testing."""

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.canvas import resize
from pellucid.data.transforms import ScaleCrop
from pellucid.data.transforms.test_crops import RESNET_SCALES, many_crops, resnet_scales, ten_crops


def short_sides(found: dict[str, torch.Tensor], canvas: int) -> torch.Tensor:
    """L of each picture: so many pixels of the window's grid are as long as the canvas's shorter side."""
    return canvas / found["canvas_affine"][:, 0, 0].double()


@pytest.mark.parametrize("canvas", [(256, 256), (256, 341), (480, 640)])
def test_a_thousand_draws_cover_the_range_and_lie_inside(canvas):
    """One shape a picture here, so that a thousand L are drawn. They are even over 256..480."""
    n, short = 1000, min(canvas)
    crop = ScaleCrop((224, 224), (256, 480), shapes=n)
    batch = {
        "image": torch.zeros(1, 1, *canvas, dtype=torch.uint8),
        "canvas_affine": torch.eye(2, 3).repeat(n, 1, 1),
    }
    drawn = generator(0, "t")
    found = crop.cut(batch, torch.zeros(n, dtype=torch.int64), drawn)
    sides = short_sides(found, short)
    tolerance = sides * 0.5 / (224 * short / sides)  # half a pixel of the part
    assert (sides >= 256 - 1e-3).all() and (sides <= 480 + 1e-3).all()
    assert sides.min() < 258 + tolerance.max() and sides.max() > 476
    counts = np.histogram(sides.numpy(), bins=8, range=(255, 481))[0]
    assert counts.min() > 85 and counts.max() < 170
    left, top = found["canvas_affine"][:, 0, 2], found["canvas_affine"][:, 1, 2]
    part = 224 * short / sides
    assert left.min() >= 0 and top.min() >= 0
    assert (left + part).max() <= canvas[1] + 1e-3 and (top + part).max() <= canvas[0] + 1e-3
    assert (left + part > canvas[1] - 8).any() and (left < 8).any()


def test_the_window_is_the_resized_pictures_window():
    """At L where nothing is rounded the crop equals a window of the whole picture resized, but for the window's rim."""
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 60, 80), dtype=np.uint8))
    image = resize(resize(image, (15, 20)), (60, 80))  # smooth: so that the rims alone can differ
    batch = {"image": image, "canvas_affine": torch.eye(2, 3).repeat(4, 1, 1)}
    found = ScaleCrop((40, 40), (120, 120))(batch, generator(0, "t"))
    whole = resize(image, (120, 160))
    for k in range(4):
        assert found["canvas_affine"][k, 0, 0] == 0.5
        left, top = (round(float(value) * 2) for value in found["canvas_affine"][k, :, 2])
        expected = whole[k, :, top + 2 : top + 38, left + 2 : left + 38]
        assert (found["image"][k, :, 2:-2, 2:-2].int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("short", [(223, 480), (480, 256), (0, 0)])
def test_a_picture_must_hold_the_window(short):
    with pytest.raises(ConfigError, match=r"short_side must be two numbers from 224 \(the window\) up, the smaller"):
        ScaleCrop((224, 224), short)


# ----------------------------------------------------------------------------------------------------- ten and fifty


def test_ten_crops_are_corners_middle_and_mirror_images():
    image = torch.arange(2 * 3 * 7 * 9, dtype=torch.uint8).view(2, 3, 7, 9)
    crops = ten_crops(image, (4, 5))
    assert crops.shape == (2, 10, 3, 4, 5)
    assert torch.equal(crops[:, 0], image[:, :, :4, :5])
    assert torch.equal(crops[:, 1], image[:, :, :4, 4:])
    assert torch.equal(crops[:, 2], image[:, :, 3:, :5])
    assert torch.equal(crops[:, 3], image[:, :, 3:, 4:])
    assert torch.equal(crops[:, 4], image[:, :, 1:5, 2:7])
    for i in range(5):
        assert torch.equal(crops[:, i + 5], crops[:, i].flip(3))


@pytest.mark.parametrize("canvas", [(256, 256), (256, 300)])
def test_the_resnet_recipe_has_fifty_crops(canvas):
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, *canvas), dtype=np.uint8))
    parts = list(many_crops(image, (224, 224), RESNET_SCALES))
    assert sum(part.shape[1] for part in parts) == 50
    for scale, part in zip(RESNET_SCALES, parts, strict=True):
        assert part.shape == (1, 10, 3, 224, 224)
        assert part.dtype is torch.uint8
        shape = (scale, round(canvas[1] * scale / canvas[0]))
        whole = image if shape == canvas else resize(image, shape)
        assert torch.equal(part[:, 3], whole[:, :, -224:, -224:])
        assert torch.equal(part[:, 5:], part[:, :5].flip(4))


def test_without_scales_the_canvas_is_taken_as_it_is():
    image = torch.zeros(3, 1, 32, 40, dtype=torch.uint8)
    parts = list(many_crops(image, (28, 28)))
    assert [part.shape for part in parts] == [(3, 10, 1, 28, 28)]
    assert torch.equal(parts[0], ten_crops(image, (28, 28)))


def test_scales_of_other_sizes():
    assert resnet_scales((224, 224)) == RESNET_SCALES
    assert resnet_scales((28, 28)) == (28, 32, 48, 60, 80)
    assert min(resnet_scales((227, 300))) == 227


def test_crops_that_do_not_fit():
    image = torch.zeros(1, 3, 20, 30, dtype=torch.uint8)
    with pytest.raises(ConfigError, match="from 1x1 to 20x30 pixels, the size of the pictures, got 24x24"):
        ten_crops(image, (24, 24))
    with pytest.raises(ConfigError, match="At scale 16 the pictures are 16x24 pixels, which holds no crop of 20x20"):
        list(many_crops(image, (20, 20), (32, 16)))
