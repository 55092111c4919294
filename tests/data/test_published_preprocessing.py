"""Resize the short side, take the middle, normalise: against Pillow doing the three steps as the publishers do."""

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess
from pellucid.data.canvas import layout, place
from pellucid.data.pack.cache import pack_path
from pellucid.data.pack.decode import Recipe
from pellucid.data.single import as_batch
from pellucid.data.source import Source
from pellucid.ops.normalise import normalise

MEAN, STD = np.float32((0.485, 0.456, 0.406)), np.float32((0.229, 0.224, 0.225))
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def imagenet(interpolation: str, size: int = 224, canvas: int = 256) -> Preprocess:
    shift, scale = tuple(map(float, 255 * MEAN)), tuple(map(float, 1 / (255 * STD)))
    return Preprocess(
        (size, size),
        canvas=(canvas, canvas),
        shift=shift,
        scale=scale,
        fit="short-side",
        interpolation=interpolation,  # type: ignore
    )


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Like a photo: detail of a few pixels, contrasts over the whole range."""
    small = np.random.default_rng(seed).integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def published(image: np.ndarray, size: int, canvas: int, interpolation: str) -> np.ndarray:
    """The short side becomes `canvas`, the long one in proportion and rounded down; then the middle, then the norm."""
    height, width = image.shape[:2]
    short = min(height, width)
    new_h, new_w = int(canvas * height / short), int(canvas * width / short)
    resized = Image.fromarray(image).resize((new_w, new_h), FILTERS[interpolation])
    top, left = round((new_h - size) / 2), round((new_w - size) / 2)
    pixels = np.asarray(resized.crop((left, top, left + size, top + size)), dtype=np.float32)
    return ((pixels / 255 - MEAN) / STD).transpose(2, 0, 1)


def ours(image: np.ndarray, preprocess: Preprocess) -> np.ndarray:
    return normalise(as_batch([image], preprocess)["image"], preprocess)[0].numpy()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(300, 300), (375, 500), (640, 427), (333, 901), (180, 181), (300, 451), (256, 999)])
def test_pictures_are_the_publishers_but_for_rounding(interpolation: str, shape: tuple[int, int]) -> None:
    """One level of 255 is 0.0175 after the norm; Pillow resizes along rows first and rounds between, as we do."""
    image = smooth(*shape)
    difference = np.abs(ours(image, imagenet(interpolation)) - published(image, 224, 256, interpolation))
    assert difference.max() < 2.1 * 0.0176 and difference.mean() < 0.25 * 0.0176


@pytest.mark.parametrize(("size", "canvas"), [(224, 232), (224, 256), (299, 342), (240, 274), (260, 297)])
def test_every_published_size_is_right_to_a_pixel(size: int, canvas: int) -> None:
    """Where canvas and input differ by a number that 4 does not divide, the middle may be rounded the other way."""
    shape = (512, 683)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    ramp = np.stack([rows * 255 / shape[0], columns * 255 / shape[1], rows * 0], -1).astype(np.uint8)
    found, wanted = ours(ramp, imagenet("bilinear", size, canvas)), published(ramp, size, canvas, "bilinear")
    shift = np.abs(((found - wanted) * STD[:, None, None])[:2].mean((1, 2)))
    limit = 0.02 if (canvas - size) % 4 == 0 else 1.02
    assert (shift * np.array(shape) * canvas / min(shape)).max() < limit  # pixels of the resized picture


def test_crop_shows_the_same_window_up_to_a_pixel() -> None:
    """`crop` rounds its window on the given picture, `short-side` on the resized one."""
    for shape in [(375, 500), (640, 427), (333, 901)]:
        crop, short = (layout(shape, (256, 256), fit).affine for fit in ("crop", "short-side"))  # type: ignore[arg-type]
        assert np.abs(crop - short)[:, 2].max() <= 1.5 * crop[0, 0]
        assert np.allclose(crop[:, :2], short[:, :2], rtol=0.01)


def test_the_affine_leads_back_to_the_pixel_that_is_seen() -> None:
    rows, columns = np.mgrid[:90, :150]
    placed = place(np.stack([columns, rows, rows], -1).astype(np.uint8), (40, 44), "short-side", (0, 0, 0))
    xy = np.stack(np.meshgrid(np.arange(44) + 0.5, np.arange(40) + 0.5), -1)
    expected = xy @ placed.affine[:, :2].T + placed.affine[:, 2]
    assert np.abs(placed.image[..., :2] + 0.5 - expected)[3:-3, 3:-3].max() <= 0.51
    assert placed.valid_hw.tolist() == [40, 44] and placed.image.shape == (40, 44, 3)


@pytest.mark.parametrize("original", [(1, 1), (1, 70), (70, 1), (13, 17), (40, 44), (80, 88), (41, 44)])
def test_every_shape_has_a_place(original: tuple[int, int]) -> None:
    mask = np.ones(original, np.uint8)
    placed = place(np.full((*original, 3), 9, np.uint8), (40, 44), "short-side", (0, 0, 0), mask)
    assert placed.mask is not None and placed.mask.shape == (40, 44)
    assert (placed.image == 9).all() and (placed.mask == 1).all()


def test_without_a_margin_the_whole_short_side_is_seen() -> None:
    image = smooth(500, 500)
    difference = np.abs(ours(image, imagenet("bicubic", 224, 224)) - published(image, 224, 224, "bicubic"))
    assert difference.max() < 2.1 * 0.0176


def test_bicubic_is_not_bilinear_and_bilinear_stays_the_default() -> None:
    image = smooth(300, 300)
    usual, bicubic = (place(image, (100, 100), "crop", (0, 0, 0), interpolation=how).image for how in FILTERS)  # type: ignore
    assert np.array_equal(usual, place(image, (100, 100), "crop", (0, 0, 0)).image)
    assert not np.array_equal(usual, bicubic)
    assert Preprocess((4, 4)).interpolation == "bilinear"


def test_it_travels_and_older_files_that_do_not_name_it_are_bilinear() -> None:
    made = imagenet("bicubic")
    assert Preprocess.from_dict(made.as_dict()) == made
    older = {key: value for key, value in made.as_dict().items() if key != "interpolation"}
    assert Preprocess.from_dict(older).interpolation == "bilinear"
    with pytest.raises(ConfigError, match=r"^Unknown interpolation 'lanczos': use bilinear or bicubic\.$"):
        Preprocess((4, 4), interpolation="lanczos")  # type: ignore[arg-type]


def test_packs_of_either_kind_have_names_of_their_own(tmp_path) -> None:
    source = Source("made", np.zeros((2, 9, 9, 3), np.uint8), ["a", "b"], ("x",))
    usual = Recipe((4, 4), 3, "crop", (0, 0, 0))
    names = {pack_path(tmp_path, source, Recipe((4, 4), 3, "crop", (0, 0, 0), how)) for how in FILTERS}  # type: ignore
    assert len(names) == 2 and pack_path(tmp_path, source, usual) in names


def test_masks_keep_their_ids_beside_bicubic_pictures() -> None:
    mask = np.random.default_rng(0).choice(np.uint8([0, 7, 200]), (40, 40))
    placed = place(smooth(40, 40), (17, 17), "crop", (0, 0, 0), mask, "bicubic")
    assert placed.mask is not None and set(np.unique(placed.mask)) <= {0, 7, 200}
    assert torch.from_numpy(placed.image).shape == (17, 17, 3)
