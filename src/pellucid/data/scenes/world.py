"""Generated scenes for segmentation: tinted clothes from the packaged Fashion-MNIST on made-up textures.

All arithmetic is on integers, so a seed gives the same bytes on every machine. Letters: H, W the scene,
h, w what is being resized or pasted, N sprites.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from pellucid.core.config import require
from pellucid.core.shapes import parse_size
from pellucid.data.assets import fashion_mini
from pellucid.data.source import Card, Source

CLASSES = ("background", *fashion_mini.CLASSES)
COUNTS = {"train": 2_000, "test": 400}
SIDE = 64
CARD = Card(
    title="Scenes: up to four pieces of clothing on a texture, with the class of every pixel",
    licence="MIT, (c) 2017 Zalando SE (the clothes); the rest is generated",
    origin="drawn by pellucid.data.scenes with the packaged part of Fashion-MNIST",
)
MAX_SPRITES = 4
FAINT = 8  # grey values below this are the cloth's shadow or noise, not the cloth
DARKEST = 80  # of 255: how bright the darkest cloth is drawn


@dataclass(frozen=True)
class Sprites:
    """N grey cut-outs.

    Attributes:
        shade: (N, h, w) uint8, how bright each pixel is; 0 outside the cut-out.
        coverage: (N, h, w) uint8, 255 inside, 0 outside.
        labels: (N,) int64, class of each in the mask, from 1.
    """

    shade: np.ndarray
    coverage: np.ndarray
    labels: np.ndarray


def scenes(
    n_train: int = COUNTS["train"], n_test: int = COUNTS["test"], size: int | tuple[int, int] = SIDE, seed: int = 0
) -> Source:
    """A segmentation set: images (N, H, W, 3) uint8 and masks (N, H, W) uint8, class 0 is the background.

    Training scenes use the training pictures of Fashion-MNIST, test scenes the test pictures. Scene i of a split
    depends on the seed, the split and i alone, not on how many there are.

    Args:
        n_train, n_test: how many of each.
        size: side, or (height, width), in pixels; at least 8.
        seed: fixes every byte.

    Raises:
        ConfigError: a number is out of range.
    """
    height, width = parse_size(size)
    require(min(height, width) >= 8, "size", "at least 8", size)
    require(min(n_train, n_test) >= 0, "n_train and n_test", "0 or positive", (n_train, n_test))
    require(seed >= 0, "seed", "0 or positive", seed)
    counts = {"train": n_train, "test": n_test}
    images = np.empty((n_train + n_test, height, width, 3), dtype=np.uint8)
    masks = np.empty((n_train + n_test, height, width), dtype=np.uint8)
    row = 0
    for stream, (role, n) in enumerate(counts.items()):
        for i in range(n):
            rng = np.random.default_rng([seed, stream, i])
            images[row], masks[row] = make_scene(rng, fashion_sprites(role), (height, width))
            row += 1
    return Source(
        name="scenes",
        images=images,
        names=[f"{role}/{i}" for role, n in counts.items() for i in range(n)],
        classes=CLASSES,
        masks=masks,
        roles=np.repeat(np.array(list(counts), dtype="<U5"), list(counts.values())),
        card=CARD,
    )


def make_scene(
    rng: np.random.Generator, sprites: Sprites, size: int | tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """One scene: image (H, W, 3) uint8 and mask (H, W) uint8.

    One to four sprites, each as high as 30 to 65 % of the scene's short side, mirrored half of the time, in a
    random colour; they may cover each other, and a quarter of one may reach over the border. A pixel's class is
    that of the last sprite that covers more than half of it, else 0.
    """
    height, width = parse_size(size)
    image = texture(rng, height, width)
    mask = np.zeros((height, width), dtype=np.uint8)
    short = min(height, width)
    for row in rng.integers(len(sprites.labels), size=rng.integers(1, MAX_SPRITES + 1)):
        side = int(rng.integers(short * 30 // 100, short * 65 // 100 + 1))
        top, left = (int(rng.integers(-side // 4, n - side + side // 4 + 1)) for n in (height, width))
        both = np.stack([sprites.shade[row], sprites.coverage[row]])  # (2, h, w)
        shade, coverage = resize(both[:, :, :: 1 - 2 * int(rng.integers(2))], side, side)
        colour = tint(shade, coverage, rng.integers(30, 256, 3))
        paste(image, mask, colour, coverage, int(sprites.labels[row]), top, left)
    return image, mask


def make_crop(
    rng: np.random.Generator,
    sprites: Sprites,
    size: int,
    colour: Callable[[np.random.Generator, int], np.ndarray] | None = None,
) -> tuple[np.ndarray, int]:
    """One piece of clothing that fills most of a picture, and what it is: image (size, size, 3) uint8, label from 1.

    Args:
        colour: the generator and the label -> RGB (3,) of the brightest cloth, 0..255; None draws any, as scenes do.
    """
    image, mask = texture(rng, size, size), np.zeros((size, size), dtype=np.uint8)
    row = rng.integers(len(sprites.labels))
    label = int(sprites.labels[row])
    side = int(rng.integers(size * 7 // 10, size + 1))
    top, left = (int(place) for place in rng.integers(0, size - side + 1, 2))
    both = np.stack([sprites.shade[row], sprites.coverage[row]])  # (2, h, w)
    shade, coverage = resize(both[:, :, :: 1 - 2 * int(rng.integers(2))], side, side)
    rgb = rng.integers(30, 256, 3) if colour is None else colour(rng, label)
    paste(image, mask, tint(shade, coverage, rgb), coverage, label, top, left)
    return image, label


@cache
def fashion_sprites(role: str) -> Sprites:
    """The packaged pictures of one split as sprites."""
    images, labels = _clothes()[role]
    inside = silhouettes(images)
    return Sprites(np.where(inside, images, 0), inside.astype(np.uint8) * 255, labels + 1)


@cache
def _clothes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return fashion_mini.read()


def silhouettes(images: np.ndarray) -> np.ndarray:
    """What of each picture (N, h, w) belongs to the cloth, as (N, h, w) bool.

    A pixel belongs to it if it has cloth, here or further on, in all four directions: holes in dark cloth close,
    the gap between two trouser legs stays open.
    """
    seen = images >= FAINT
    inside = np.ones_like(seen)
    for axis in (1, 2):
        inside &= np.logical_or.accumulate(seen, axis=axis)
        inside &= np.flip(np.logical_or.accumulate(np.flip(seen, axis), axis=axis), axis)
    return inside


def resize(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resize of the last two axes, pixel centres aligned: (..., h, w) uint8 -> (..., height, width) int32.

    Positions are in 1/256 of a pixel; beyond the outer centres the border is repeated.
    """
    above, below, weight = _positions(planes.shape[-2], height)
    planes = planes.astype(np.int32)
    planes = planes[..., above, :] * (256 - weight)[:, None] + planes[..., below, :] * weight[:, None]  # (.., H, w)
    left, right, weight = _positions(planes.shape[-1], width)
    planes = planes[..., left] * (256 - weight) + planes[..., right] * weight  # (..., H, W)
    return (planes + (1 << 15)) >> 16


