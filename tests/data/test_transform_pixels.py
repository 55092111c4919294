"""What each transform does to the pixels, against formulas and independent implementations."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from pellucid.core.seed import generator
from pellucid.data.transforms import (
    Affine,
    Batch,
    CentreCrop,
    Cutout,
    Flip,
    Jitter,
    Noise,
    RandomCrop,
    Shift,
    VFlip,
    Window,
)
from pellucid.data.transforms.geometry.affine import warp, warp_mask

SIZE = (19, 16)


def markers(n: int = 24, size: tuple[int, int] = SIZE, c: int = 3, seed: int = 0, reach: int = 0) -> Batch:
    """`n` pictures, each with a bright pixel (or a square `reach` pixels around it), and everything that marks it."""
    h, w = size
    rng = np.random.default_rng(seed)
    images, masks = np.full((n, h, w, c), 10, np.uint8), np.zeros((n, h, w), np.uint8)
    margin = reach + (reach > 0)  # a square at the very edge would be drawn outwards
    y, x = rng.integers(margin, h - margin, n), rng.integers(margin, w - margin, n)
    for k in range(n):
        square = k, slice(y[k] - reach, y[k] + reach + 1), slice(x[k] - reach, x[k] + reach + 1)
        images[square], masks[square] = 250, 1
    xy = np.stack([x, y], -1).astype(np.float32)
    box = np.concatenate([xy - reach, xy + 1 + reach], -1)
    points = np.concatenate([xy + 0.5, np.full((n, 1), 2, np.float32)], -1)
    return {
        "image": torch.from_numpy(images).permute(0, 3, 1, 2),
        "mask": torch.from_numpy(masks),
        "label": torch.from_numpy(rng.integers(0, 10, n)),
        "index": torch.arange(n),
        "boxes_xyxy": torch.from_numpy(np.stack([box, box * 0], 1)),  # the second box is padding
        "box_label": torch.tensor([[3, -1]]).repeat(n, 1),
        "keypoints": torch.from_numpy(np.stack([points, points * 0], 1))[:, :, None],
        "valid_hw": torch.tensor([[h, w]]).repeat(n, 1),
        "original_hw": torch.tensor([[2 * h, 2 * w]]).repeat(n, 1),
        "canvas_affine": torch.tensor([[[2.0, 0, 0], [0, 2.0, 0]]]).repeat(n, 1, 1),
    }


def test_flipping_twice_is_the_identity_and_flips_are_mirrors():
    batch = markers()
    for flip, axis in ((Flip(1.0), 3), (VFlip(1.0), 2)):
        once = flip(batch, generator(0, "t"))
        assert torch.equal(once["image"], batch["image"].flip(axis))
        twice = flip(once, generator(0, "u"))
        assert all(torch.equal(twice[key], batch[key]) for key in batch)
    _, width = SIZE
    x1, y1, x2, y2 = batch["boxes_xyxy"][:, 0].unbind(-1)
    mirrored = Flip(1.0)(batch, generator(0, "t"))["boxes_xyxy"][:, 0]
    assert torch.equal(mirrored, torch.stack([width - x2, y1, width - x1, y2], -1))


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_each_picture_is_flipped_with_probability_p(p):
    n, trials = 7, 1500
    picture = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(n, 1, 1, 2)
    drawn = generator(0, "t")
    flipped = torch.stack([Flip(p)({"image": picture}, drawn)["image"][:, 0, 0, 0] == 255 for _ in range(trials)])
    error = 4 * math.sqrt(p * (1 - p) / trials)
    assert (flipped.float().mean(0) - p).abs().max() <= error
    assert (flipped.sum(1) - p * n).abs().max() < 1  # and their number is even


def test_shift_draws_edge_pixels_outwards():
    image = torch.randint(0, 256, (30, 3, 11, 9), dtype=torch.uint8, generator=generator(1, "picture"))
    found = Shift(0.3)({"image": image, "canvas_affine": torch.eye(2, 3).repeat(30, 1, 1)}, generator(0, "t"))
    moves = set()
    for before, after, back in zip(image, found["image"], found["canvas_affine"], strict=True):
        dx, dy = back[:, 2].int().tolist()
        padded = np.pad(before.numpy(), ((0, 0), (4, 4), (4, 4)), mode="edge")
        assert np.array_equal(after.numpy(), padded[:, 4 + dy : 15 + dy, 4 + dx : 13 + dx])
        moves.add((dy, dx))
    assert {dy for dy, _ in moves} == set(range(-3, 4))
    assert {dx for _, dx in moves} == set(range(-3, 4))


@pytest.mark.parametrize(
    ("canvas", "shift", "lowest", "highest"), [(12, 1.0, 0, 4), (13, 1.0, 0, 5), (12, 0.125, 1, 3)]
)
def test_window_moves_as_far_as_shift_and_canvas_allow(canvas, shift, lowest, highest):
    batch = {"image": torch.zeros(300, 1, canvas, 8, dtype=torch.uint8)}
    batch["canvas_affine"] = torch.eye(2, 3).repeat(300, 1, 1)
    tops = Window((8, 8), shift)(batch, generator(0, "t"))["canvas_affine"][:, 1, 2]
    assert set(tops.int().tolist()) == set(range(lowest, highest + 1))


def test_centre_crop_is_the_middle():
    image = torch.randint(0, 256, (2, 3, 11, 12), dtype=torch.uint8, generator=generator(2, "picture"))
    found = CentreCrop((4, 5))({"image": image}, generator(0, "t"))["image"]
    assert torch.equal(found, image[:, :, 3:7, 3:8])


def test_random_crop_is_pillows_crop_and_resize():
    image = torch.randint(0, 256, (20, 3, 40, 50), dtype=torch.uint8, generator=generator(3, "picture"))
    batch = {"image": image, "canvas_affine": torch.eye(2, 3).repeat(20, 1, 1)}
    found = RandomCrop((24, 30), (0.1, 1.0))(batch, generator(0, "t"))
    areas, places = [], set()
    for before, after, back in zip(image, found["image"], found["canvas_affine"], strict=True):
        left, top = back[:, 2].tolist()
        width, height = (back[0, 0] * 30).item(), (back[1, 1] * 24).item()
        box = tuple(round(edge) for edge in (left, top, left + width, top + height))
        assert 0 <= box[0] < box[2] <= 50 and 0 <= box[1] < box[3] <= 40
        part = Image.fromarray(before.permute(1, 2, 0).numpy()).crop(box).resize((30, 24), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(part).astype(int) - after.permute(1, 2, 0).numpy()).max() <= 1
        areas.append(width * height / 2000)
        places.add((left, top))
    assert len(places) > 15
    assert len({round(area, 4) for area in areas}) == 8


def test_random_crop_draws_from_its_ranges():
    crop, drawn = RandomCrop((32, 32), (0.2, 0.8), (0.5, 2.0)), generator(0, "t")
    sides = crop._draw_shapes(4000, (200, 200), drawn).double()
    area, aspect = sides.prod(1) / 40000, sides[:, 1] / sides[:, 0]
    assert 0.195 < area.min() < 0.22 and 0.76 < area.max() < 0.805
    assert 0.49 < aspect.min() < 0.53 and 1.9 < aspect.max() < 2.05
    assert abs(aspect.log().mean()) < 0.03  # wide as often as high
    assert (sides <= 200).all()


def test_random_crop_stays_on_the_picture():
    """Beside the padding, places are drawn among those that show picture only, or all of its side."""
    batch = {"image": torch.zeros(50, 1, 20, 20, dtype=torch.uint8), "valid_hw": torch.tensor([[5, 16]]).repeat(50, 1)}
    batch["canvas_affine"] = torch.eye(2, 3).repeat(50, 1, 1)
    found = RandomCrop((10, 10), (0.25, 0.25), (1.0, 1.0))(batch, generator(0, "t"))
    left, top = found["canvas_affine"][..., 2].unbind(1)
    assert set(top.int().tolist()) == {0}
    assert set(left.int().tolist()) == set(range(7))
    assert found["valid_hw"].tolist() == [[5, 10]] * 50


def test_random_crop_of_everything_is_the_identity_and_too_much_is_cut():
    batch = markers()
    found = RandomCrop(SIZE, (1.0, 1.0), (1.0, 1.0))(batch, generator(0, "t"))
    assert all(torch.equal(found[key], batch[key]) for key in batch)
    wide = RandomCrop((8, 8), (1.0, 1.0), (3.0, 3.0))._draw_shapes(5, (20, 20), generator(0, "t"))
    assert wide[:, 1].tolist() == [20] * 5  # no part of this shape is as large: it is limited by the canvas


def test_no_affine_is_the_identity():
    batch = markers()
    found = Affine()(batch, generator(0, "t"))
    assert all(torch.equal(found[key], batch[key]) for key in batch)


def test_a_quarter_turn_is_exact():
    image = torch.randint(0, 256, (2, 3, 12, 12), dtype=torch.uint8, generator=generator(4, "picture"))
    back = torch.tensor([[[0.0, 1, 0], [-1, 0, 12]]]).repeat(2, 1, 1)  # x_old = y, y_old = 12 - x
    assert torch.equal(warp(image, back), image.rot90(-1, (2, 3)))
    assert torch.equal(warp_mask(image[:, 0], back), image[:, 0].rot90(-1, (1, 2)))


def test_stretch_and_shear_come_before_the_turn():
    """So the picture's rows turn by no more than `rotate`, whatever else is done to it."""
    back = Affine(rotate=5, shear=40, stretch=0.5).draw_back(200, (20, 30), generator(0, "t"))
    forward = torch.linalg.inv(back[:, :, :2].double())
    angle = torch.atan2(forward[:, 1, 0], forward[:, 0, 0]) * 180 / math.pi
    assert 4.8 < angle.abs().max() <= 5 + 1e-4


