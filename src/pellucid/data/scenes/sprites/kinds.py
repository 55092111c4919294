"""Kinds of sprites by name."""

from functools import lru_cache
from pathlib import Path

from pellucid.core.errors import ConfigError
from pellucid.data.scenes.sprites.cutouts import Catalogue
from pellucid.data.scenes.sprites.emoji import each_emoji, emoji
from pellucid.data.scenes.sprites.fashion import FASHION
from pellucid.data.scenes.sprites.png_folder import read_png_folder

KINDS = {"fashion": lambda: FASHION, "emoji": emoji, "emoji-each": each_emoji}


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
    folder = Path(sprites).expanduser()
    inside = ((path, path.stat()) for path in sorted(folder.rglob("*")))
    return _folder(folder.resolve(), tuple((str(path), state.st_size, state.st_mtime_ns) for path, state in inside))


@lru_cache(maxsize=4)
def _folder(folder: Path, inside: tuple[tuple[str, int, int], ...]) -> Catalogue:
    """Read once, and again when a file has changed."""
    return read_png_folder(folder)
