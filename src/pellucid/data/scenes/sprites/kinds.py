"""Kinds of sprites by name."""

from functools import cache
from pathlib import Path

from pellucid.core.errors import ConfigError
from pellucid.data.scenes.sprites.cutouts import Catalogue
from pellucid.data.scenes.sprites.emoji import each_emoji, emoji
from pellucid.data.scenes.sprites.fashion import FASHION
from pellucid.data.scenes.sprites.png_folder import read_png_folder

KINDS = {"fashion": lambda: FASHION, "emoji": emoji, "emoji-each": each_emoji}


@cache
def catalogue(sprites: str) -> Catalogue:
    """The kind of sprite of this name, or the drawings in this folder.

    Raises:
        ConfigError: neither a name nor a folder.
        DataError: its drawings are not on this machine, or cannot be used.
    """
    if sprites in KINDS:
        return KINDS[sprites]()
    if not sprites or not Path(sprites).expanduser().is_dir():
        raise ConfigError(f"sprites must be {', '.join(KINDS)} or a folder of PNGs with alpha, got {sprites!r}.")
    return read_png_folder(Path(sprites).expanduser())