def test_warp_is_scipys_affine_transform():
    image = torch.randint(0, 256, (3, 3, 25, 31), dtype=torch.uint8, generator=generator(5, "picture"))
    back = Affine(30, 15, 0.2).draw_back(3, (25, 31), generator(0, "t"))
    found = warp(image, back)
    for k in range(3):
        linear = back[k, :, :2].flip(0, 1).double().numpy()  # rows and columns instead of x and y
        offset = linear @ [0.5, 0.5] + back[k, :, 2].flip(0).double().numpy() - 0.5  # centres at whole numbers
        for c in range(3):
            pixels = image[k, c].double().numpy()
            expected = ndimage.affine_transform(pixels, linear, offset, order=1, mode="nearest")
            assert np.abs(found[k, c].numpy() - expected).max() < 0.51


def test_warping_there_and_back_is_the_picture():
    y, x = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    smooth = (128 + 60 * torch.sin(x / 9) + 60 * torch.cos(y / 7)).round().to(torch.uint8)[None, None]
    back = Affine(20, 10, 0.1).draw_back(1, (60, 60), generator(3, "t"))
    square = torch.cat([back, torch.tensor([[[0.0, 0, 1]]])], 1)
    again = warp(warp(smooth, back), torch.linalg.inv(square)[:, :2])
    assert (again.int() - smooth.int())[..., 15:45, 15:45].abs().max() <= 3


