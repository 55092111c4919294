"""What every transform promises, and what each one does to the pixels.

The promises are tried on marker pictures: one bright pixel, a box around it, a keypoint on its middle, a mask on
it. Wherever a transform takes the pixel, the others must be found too.
"""

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.config import AugmentConfig
from pellucid.data.transforms import (
    Affine,
    Batch,
    Blur,
    CentreCrop,
    Compose,
    Cut,
    Cutout,
    Elastic,
    Erase,
    Flip,
    Jitter,
    Noise,
    Radial,
    RandomCrop,
    ScaleCrop,
    Shift,
    Sometimes,
    VFlip,
    Window,
    build,
)

WHOLE = [Flip(0.5), VFlip(0.5), Shift(0.3), CentreCrop((14, 11)), Window((15, 12)), Window((14, 11), 0.1)]
RESAMPLING = [
    RandomCrop((20, 20), (0.3, 1.0)),
    Affine(rotate=25, shear=10, stretch=0.3),
    Affine(shift=0.2),
    ScaleCrop((12, 12), (14, 24)),
    Sometimes(Affine(rotate=25), 0.5),
]
WARPS = [Radial(0.3), Elastic(0.05)]
COLOURS = [Jitter(0.5, 0.5, 0.5), Noise(20.0), Cutout(0.4), Blur(2.0), Erase(0.7), Erase(1.0, fill="mean")]
ALL = WHOLE + RESAMPLING + WARPS + COLOURS
IDS = [repr(t).split("(")[0] + str(k) for k, t in enumerate(ALL)]
EACH = pytest.mark.parametrize("transform", ALL, ids=IDS)
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


def through(affine: torch.Tensor, xy: torch.Tensor) -> torch.Tensor:
    return affine[:, :2] @ xy + affine[:, 2]


# ---------------------------------------------------------------------------------------------- what all promise


@EACH
def test_labels_and_other_entries_are_handed_on(transform):
    batch = markers()
    found = transform(batch, generator(0, "t"))
    assert set(found) == set(batch)
    for key in ("label", "index", "original_hw"):
        assert torch.equal(found[key], batch[key])


@EACH
def test_nothing_that_was_given_is_changed(transform):
    batch = markers()
    before = {key: values.clone() for key, values in batch.items()}
    transform(batch, generator(0, "t"))
    assert all(torch.equal(batch[key], before[key]) for key in batch)


@EACH
def test_same_seed_same_bits_and_another_seed_others(transform):
    batch = markers()
    first, again, other = (transform(batch, generator(0, name)) for name in ("a", "a", "b"))
    assert all(torch.equal(first[key], again[key]) for key in first)
    if not isinstance(transform, CentreCrop):
        assert not torch.equal(first["image"], other["image"])


@EACH
@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("size", [(19, 16), (17, 23)])
def test_shapes_types_and_memory(transform, n, c, size):
    found = transform(markers(n, size, c), generator(0, "t"))
    out = getattr(transform, "size", size)
    assert found["image"].shape == (n, c, *out)
    assert found["mask"].shape == (n, *out)
    assert found["image"].dtype is found["mask"].dtype is torch.uint8
    assert found["image"].is_contiguous(memory_format=torch.channels_last)
    assert found["boxes_xyxy"].shape == (n, 2, 4)
    assert found["keypoints"].shape == (n, 2, 1, 3)
    assert found["canvas_affine"].dtype is torch.float32


@EACH
def test_pictures_alone_are_enough(transform):
    batch = markers()
    alone = transform({"image": batch["image"]}, generator(0, "t"))
    assert set(alone) == {"image"}
    assert torch.equal(alone["image"], transform(batch, generator(0, "t"))["image"])


@EACH
def test_masks_get_no_new_class(transform):
    batch = markers()
    batch["mask"] = torch.from_numpy(np.random.default_rng(0).choice([0, 3, 9, 255], (24, *SIZE)).astype(np.uint8))
    found = transform(batch, generator(0, "t"))["mask"]
    assert set(found.unique().tolist()) <= {0, 3, 9, 255}
    wide = transform({**batch, "mask": batch["mask"].long()}, generator(0, "t"))["mask"]
    assert wide.dtype is torch.int64
    assert torch.equal(wide, found.long())


@pytest.mark.parametrize("transform", [t for t in ALL if isinstance(t, Cut)], ids=lambda t: type(t).__name__)
def test_cutting_from_the_store_equals_cutting_from_the_batch(transform):
    store, rows = markers(40), torch.tensor([7, 7, 30, 2, 39])
    gathered = {key: values[rows] for key, values in store.items()}
    stored = {**gathered, "image": store["image"], "mask": store["mask"]}
    found, expected = transform.cut(stored, rows, generator(0, "t")), transform(gathered, generator(0, "t"))
    assert all(torch.equal(found[key], expected[key]) for key in expected)


