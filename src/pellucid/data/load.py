"""Data by one word: a folder, a table, a file of arrays, arrays, or the name of a known set."""

from collections.abc import Callable, Mapping
from os.path import exists  # unlike Path's, it is False for impossible names
from pathlib import Path
from typing import Any

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, DataError
from pellucid.data.images import FORMATS
from pellucid.data.known import KNOWN
from pellucid.data.readers.arrays import read_arrays, read_npz
from pellucid.data.readers.cityscapes import is_cityscapes, read_cityscapes
from pellucid.data.readers.class_folder import read_class_folder, refuse_loose
from pellucid.data.readers.csv_table import read_csv_table
from pellucid.data.readers.detect.boxes_csv import is_boxes_csv, read_boxes_csv
from pellucid.data.readers.detect.coco import read_coco
from pellucid.data.readers.detect.coco_files import is_coco_folder
from pellucid.data.readers.detect.voc_boxes import read_voc_boxes, voc_boxes_year
from pellucid.data.readers.detect.yolo import read_yolo
from pellucid.data.readers.detect.yolo_files import ENDINGS, refuse_without_yaml, yolo_yaml
from pellucid.data.readers.listing import EXTENSIONS, look, require_folder
from pellucid.data.readers.mask_folder import is_mask_folder, read_mask_folder
from pellucid.data.readers.voc import read_voc, voc_year
from pellucid.data.source import Source

DETECT = "detect"
TABLES = (".csv", ".tsv")
BOXES: dict[str, Callable[[Path, str], Source]] = {  # words written before a path
    "coco": read_coco,
    "voc": read_voc_boxes,
    "yolo": read_yolo,
}
BOXES_LIE = " Boxes lie in annotations/, or in labels/ with a data.yaml."
HALVES = (("leftImg8bit", "gtFine"), ("JPEGImages", "SegmentationClass"), ("images", "masks"))  # pictures, masks


def load(data: Any, *, group: str = "", strict: bool = False, task: str = "") -> Source:
    """List the records of a data set. Pictures are not opened yet.

    Args:
        data: one of

            - a folder of class folders, one with `images/` and `masks/`, or one laid out as Pascal VOC, Cityscapes,
              COCO or YOLO
            - a `.csv` or `.tsv` table, or an `.npz` file
            - the name of a known set, or `name:folder` for one whose files lie in that folder;
              `name:` is never a folder, `./name` always is
            - `coco:`, `voc:` or `yolo:` and a path, for boxes of that form; without the word, a folder laid out so, a
              `.json` of COCO, the `data.yaml` of YOLO, or a table with the columns `x1`, `y1`, `x2` and `y2`
            - `scenes:size=128,difficulty=medium` and so on, for scenes as `data.scenes.Options` tells
            - a dict of arrays, or a tuple (images, labels)
            - a Source, which is returned as it is
        group: CSV column (or array) whose values are groups, or `folder` for the parent folder of each picture.
        strict: refuse the data set when any record had to be left out.
        task: what it is for, of a folder that has labels of several kinds: `detect` takes the boxes of Pascal VOC,
            where without a word its masks are read.

    Raises:
        DataError: there is no such data, it cannot be used, or (if strict) something had to be left out.
        ConfigError: `group` is not there.
    """
    if task == DETECT and (boxes := _boxes_beside_masks(data)):
        data = boxes
    source = _read(data, group)
    if not isinstance(data, Source):
        source.spec, source.group = spec_of(data), group
    if group and source.groups is None:
        raise ConfigError(f"{source.name} has no groups: leave out group={group}.")
    if strict and source.problems:
        first = source.problems[0]
        raise DataError(
            f"{source.name}: strict, and {len(source.problems)} things had to be left out. The first: "
            f"{first.record} ({first.kind}): {first.reason.rstrip('.')}. Repair them, or leave out strict."
        )
    return source


def spec_of(data: Any) -> str:
    """Text that `load` finds the same data by, from any folder; "" for arrays in memory."""
    if isinstance(data, Source):
        return data.spec
    if not isinstance(data, (str, Path)):
        return ""
    name, colon, folder = str(data).partition(":")
    if isinstance(data, str) and name in KNOWN:
        if folder and (spell := KNOWN[name].spell_options):
            return f"{name}:{spell(folder)}"
        return f"{name}:{Path(folder).expanduser().resolve()}" if folder else name + colon
    if isinstance(data, str) and name in BOXES and folder:
        return f"{name}:{Path(folder).expanduser().resolve()}"
    return str(Path(data).expanduser().resolve())


