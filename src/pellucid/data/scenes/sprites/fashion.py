"""Sprites cut from the packaged pictures of Fashion-MNIST: grey, to be tinted."""

from functools import cache

import numpy as np

from pellucid.data.assets import fashion_mini
from pellucid.data.scenes.sprites.cutouts import Catalogue, Sprites

CLASSES = ("background", *fashion_mini.CLASSES)  # of a mask
CHINESE = ("T恤", "裤子", "套头衫", "连衣裙", "外套", "凉鞋", "衬衫", "运动鞋", "包", "短靴")
FAINT = 8  # grey values below this are the cloth's shadow or noise, not the cloth
FOR_VALIDATION = 1_000  # of the 12,000 training pictures: shown in no training scene, whether asked for or not


@cache
def fashion_sprites(role: str) -> Sprites:
    """The packaged pictures of one half, "train" or "test", as sprites."""
    images, labels = _clothes()[role]
    inside = silhouettes(images)
    return Sprites(np.where(inside, images, 0), inside.astype(np.uint8) * 255, labels + 1)


@cache
def _clothes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return fashion_mini.read()


@cache
def _of_split(role: str) -> Sprites:
    if role != "test":
        last = slice(-FOR_VALIDATION, None) if role == "val" else slice(-FOR_VALIDATION)
        return _of_half("train").take(last)
    return _of_half("test")


@cache
def _of_half(role: str) -> Sprites:
    """As `fashion_sprites`, but with soft edges."""
    hard = fashion_sprites(role)
    return Sprites(hard.shade, soft_edges(hard.shade, hard.coverage), hard.labels)


def soft_edges(shade: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """How much of each pixel at the rim the cloth covers: (N, h, w) uint8.

    The pictures were made smaller on black, so a pixel at the rim is as dark as it is empty. One that has less than
    two thirds of the brightness beside it is taken to be covered in part; else cut-outs would have a black seam.

    Args:
        shade, coverage: (N, h, w) uint8, coverage 0 or 255.
    """
    inside = np.pad(coverage, ((0, 0), (1, 1), (1, 1)))
    surrounded = inside[:, :-2, 1:-1] & inside[:, 2:, 1:-1] & inside[:, 1:-1, :-2] & inside[:, 1:-1, 2:]
    rim = np.nonzero((coverage > 0) & (surrounded == 0))
    padded = np.pad(shade, ((0, 0), (1, 1), (1, 1)))
    beside = padded[rim[0], rim[1] + 1, rim[2] + 1]
    for down in range(3):
        for right in range(3):
            beside = np.maximum(beside, padded[rim[0], rim[1] + down, rim[2] + right])
    soft = coverage.copy()
    soft[rim] = np.minimum(shade[rim].astype(np.int32) * 255 * 3 // (2 * np.maximum(beside, 1).astype(np.int32)), 255)
    return soft


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


FASHION = Catalogue(
    classes=fashion_mini.CLASSES,
    chinese=CHINESE,
    sprites=_of_split,
    licence="MIT, (c) 2017 Zalando SE (the clothes)",
    origin="the packaged part of Fashion-MNIST",
    shared=False,
)