@cache
def _positions(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each new pixel: the old ones on either side, and the weight of the second in 1/256."""
    position = (2 * np.arange(new, dtype=np.int32) + 1) * old * 128 // new - 128
    position = np.clip(position, 0, (old - 1) * 256)
    first = position >> 8
    return first, np.minimum(first + 1, old - 1), position & 255


def tint(shade: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Cloth of one colour: (h, w, 3) int32 in 0..255.

    Args:
        shade, coverage: (h, w) in 0..255; at soft edges the shade is that of the part that is covered.
        colour: (3,) RGB of the brightest cloth.
    """
    brightness = np.minimum(shade * 255 // np.maximum(coverage, 1), 255)  # (h, w)
    ramp = DARKEST + (255 - DARKEST) * np.arange(256, dtype=np.int32) // 255  # brightness -> brightness drawn
    return (ramp[:, None] * colour.astype(np.int32) // 255)[brightness]  # (h, w, 3)


def paste(
    image: np.ndarray, mask: np.ndarray, colour: np.ndarray, coverage: np.ndarray, label: int, top: int, left: int
) -> None:
    """Lay a cut-out onto a scene, in place; what reaches over the border is cut off.

    Args:
        image, mask: (H, W, 3) and (H, W) uint8.
        colour, coverage: (h, w, 3) and (h, w), 0..255.
        label: written to the mask where coverage is above one half (128 and more).
        top, left: where the cut-out's first pixel lies; may be negative.
    """
    height, width = coverage.shape
    rows = slice(max(0, top), min(image.shape[0], top + height))
    columns = slice(max(0, left), min(image.shape[1], left + width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inside = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    colour, coverage = colour[inside], coverage[inside]
    weight = (coverage + (coverage >> 7))[:, :, None]  # 0..256, so that a shift divides
    image[rows, columns] = (image[rows, columns] * (256 - weight) + colour * weight + 128) >> 8
    mask[rows, columns][coverage >= 128] = label


def texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A background (H, W, 3) uint8: two colours, mixed by a field that is drawn at random, with some noise."""
    field = (_noise, _gradient, _blobs, _stripes)[rng.integers(4)](rng, height, width)
    first = rng.integers(256, size=3)
    second = np.clip(first + rng.integers(-100, 101, size=3), 0, 255)
    ramp = first + (second - first) * np.arange(256)[:, None] // 255  # (256, 3)
    grain = int(rng.integers(1, 16))
    noise = rng.integers(-grain, grain + 1, size=(height, width, 1), dtype=np.int16)
    return np.clip(ramp.astype(np.int16)[field] + noise, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Soft noise of three sizes, (H, W) in 0..255, halved from one to the next."""
    coarse, middle, fine = (
        resize(rng.integers(256, size=(cells, cells), dtype=np.int32), height, width) for cells in (4, 8, 16)
    )
    return (4 * coarse + 2 * middle + fine) // 7


def _blobs(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Soft noise cut at the middle: islands, (H, W) in 0..255."""
    cells = int(rng.integers(4, 9))
    noise = resize(rng.integers(256, size=(cells, cells), dtype=np.int32), height, width)
    return np.clip((noise - 128) * 8 + 128, 0, 255)


def _gradient(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A ramp in a random direction, (H, W) in 0..255."""
    ramp = _ramp(rng, height, width)
    ramp = ramp - ramp.min()
    return ramp * 255 // max(int(ramp.max()), 1)


def _stripes(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Stripes in a random direction, hard or soft, (H, W) in 0..255."""
    period = int(rng.integers(max(3, min(height, width) // 12), max(4, min(height, width) // 3)))
    phase = _ramp(rng, height, width) // 4 % (2 * period)
    wave = np.abs(phase - period) * 255 // period
    return wave if rng.integers(2) else (wave > 127) * 255


def _ramp(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Distance along a random direction, in about a quarter of a pixel, (H, W) int32."""
    down, right = ((4, 0), (4, 2), (3, 3), (2, 4), (0, 4), (2, -4), (3, -3), (4, -2))[rng.integers(8)]
    return down * np.arange(height, dtype=np.int32)[:, None] + right * np.arange(width, dtype=np.int32)
