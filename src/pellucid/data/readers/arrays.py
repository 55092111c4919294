"""Pictures that are arrays already: an `.npz` file, a dict, or a tuple (images, labels)."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, DataError, ImageError
from pellucid.core.shapes import require_shape
from pellucid.data.image_file import printable
from pellucid.data.images import to_uint8
from pellucid.data.readers.checks import role_of, sorted_names, unknown_split
from pellucid.data.readers.legend import IGNORE, Legend
from pellucid.data.readers.masks import name_classes
from pellucid.data.source import Card, Source

FIELDS = {  # as users write them -> what they are
    "image": "images",
    "images": "images",
    "x": "images",
    "label": "labels",
    "labels": "labels",
    "y": "labels",
    "mask": "masks",
    "masks": "masks",
    "split": "split",
    "splits": "split",
    "group": "groups",
    "groups": "groups",
    "class": "classes",
    "classes": "classes",
    "class_names": "classes",
}
BLOCK = 256  # pictures that are scaled at a time, so that a float copy of them all is never made
ROLES_IN_ORDER = ("train", "val", "test", "")


def read_npz(path: Path, group: str = "") -> Source:
    """Read an `.npz` file; what it may hold is said at `read_arrays`. Nothing in it is run.

    Raises:
        DataError: it is damaged, holds Python objects, or its arrays do not fit together.
    """
    try:
        with open(path, "rb") as start:
            is_one_array = start.read(6) == b"\x93NUMPY"
        if is_one_array:
            raise DataError(f"{path} is one array: save images and labels together with np.savez.")
        with zipfile.ZipFile(path):  # else np.load would take any other file for a pickle
            pass
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except DataError:
        raise
    except Exception as error:  # damaged archives raise what they like: a dozen classes were seen
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path} holds Python objects, which are never loaded: save plain numbers or text (dtype=str)."
            ) from error
        raise DataError(f"{path} is no readable .npz file: {printable(str(error)).rstrip('.')}.") from error
    return read_arrays(content, path.stem, group, origin=str(path))


def read_arrays(
    content: Mapping[str, Any] | Sequence[Any], name: str = "arrays", group: str = "", origin: str = "arrays"
) -> Source:
    """A data set of arrays.

    Args:
        content: a mapping of the arrays below, or a tuple (images, labels) or (images, masks).

            - `images`: (N, H, W), (N, H, W, 1 or 3) or (N, 1 or 3, H, W), uint8 or floats in 0..1
            - `labels`: (N,) or (N, 1), whole numbers (-1 = unlabelled) or text
            - `masks`: (N, H, W) whole numbers 0..255, 255 = ignore
            - `split`: (N,) "train", "val", "test" or ""
            - `groups`: (N,) anything; records of one group stay on one side
            - `classes`: (K,) names; labels and masks then hold 0..K-1

            Singular names and `x`, `y` do as well. With a split in the name (`train_images`, `x_test`) the
            arrays of all splits are joined.
        name: what the data set is called.
        group: name of another array with the groups; "" takes `groups`.
        origin: where the arrays come from.

    Raises:
        DataError: an array is missing, has another shape, dtype or range, or the classes are too few.
        ConfigError: no array is called `group`.
    """
    if not isinstance(content, Mapping):
        content = _named(content, name)
    fields, roles = _fields(content, name, group)
    if "images" not in fields or not {"labels", "masks"} & set(fields):
        got = ", ".join(content) or "nothing"
        raise DataError(f"{name} must have images, and labels or masks; got {got}.")
    images = _images(fields["images"], name)
    n = len(images)
    for what in ("split", "groups"):
        if what in fields:
            require_shape(fields[what], "N", f"{name}: {what}", N=n)
    if "split" in fields:
        roles = _roles(fields["split"], name)
    classes, labels, masks = _targets(fields, images, name)
    seen: dict[str, int] = {}
    names = []
    for role in roles.tolist():
        seen[role] = seen.get(role, -1) + 1
        names.append(f"{role}/{seen[role]}" if role else str(seen[role]))
    return Source(
        name=name,
        images=images,
        names=names,
        classes=classes,
        labels=labels,
        masks=masks,
        roles=roles,
        groups=fields.get("groups"),
        card=Card(title=name, origin=origin),
    )


def _named(content: Sequence[Any], name: str) -> dict[str, Any]:
    """(images, labels) or (images, masks) as a mapping; masks have three dimensions."""
    if not isinstance(content, (tuple, list)) or len(content) != 2:
        raise DataError(f"{name} must be a dict or a tuple (images, labels), got {_kind(content)}.")
    targets = _array(content[1], f"{name}: labels")
    return {"images": content[0], "masks" if targets.ndim >= 3 else "labels": targets}


def _kind(content: Any) -> str:
    return f"{len(content)} items" if isinstance(content, (tuple, list)) else type(content).__name__


def _fields(content: Mapping[str, Any], name: str, group: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The arrays by what they are, those of several splits joined, and the role of each record by its array's name."""
    parts: dict[str, dict[str, np.ndarray]] = {}
    for key, value in content.items():
        words = str(key).lower().split("_")
        split = next((word for word in (words[0], words[-1]) if len(words) > 1 and role_of(word)), "")
        rest = "_".join(word for word in words if word != split)
        field = "groups" if group and str(key) == group else FIELDS.get(rest, "")
        if field and not (group and field == "groups" and str(key) != group):
            role = role_of(split) or ""
            if role in parts.setdefault(field, {}):
                raise DataError(f"{name} has {field} twice{f' for {role}' * bool(role)}: keep one of them.")
            parts[field][role] = _array(value, f"{name}: {key}")
    if group and "groups" not in parts:
        raise ConfigError(f"{name}: {unknown(group, map(str, content), 'array for group')}")
    images = parts.get("images", {})
    order = [role for role in ROLES_IN_ORDER if role in images]
    fields = {}
    for field, by_role in parts.items():
        if field == "classes":
            fields[field] = next(iter(by_role.values()))
            continue
        if set(by_role) != set(order) and images:
            raise DataError(f"{name} has images for {_roles_in(images)}, but {field} for {_roles_in(by_role)}.")
        fields[field] = _join([by_role[role] for role in order or by_role], f"{name}: {field}")
    sizes = [len(images[role]) if images[role].ndim else 0 for role in order]
    return fields, np.repeat(np.array(order or [""], dtype="<U5"), sizes or [0])


