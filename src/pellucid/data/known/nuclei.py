"""Cell nuclei under a fluorescence microscope, every one outlined: a real picture cut into tiles.

The wheel of `stardist` carries one picture of the 2018 Data Science Bowl, 512x512 with 16 bits, and a mask that gives
each of its 125 nuclei a number. It is cut into three sides that share no pixel, from left to right:

| columns | side | tiles of 128x128 |
|---|---|---|
| 0..255 | train | 65, one every 32 pixels: they overlap each other |
| 256..383 | val | 4, side by side |
| 384..511 | test | 4, side by side |

Validation lies between the others, so that no nucleus is partly in training and partly in the test. Each side is one
group. Greys become 8 bits by the percentiles 1 and 99.8 of the training side, which are 0 and 255 afterwards.
"""

import zipfile
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError, ImageError
from pellucid.data.images import read_greys
from pellucid.data.known.record import Known
from pellucid.data.objects import Objects
from pellucid.data.source import Source

CLASSES = ("background", "nucleus")
SIDE = 512
TILE = 128
SIDES = {"train": (0, 256, 32), "val": (256, 384, TILE), "test": (384, 512, TILE)}  # columns from, to; tiles every
COUNTS = {"train": 65, "val": 4, "test": 4}
PERCENTILES = (1.0, 99.8)
FILES = ("img2d.tif", "mask2d.tif")
INNER = Path("stardist", "data", "images")
MAX_BYTES = 4_000_000  # of a file in the wheel; both have 524,544
PACKAGE = "stardist"
HOW_TO_GET = (
    "Run `pip install --no-deps stardist==0.9.2` (3 MB), or `pip download --no-deps stardist==0.9.2` "
    "and write nuclei:FILE.whl, or nuclei:FOLDER for a folder with img2d.tif and mask2d.tif."
)


def read_nuclei(known: Known, place: Path | None) -> Source:
    """The tiles, with masks of two classes and the nuclei one by one.

    Args:
        place: a wheel, the folder of the installed package, one above it, or one with the two files.

    Raises:
        DataError: the files are not there, damaged, or of another kind.
    """
    image, ids = (_read(place or Path(), name) for name in FILES)
    if image.shape != (SIDE, SIDE) or ids.shape != image.shape:
        raise DataError(
            f"{place}: {' and '.join(FILES)} must be {SIDE}x{SIDE}, got {_times(image.shape)} and {_times(ids.shape)}."
        )
    greys = to_eight_bits(image, image[:, slice(*SIDES["train"][:2])])
    corners = [(role, top, left) for role, sides in SIDES.items() for top, left in _corners(*sides)]
    tiles = [(slice(top, top + TILE), slice(left, left + TILE)) for _, top, left in corners]
    roles = np.array([role for role, _, _ in corners], dtype="<U5")
    return Source(
        name=known.name,
        images=np.stack([greys[tile] for tile in tiles]),
        names=[f"{role}/row {top} column {left}" for role, top, left in corners],
        classes=known.classes,
        masks=np.stack([(ids[tile] > 0).astype(np.uint8) for tile in tiles]),
        objects=[things(ids[tile]) for tile in tiles],
        roles=roles,
        groups=roles.copy(),
        card=known.card,
    )


def to_eight_bits(values: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """uint8 of any numbers: the percentiles 1 and 99.8 of `sample` become 0 and 255, what lies beyond is clipped."""
    low, high = np.percentile(sample, PERCENTILES)
    return np.rint(np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)


def things(ids: np.ndarray) -> Objects:
    """Every nucleus of which a tile (H, W) shows a part; 0 is background, other numbers name one nucleus each."""
    numbers = np.unique(ids[ids > 0])
    if not len(numbers):
        return Objects.empty(has_masks=True)
    return Objects.from_masks(ids == numbers[:, None, None], np.ones(len(numbers), dtype=np.int64))


def _corners(left: int, right: int, step: int) -> list[tuple[int, int]]:
    """Top and left of the tiles of a side."""
    return [(top, x) for top in range(0, SIDE - TILE + 1, step) for x in range(left, right - TILE + 1, step)]


def _read(place: Path, name: str) -> np.ndarray:
    """One of the two files, (H, W) of 8 or 16 bits."""
    try:
        if place.is_file():
            return read_greys(_of_wheel(place, (INNER / name).as_posix()))
        folders = (place, place / "data" / "images", place / INNER)
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None:
            raise DataError(f"{place} has no {name}. {HOW_TO_GET}")
        return read_greys(found)
    except ImageError as error:
        raise DataError(f"{place}: {name} cannot be used: {error}") from error


def _of_wheel(wheel: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(member).file_size > MAX_BYTES:
                raise DataError(f"{wheel}: {member} is larger than {MAX_BYTES:,} bytes, so it is not the one meant.")
            return archive.read(member)
    except KeyError as error:
        raise DataError(f"{wheel} holds no {member}. {HOW_TO_GET}") from error
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(f"{wheel} cannot be read as a wheel: {error}. {HOW_TO_GET}") from error


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