# ------------------------------------------------------------------------------------------ where the marker goes


@pytest.mark.parametrize("transform", WHOLE, ids=IDS[: len(WHOLE)])
@pytest.mark.parametrize("seed", range(4))
def test_marker_moves_to_the_pixel(transform, seed):
    batch = markers(seed=seed)
    found = transform(batch, generator(seed, "t"))
    seen = 0
    for k in range(24):
        bright = (found["image"][k, 0] == 250).nonzero().tolist()
        marked = (found["mask"][k] == 1).nonzero().tolist()
        visible = found["keypoints"][k, 0, 0, 2] > 0
        assert found["box_label"][k].tolist() == [3 if visible else -1, -1]
        assert len(marked) == visible
        if not visible:
            assert found["boxes_xyxy"][k].tolist() == [[0, 0, 0, 0]] * 2
            continue
        (y, x) = marked[0]
        assert [y, x] in bright  # a shifted edge pixel is drawn outwards, so there may be more
        assert found["boxes_xyxy"][k, 0].tolist() == [x, y, x + 1, y + 1]
        assert found["keypoints"][k, 0, 0].tolist() == [x + 0.5, y + 0.5, 2]
        now, then = found["keypoints"][k, 0, 0, :2], batch["keypoints"][k, 0, 0, :2]
        assert torch.equal(through(found["canvas_affine"][k], now), through(batch["canvas_affine"][k], then))
        seen += 1
    assert seen > 6