def _roles_in(by_role: Mapping[str, object]) -> str:
    return ", ".join(role or "all records" for role in ROLES_IN_ORDER if role in by_role)


def _join(arrays: list[np.ndarray], name: str) -> np.ndarray:
    if len({array.shape[1:] for array in arrays}) > 1 or not all(array.ndim for array in arrays):
        raise DataError(f"{name} must have one shape in all splits, got {', '.join(str(a.shape) for a in arrays)}.")
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _array(value: Any, name: str) -> np.ndarray:
    """The value as an array of numbers or text; tensors and lists of equal parts are fine."""
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} is no array: {str(error).rstrip('.')}.") from error
    if array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat):
        array = array.astype(str)
    return np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array


def _images(images: np.ndarray, name: str) -> np.ndarray:
    """(N, H, W) or (N, H, W, 1|3) uint8."""
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)  # (N, H, W, C)
    if images.ndim not in (3, 4) or images.shape[3:] not in ((), (1,), (3,)) or images.size == 0:
        raise DataError(
            f"{name}: images must have shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3, "
            f"got {images.shape}."
        )
    if images.dtype == np.uint8:
        return images
    scaled = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        try:
            scaled[start : start + BLOCK] = to_uint8(block, name)
        except ImageError:
            for row, image in enumerate(block, start):
                to_uint8(image, f"{name}: image {row}")  # raises for the one that is wrong
    return scaled


def _roles(split: np.ndarray, name: str) -> np.ndarray:
    values = {str(value): role_of(str(value)) for value in np.unique(split)}
    for value, role in values.items():
        if value and role is None:
            raise DataError(f"{name}: in split, {unknown_split(value)}")
    return np.array([values[str(value)] or "" for value in split], dtype="<U5")


