"""Sprites from a user's own drawings: a folder with a folder of PNGs for each class."""

from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.core.errors import DataError, ImageError
from pellucid.data.image_file import opened
from pellucid.data.scenes.sprites.cutouts import Catalogue, Sprites
from pellucid.data.scenes.sprites.emoji import colour_sprites

FRAME = 128  # longer side of every sprite
SPLITS = ("train", "val", "test")


def read_png_folder(folder: Path) -> Catalogue:
    """Class folders of PNGs with alpha, in `folder`, or in `folder/train`, `folder/test` and so on, split by split.

    A split without a folder of its own shows the drawings of `train`; without any, all splits show the same ones.

    Raises:
        DataError: there are no class folders or no PNGs in one, or the splits differ in their classes.
        ImageError: a file cannot be opened, has no alpha or nothing that is visible; the message names it.
    """
    splits = [role for role in SPLITS if (folder / role).is_dir()]
    if not splits:
        classes, sprites = _read(folder)
        return _catalogue(folder, classes, dict.fromkeys(SPLITS, sprites), shared=True)
    if "train" not in splits:
        raise DataError(f"{folder} has folders for {', '.join(splits)}, but none for train.")
    found = {role: _read(folder / role) for role in splits}
    classes = found["train"][0]
    for role, (others, _) in found.items():
        if others != classes:
            raise DataError(
                f"{folder / role} must have the classes of train: {', '.join(classes)}; got {', '.join(others)}."
            )
    return _catalogue(folder, classes, {role: found.get(role, found["train"])[1] for role in SPLITS}, shared=False)


def _catalogue(folder: Path, classes: tuple[str, ...], parts: dict[str, Sprites], shared: bool) -> Catalogue:
    return Catalogue(classes, classes, parts.__getitem__, "unknown", f"the drawings in {folder}", shared)


def _read(folder: Path) -> tuple[tuple[str, ...], Sprites]:
    """The names of the class folders, sorted, and all their drawings."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not inside:
        raise DataError(f"{folder} has no class folders: put the PNGs of each class into a folder of its name.")
    drawings, labels = [], []
    for label, path in enumerate(inside):
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".png")
        if not files:
            raise DataError(f"{path} holds no PNG: every class needs one at least.")
        drawings += [_open(file) for file in files]
        labels += [label] * len(files)
    return tuple(path.name for path in inside), colour_sprites(drawings, labels, FRAME)


def _open(file: Path) -> Image.Image:
    with opened(file) as (image, _, name):
        if not (image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info):
            raise ImageError(
                f"{name} has no alpha, so where the thing ends is not known: save it as PNG with transparency.",
                "unsupported",
            )
        picture = image.convert("RGBA")
        if not np.any(np.asarray(picture.getchannel("A")) >= 128):
            raise ImageError(f"{name} shows nothing: its alpha is below one half everywhere.", "empty")
    return picture