def _read(data: Any, group: str) -> Source:
    if isinstance(data, Source):
        return data
    if isinstance(data, (Mapping, tuple, list)):
        return read_arrays(data, group=group)
    if not isinstance(data, (str, Path)) or data == "":
        raise DataError(f"Data is a folder, a .csv or .npz file, a known name or a dict of arrays, got {data!r:.60}.")
    if isinstance(data, str):
        name, colon, folder = data.partition(":")
        if name in KNOWN:
            if not colon and exists(data):
                raise DataError(
                    f"{data} is a known data set and also lies in this folder: write {data}: for the known set or "
                    f"./{data} for what lies here."
                )
            if folder and (read := KNOWN[name].read_options):
                return read(folder)
            return KNOWN[name].load(Path(folder).expanduser() if folder else None)
        if name in BOXES and folder:
            return BOXES[name](Path(folder).expanduser(), group)
    path = Path(data).expanduser()
    if not exists(path):
        raise DataError(_not_there(str(data)))
    return _read_folder(path, group) if path.is_dir() else _read_file(path, group)


def _read_folder(path: Path, group: str) -> Source:
    if is_mask_folder(require_folder(path)):
        return read_mask_folder(path, group)
    if is_cityscapes(path):
        return read_cityscapes(path, group)
    if voc_year(path) is not None:
        return read_voc(path, group)
    if yolo_yaml(path) is not None:
        return read_yolo(path, group)
    if is_coco_folder(path):
        return read_coco(path, group)
    if voc_boxes_year(path) is not None:
        return read_voc_boxes(path, group)
    refuse_without_yaml(path)
    refuse_loose(path)
    _refuse_half(path)
    return read_class_folder(path, group)


def _boxes_beside_masks(data: Any) -> str:
    """`voc:` and the folder, where that has masks, which win, and boxes; else ""."""
    if not isinstance(data, (str, Path)) or (isinstance(data, str) and data.partition(":")[0] in KNOWN):
        return ""
    path = Path(data).expanduser()
    if not exists(path) or not path.is_dir() or voc_year(require_folder(path)) is None or is_mask_folder(path):
        return ""
    return f"voc:{path}" if voc_boxes_year(path) is not None else ""


def _refuse_half(path: Path) -> None:
    """Raise for a folder that has the pictures of a layout but not its masks, or the other way round."""
    folders = look(path).folders
    for pair in HALVES:
        there = [name for name in pair if name in folders]
        if len(there) == 1 and (pair != HALVES[-1] or len(folders) == 1):
            lacking = pair[there == [pair[0]]]
            raise DataError(
                f"{path} has {there[0]}/, but {lacking}/ is missing beside it: pictures and masks belong together."
                f"{BOXES_LIE if lacking == pair[1] else ''}"
            )


def _read_file(path: Path, group: str) -> Source:
    end = path.suffix.lower()
    if end in TABLES:
        return read_boxes_csv(path, group) if is_boxes_csv(path) else read_csv_table(path, group)
    if end in ENDINGS:
        return read_yolo(path, group)
    if end == ".json":
        return read_coco(path, group)
    if end == ".npz":
        return read_npz(path, group)
    if end == ".npy":
        raise DataError(f"{path} is one array: save images and labels together with np.savez, as .npz.")
    if end in EXTENSIONS:
        raise DataError(f"{path} is one picture: give the folder that holds the class folders.")
    raise DataError(
        f"{path} is no data set: give a folder of pictures ({', '.join(FORMATS)}), a .csv or an .npz file, COCO's "
        ".json or the data.yaml of YOLO."
    )


def _not_there(data: str) -> str:
    """What is said when `data` is neither a path nor a name."""
    name = data.partition(":")[0]
    if name in ("", ".") or any(mark in name for mark in "/\\.~"):
        told = "a folder of pictures, a .csv or an .npz file, COCO's .json, or a known name"
        return f"{data} does not exist: give {told}."
    return f"There is no folder or file {data}. {unknown(name, KNOWN, 'data set')}"