def _targets(
    fields: Mapping[str, np.ndarray], images: np.ndarray, name: str
) -> tuple[tuple[str, ...], np.ndarray | None, np.ndarray | None]:
    """Class names, and labels (N,) int64 or masks (N, H, W) uint8. Masks win where there are both."""
    given = fields.get("classes")
    named = None if given is None else tuple(str(item) for item in given.ravel())
    if named is not None and len(set(named)) < len(named):
        raise DataError(f"{name}: a class name occurs twice in {', '.join(named)}.")
    if "masks" in fields:
        classes, masks = _masks(fields["masks"], images, named, name)
        return classes, None, masks
    labels = fields["labels"]
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # (N,)
    hint = " Take the argmax of one-hot labels." if labels.ndim == 2 else ""
    try:
        require_shape(labels, "N", f"{name}: labels", N=len(images))
    except DataError as error:
        raise DataError(f"{error}{hint}") from None
    classes, numbers = _numbered(labels, named, name)
    return classes, numbers, None


def _numbered(labels: np.ndarray, named: tuple[str, ...] | None, name: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names, and (N,) int64 in 0..K-1, or -1."""
    if labels.dtype.kind not in "iubU":
        raise DataError(f"{name}: labels must be whole numbers or text, got {labels.dtype}.")
    is_text = labels.dtype.kind == "U"
    values, places = np.unique(labels, return_inverse=True)
    texts = ["" if not is_text and int(value) == -1 else str(value) for value in values]  # "" = unlabelled
    classes = sorted_names(text for text in texts if text) if named is None else named
    is_id = named is not None and not is_text
    number = {str(i) if is_id else text: i for i, text in enumerate(classes)}
    for text, value in zip(texts, values, strict=True):
        if (text not in number and text) or (is_text and not text):
            record = int(np.flatnonzero(labels == value)[0])
            allowed = f"0..{len(classes) - 1}" if is_id else ", ".join(classes)
            raise DataError(f"{name}: label {text!r} of record {record} is none of the classes ({allowed}).")
    ids = np.array([number.get(text, -1) for text in texts], dtype=np.int64)
    return classes, ids[places.ravel()]


def _masks(
    masks: np.ndarray, images: np.ndarray, named: tuple[str, ...] | None, name: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """Class names, and (N, H, W) uint8 of class ids and 255."""
    if masks.ndim == 4 and 1 in (masks.shape[1], masks.shape[3]):
        masks = masks[..., 0] if masks.shape[3] == 1 else masks[:, 0]  # (N, H, W)
    if masks.ndim == 4:
        raise DataError(
            f"{name}: masks must have shape (N, H, W) with a class id for each pixel, got {masks.shape}: take the "
            "argmax of one-hot masks, and turn colours into ids."
        )
    n, height, width = images.shape[:3]
    require_shape(masks, "N H W", f"{name}: masks", N=n, H=height, W=width)
    if masks.dtype.kind not in "iub" or masks.min() < 0 or masks.max() > IGNORE:
        raise DataError(
            f"{name}: masks must hold whole class ids from 0 to 255 (255 = ignore), got {masks.dtype} "
            f"from {masks.min()} to {masks.max()}."
        )
    masks = masks.astype(np.uint8)
    found: dict[int, list[str]] = {}
    for row, mask in enumerate(masks):
        for value in np.flatnonzero(np.bincount(mask.ravel(), minlength=256)).tolist():
            found.setdefault(value, []).append(f"{name}: mask {row}")

    def place(record: str, value: int) -> str:
        row, column = np.argwhere(masks[int(record.rpartition(" ")[2])] == value)[0]
        return f" (first at row {row}, column {column})"

    classes, ids = name_classes(found, None if named is None else Legend(dict(enumerate(named))), name, place)
    if ids is None:
        return classes, masks
    table = np.full(256, IGNORE, np.uint8)
    table[list(ids)] = list(ids.values())
    return classes, table[masks]
