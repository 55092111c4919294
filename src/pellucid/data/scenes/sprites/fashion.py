"""Sprites cut from the packaged pictures of Fashion-MNIST: grey, to be tinted."""

from functools import cache

import numpy as np

from pellucid.data.assets import fashion_mini
from pellucid.data.scenes.sprites.cutouts import Catalogue, Sprites

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
    if role == "test":
        return fashion_sprites("test")
    last = slice(-FOR_VALIDATION, None) if role == "val" else slice(-FOR_VALIDATION)
    return fashion_sprites("train").take(last)


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
