"""Pictures and masks of the same name: `images/` beside `masks/`, in splits or not."""

from pathlib import Path

from pellucid.core.errors import DataError
from pellucid.data.readers.checks import role_of, unknown_split
from pellucid.data.readers.listing import below, image_files, look, parent_groups, require_folder
from pellucid.data.readers.masks import Pair, segmentation_source
from pellucid.data.readers.object_lines import read_object_lines
from pellucid.data.source import Problem, Source

IMAGES = ("images", "image", "imgs")
MASKS = ("masks", "mask")
THINGS = "objects.jsonl"
ENDINGS = ("", "_mask")  # what may follow the picture's name in the mask's


def read_mask_folder(root: Path, group: str = "") -> Source:
    """List pictures with their masks, compare sizes, and learn the classes (see `masks.segmentation_source`).

    Arrangements: `images/` and `masks/` in `root`; the same with split folders in both (`images/train`,
    `masks/train`); or split folders that hold both (`train/images`, `train/masks`). A mask has its picture's
    path and name, with any ending, or with `_mask` behind the name. If the things in the pictures are listed in
    `objects.jsonl` (see `object_lines`), they come along.

    Args:
        group: "folder" makes a group of each folder below `images`; "" makes none.

    Raises:
        DataError: the arrangement is another, or no usable pair is left; see also `segmentation_source`.
        ConfigError: another `group`.
    """
    problems: list[Problem] = []
    pairs: list[Pair] = []
    layouts = _layouts(require_folder(root), problems)
    if not layouts:
        raise DataError(f"{root} must hold the folders images/ and masks/, or splits that do.")
    for role, images, masks in layouts:
        pairs += _match(root, images, masks, role, problems)
    groups = parent_groups((pair.name for pair in pairs), group)
    source = segmentation_source(root, pairs, groups, problems)
    if (root / THINGS).is_file():
        try:
            source.objects = read_object_lines(root / THINGS, source.names, source.classes)
        except DataError as error:
            source.problems.append(Problem(THINGS, "unreadable", str(error)))
    return source


def is_mask_folder(root: Path) -> bool:
    """Whether `root`, or a split in it, holds both pictures and masks."""
    folders = [root, *(root / name for name in look(root).folders if role_of(name))]
    return any(None not in _both(folder) for folder in folders)


def _both(folder: Path) -> tuple[Path | None, Path | None]:
    """The folder of pictures and the folder of masks in `folder`."""
    names = {name.lower(): name for name in look(folder).folders}
    first = [next((folder / names[name] for name in options if name in names), None) for options in (IMAGES, MASKS)]
    return first[0], first[1]


def _layouts(root: Path, problems: list[Problem]) -> list[tuple[str, Path, Path]]:
    """Role, pictures and masks of each part."""
    images, masks = _both(root)
    if images is not None and masks is not None:
        return [("", images, masks)]
    parts: list[tuple[str, Path, Path]] = []
    for name in look(root).folders:
        images, masks = _both(root / name)
        role = role_of(name)
        if role is None and images is not None:
            raise DataError(f"{root} has splits, but the folder {unknown_split(name)}")
        if role is not None and images is not None and masks is not None:
            parts.append((role, images, masks))
        elif role is not None:
            problems.append(Problem(name, "no-mask", "a split without both images/ and masks/"))
    return parts


def _match(root: Path, images: Path, masks: Path, role: str, problems: list[Problem]) -> list[Pair]:
    """The pictures that have a mask; the others, and masks left over, go to `problems`."""
    waiting: dict[str, tuple[str, Path]] = {}  # mask by its path below `masks`, without the ending
    for name, path in image_files(masks, root, problems):
        stem = _stem(path, masks)
        if stem in waiting:
            problems.append(Problem(name, "duplicate", f"{waiting[stem][0]} is a mask of the same name"))
        else:
            waiting[stem] = (name, path)
    inner = _inner_splits(images, root)
    pairs: dict[str, Pair] = {}
    for name, path in image_files(images, root, problems):
        stem = _stem(path, images)
        key = next((stem + ending for ending in ENDINGS if stem + ending in waiting), None)
        if stem in pairs:
            problems.append(Problem(name, "duplicate", f"{pairs[stem].name} is a picture of the same name"))
        elif key is None:
            problems.append(Problem(name, "no-mask", f"there is no {below(masks, root)}/{stem}.png"))
        else:
            pairs[stem] = Pair(name, path, waiting.pop(key)[1], role or inner.get(stem.split("/")[0], ""))
    problems += [Problem(name, "no-image", "a mask without a picture of the same name") for name, _ in waiting.values()]
    return list(pairs.values())


def _inner_splits(images: Path, root: Path) -> dict[str, str]:
    """Folder directly in `images` -> the split it is; empty if none of them is one."""
    folders = look(images).folders
    found = {name: role for name in folders if (role := role_of(name)) is not None}
    for name in folders:
        if found and name not in found and image_files(images / name, root, []):
            raise DataError(f"{images} has splits, but the folder {unknown_split(name)}")
    return dict(found)


def _stem(path: Path, folder: Path) -> str:
    return below(path.with_suffix(""), folder)
