"""A folder that appears whole or not at all, and files in it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.core.errors import DataError, WriteError
from pellucid.core.files import cannot_write


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A place to write to, which becomes `folder` when all is written; it is removed when an error comes first.

    Raises:
        DataError: `folder` is a file, or a folder with something in it.
        WriteError: the disk is full, or the place cannot be written.
    """
    folder = Path(folder).expanduser().absolute()
    part: Path | None = None
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is not empty" if folder.is_dir() else "is a file"
            raise DataError(f"{folder} {what}: name a folder that does not exist yet, or an empty one.")
        stays = folder.is_dir()  # somebody may stand in it, or it is another disk: then only what is in it is moved
        beside = folder if stays else folder.parent
        beside.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=beside))
        part.chmod(0o755)  # mkdtemp makes it private; data sets are for sharing
        yield part
        if stays:
            for made in list(part.iterdir()):
                made.rename(folder / made.name)
            part.rmdir()
        else:
            part.rename(folder)
        part = None
    except OSError as error:
        raise WriteError(cannot_write(folder, error)) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """A PNG of (H, W), (H, W, 1) or (H, W, 3) uint8; the folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels).save(path, format="PNG")


def write_mask(path: Path, mask: np.ndarray, colours: np.ndarray) -> None:
    """A palette PNG of (H, W) uint8: value k is shown in `colours[k]`, (up to 256, 3) uint8; 255 = ignore in white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = np.full((256, 3), 255, dtype=np.uint8)
    shown[: min(len(colours), 256)] = colours[:256]
    image = Image.fromarray(np.ascontiguousarray(mask))
    image.putpalette(shown.tobytes())  # makes it a palette picture
    image.save(path, format="PNG")