def test_warped_masks_are_255_where_nothing_was():
    mask = torch.full((1, 20, 20), 254, dtype=torch.uint8)
    back = torch.tensor([[[1.0, 0, 8], [0, 1, 0]]])
    found = warp_mask(mask, back)
    assert (found[:, :, :12] == 254).all() and (found[:, :, 12:] == 255).all()


def test_affine_angles_shears_and_stretches_fill_their_ranges():
    linear = Affine(rotate=30).draw_back(500, (10, 10), generator(0, "t"))[:, :, :2].double()
    angle = torch.atan2(linear[:, 1, 0], linear[:, 0, 0]) * 180 / math.pi
    assert -30 <= angle.min() < -29 and 29 < angle.max() <= 30
    torch.testing.assert_close(torch.linalg.det(linear), torch.ones(500, dtype=torch.float64), rtol=0, atol=1e-6)
    slant = Affine(shear=20).draw_back(500, (10, 10), generator(0, "t"))[:, 0, 1]
    assert 0.95 * math.tan(math.radians(20)) < slant.max() <= math.tan(math.radians(20)) + 1e-6
    linear = Affine(stretch=0.5).draw_back(500, (10, 10), generator(0, "t"))
    ratio = linear[:, 1, 1] / linear[:, 0, 0]
    assert 1.45 < ratio.max() <= 1.5001 and 1 / 1.5001 <= ratio.min() < 0.69