@pytest.mark.parametrize("transform", RESAMPLING, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("seed", range(3))
def test_marker_moves_with_resampled_pixels(transform, seed):
    """Marks of 7x7 pixels: the middle of the light is where the keypoint is, and the box holds it."""
    batch = markers(seed=seed, size=(64, 60), reach=3)
    transform = RandomCrop((50, 70), (0.3, 1.0)) if isinstance(transform, RandomCrop) else transform
    transform = ScaleCrop((50, 56), (58, 90)) if isinstance(transform, ScaleCrop) else transform
    found = transform(batch, generator(seed, "t"))
    seen = 0
    for k in range(24):
        x1, y1, x2, y2 = found["boxes_xyxy"][k, 0].tolist()
        h, w = found["mask"][k].shape
        marked = (found["mask"][k] == 1).nonzero().float() + 0.5
        gone = found["box_label"][k, 0] < 0
        assert not (gone and found["keypoints"][k, 0, 0, 2])
        if len(marked) and not gone:  # nearest pixels, so up to half a new pixel or half an old one beyond
            assert marked.min() >= 0
            assert (marked[:, 1] > x1 - 1).all() and (marked[:, 1] < x2 + 1).all()
            assert (marked[:, 0] > y1 - 1).all() and (marked[:, 0] < y2 + 1).all()
        point = found["keypoints"][k, 0, 0]
        torch.testing.assert_close(
            through(found["canvas_affine"][k], point[:2]), 2 * batch["keypoints"][k, 0, 0, :2], rtol=0, atol=2e-3
        )
        if x1 < 2 or y1 < 2 or x2 > w - 2 or y2 > h - 2:
            continue
        light = (found["image"][k, 0].double() - 10).clamp(min=0)
        light[: int(y1) - 1], light[int(y2) + 2 :] = 0, 0
        ys, xs = torch.arange(h) + 0.5, torch.arange(w) + 0.5
        middle = torch.stack([(light.sum(0) * xs).sum(), (light.sum(1) * ys).sum()]) / light.sum()
        assert (middle - point[:2]).abs().max() < 0.1
        assert (marked.mean(0).flip(0) - point[:2]).abs().max() < 0.5
        seen += 1
    assert seen > 5


@pytest.mark.parametrize("transform", WARPS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("seed", range(3))
def test_marker_moves_with_warped_pixels(transform, seed):
    """No matrix describes these: pixels follow the way back, boxes and keypoints the way forward."""
    batch = markers(seed=seed, size=(160, 150), reach=2)
    found = transform(batch, generator(seed, "t"))
    assert torch.equal(found["canvas_affine"], batch["canvas_affine"])
    seen = 0
    for k in range(24):
        x1, y1, x2, y2 = found["boxes_xyxy"][k, 0].tolist()
        if x1 < 2 or y1 < 2 or x2 > 148 or y2 > 158:
            continue
        marked = (found["mask"][k] == 1).nonzero().float() + 0.5
        assert (marked[:, 1] > x1 - 0.01).all() and (marked[:, 1] < x2 + 0.01).all()
        assert (marked[:, 0] > y1 - 0.01).all() and (marked[:, 0] < y2 + 0.01).all()
        light = (found["image"][k, 0].double() - 10).clamp(min=0)
        ys, xs = torch.arange(160) + 0.5, torch.arange(150) + 0.5
        middle = torch.stack([(light.sum(0) * xs).sum(), (light.sum(1) * ys).sum()]) / light.sum()
        assert (middle - found["keypoints"][k, 0, 0, :2]).abs().max() < 0.2  # a mark of 5 pixels is bowed itself
        seen += 1
    assert seen > 5


def test_boxes_are_clipped_at_the_edge():
    batch = {"image": torch.zeros(1, 3, 10, 10, dtype=torch.uint8), "boxes_xyxy": torch.tensor([[[1.0, 2, 9, 8]]])}
    found = CentreCrop((4, 6))(batch, generator(0, "t"))
    assert found["boxes_xyxy"].tolist() == [[[0, 0, 6, 4]]]


@pytest.mark.parametrize("transform", [Flip(1.0), VFlip(1.0), Shift(0.2), CentreCrop((9, 9)), RandomCrop((9, 9))])
def test_all_that_is_picture_stays_inside_valid_hw(transform):
    """Padding is 0 and picture 200, so what is bright must lie in the valid rows and columns."""
    valid = torch.tensor([[6, 12], [12, 5], [12, 12], [3, 12]])
    image = torch.zeros(4, 3, 12, 12, dtype=torch.uint8)
    for k, (h, w) in enumerate(valid.tolist()):
        image[k, :, :h, :w] = 200
    found = transform({"image": image, "valid_hw": valid}, generator(0, "t"))
    for picture, (h, w) in zip(found["image"], found["valid_hw"].tolist(), strict=True):
        assert picture[:, :h, :w].max() > 0
        assert picture[:, h:].numel() == 0 or picture[:, h:].max() == 0
        assert picture[:, :, w:].numel() == 0 or picture[:, :, w:].max() == 0


# ------------------------------------------------------------------------------------------------------- together


def test_compose_is_one_after_another():
    steps = (Window((15, 12)), Flip(), Noise(3.0))
    drawn, batch = generator(0, "t"), markers()
    for step in steps:
        batch = step(batch, drawn)
    together = Compose(steps)(markers(), generator(0, "t"))
    assert all(torch.equal(together[key], batch[key]) for key in batch)


def kinds(compose: Compose | None) -> list[str]:
    return [] if compose is None else [type(step).__name__ for step in compose.steps]


def test_build_makes_what_the_config_asks_for():
    plain = AugmentConfig(flip=0, shift=0)
    assert build(plain, (28, 28), (28, 28), train=True) is None
    assert build(AugmentConfig(), (28, 28), (28, 28), train=False) is None
    assert build(AugmentConfig(augment=False), (28, 28), (28, 28), train=True) is None
    assert kinds(build(AugmentConfig(), (224, 224), (256, 256), train=False)) == ["CentreCrop"]
    assert kinds(build(AugmentConfig(augment=False), (224, 224), (256, 256), train=True)) == ["CentreCrop"]
    assert kinds(build(AugmentConfig(), (28, 28), (28, 28), train=True)) == ["Flip", "Shift"]
    assert kinds(build(AugmentConfig(), (224, 224), (256, 256), train=True)) == ["Window", "Flip"]
    every = AugmentConfig(0.5, 0.5, 0.1, 0.5, 10, 5, 0.1, 0.2, 5, 0.3, 0.1, radial=0.1, blur=1, erase=0.5, mixup=0.2)
    order = ["RandomCrop", "Flip", "VFlip", "Affine", "Radial", "Shift"]
    order += ["Jitter", "PcaColour", "Blur", "Noise", "Cutout", "Erase", "Mixup"]
    assert kinds(build(every, (224, 224), (256, 256), train=True)) == order


def test_build_without_shift_keeps_the_middle():
    middle = build(AugmentConfig(flip=0, shift=0), (10, 10), (16, 16), train=True)
    image = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8, generator=generator(10, "picture"))
    assert torch.equal(middle({"image": image}, generator(0, "t"))["image"], image[:, :, 3:13, 3:13])


def test_build_of_mixing_and_of_scale_jitter():
    assert kinds(build(AugmentConfig(cutmix=1.0), (28, 28), (28, 28), train=True)) == ["Flip", "Shift", "CutMix"]
    both = AugmentConfig(flip=0, shift=0, mixup=0.2, cutmix=1.0)
    assert kinds(build(both, (28, 28), (28, 28), train=True)) == ["Either"]
    scaled = AugmentConfig(short_side=(256, 480))
    assert kinds(build(scaled, (224, 224), (256, 256), train=True)) == ["ScaleCrop", "Flip"]
    assert kinds(build(scaled, (224, 224), (256, 256), train=False)) == ["CentreCrop"]
    with pytest.raises(ConfigError, match="short_side must be two numbers from 300 "):
        build(scaled, (300, 300), (340, 340), train=True)
