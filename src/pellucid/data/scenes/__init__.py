"""A generated world with exact labels of every kind."""

from pellucid.data.scenes.world import (
    CARD,
    CLASSES,
    COUNTS,
    SIDE,
    Sprites,
    fashion_sprites,
    make_crop,
    make_scene,
    paste,
    resize,
    scenes,
    silhouettes,
    texture,
    tint,
)

__all__ = [
    "CARD",
    "CLASSES",
    "COUNTS",
    "SIDE",
    "Sprites",
    "fashion_sprites",
    "make_crop",
    "make_scene",
    "paste",
    "resize",
    "scenes",
    "silhouettes",
    "texture",
    "tint",
]