@pytest.mark.parametrize("c", [1, 3])
def test_jitter_of_nothing_is_the_identity(c):
    image = torch.randint(0, 256, (4, c, 9, 7), dtype=torch.uint8, generator=generator(6, "picture"))
    assert torch.equal(Jitter()({"image": image}, generator(0, "t"))["image"], image)


@pytest.mark.parametrize("ranges", [(0.3, 0, 0), (0, 0.3, 0), (0, 0, 0.3), (0.4, 0.5, 0.6)])
def test_jitter_is_brightness_then_contrast_then_saturation(ranges):
    image = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8, generator=generator(0, "picture"))
    drawn = generator(0, "t")
    bright, contrast, saturation = (
        (1 + x * (2 * torch.rand(40, generator=drawn) - 1)).view(-1, 1, 1, 1) for x in ranges
    )

    def grey(pixels: torch.Tensor) -> torch.Tensor:
        return (pixels * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)

    pixels = bright.double() * image
    mean = grey(pixels).mean((2, 3), keepdim=True)
    pixels = mean + contrast * (pixels - mean)
    pixels = grey(pixels) + saturation * (pixels - grey(pixels))
    found = Jitter(*ranges)({"image": image}, generator(0, "t"))["image"]
    assert (found - pixels.clamp(0, 255)).abs().max() < 0.501
    assert len({round(float(f), 3) for f in bright * contrast * saturation}) > 30


def test_jitter_is_clipped_and_grey_has_no_saturation():
    image = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=generator(7, "picture"))
    found = Jitter(1.0, 1.0, 1.0)({"image": image}, generator(0, "t"))["image"]
    assert found.min() == 0 and found.max() == 255  # wrapped values would lie in between
    bright = Jitter(brightness=1.0)({"image": torch.full((50, 1, 4, 4), 250, dtype=torch.uint8)}, generator(0, "t"))
    factors = torch.rand(50, generator=generator(0, "t")) * 2
    assert torch.equal(bright["image"][:, 0, 0, 0], (250 * factors).round().clamp(0, 255).byte())
    grey = torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8, generator=generator(8, "picture"))
    assert torch.equal(Jitter(saturation=0.9)({"image": grey}, generator(0, "t"))["image"], grey)


@pytest.mark.parametrize("std", [1.0, 5.0, 25.0])
def test_noise_has_the_asked_deviation(std):
    image = torch.full((8, 3, 100, 100), 128, dtype=torch.uint8)
    noise = Noise(std)({"image": image}, generator(0, "t"))["image"].double() - 128
    assert abs(noise.std() / std - 1) < 0.02
    assert abs(noise.mean()) < 4 * std / math.sqrt(noise.numel())
    assert abs((noise[:, 0] * noise[:, 1]).mean()) < 0.02 * std**2  # channels are independent


def test_noise_is_clipped_and_none_is_the_identity():
    image = torch.randint(0, 256, (2, 3, 20, 20), dtype=torch.uint8, generator=generator(9, "picture"))
    assert torch.equal(Noise(0.0)({"image": image}, generator(0, "t"))["image"], image)
    dark = Noise(30.0)({"image": torch.zeros(1, 3, 50, 50, dtype=torch.uint8)}, generator(0, "t"))["image"]
    assert abs((dark == 0).double().mean() - 0.5) < 0.03  # half the noise is negative


def test_cutout_blanks_one_square_and_its_mask():
    batch = markers(200, (20, 30))
    found = Cutout(0.5)(batch, generator(0, "t"))
    hidden = found["mask"] == 255
    assert torch.equal(found["image"] == 128, hidden[:, None].expand(-1, 3, -1, -1))
    assert torch.equal(found["image"].where(~hidden[:, None], 0), batch["image"].where(~hidden[:, None], 0))
    rows, columns = hidden.any(2).sum(1), hidden.any(1).sum(1)
    assert torch.equal(rows * columns, hidden.sum((1, 2)))  # filled rectangles
    assert rows.max() == columns.max() == 10 and rows.min() >= 5 and columns.min() >= 5
    assert hidden.float().mean(0).min() > 0  # every pixel has its turn
