"""A data set written to a folder: a named one, or one that is converted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress
from pellucid.data.load import load
from pellucid.data.scenes.export import FORMS, write_scenes
from pellucid.data.scenes.options import parse
from pellucid.data.source import Source
from pellucid.data.writers.boxes_csv import write_boxes_csv
from pellucid.data.writers.class_folder import write_class_folder
from pellucid.data.writers.coco import write_coco
from pellucid.data.writers.mask_folder import write_mask_folder
from pellucid.data.writers.voc import write_voc
from pellucid.data.writers.yolo import write_yolo, write_yolo_pose, write_yolo_segment

SCENES = "scenes"
THINGS: dict[str, Callable[[Source, Path, Progress | None], list[str]]] = {  # forms for things in pictures
    "coco": write_coco,
    "voc": write_voc,
    "yolo": write_yolo,
    "yolo-segment": write_yolo_segment,
    "yolo-pose": write_yolo_pose,
    "csv": write_boxes_csv,
}


def export(data: str, folder: Path, form: str = "", progress: Progress | None = None) -> list[str]:
    """Write a data set to a new folder, in which `load` finds it again.

    Args:
        data: what `load` takes. For class folders and masks its pictures must not lie in files already.
        folder: does not exist yet, or is empty.
        form: a key of `THINGS` for data that says where its things are (also a folder: so COCO becomes YOLO); for
            scenes one of `scenes.export.FORMS` too. Others have one form: class folders, or pictures and masks.

    Returns:
        sentences on what the form could not keep, and on records that had been left out in reading.

    Raises:
        ConfigError: an unknown form, or one the data set has no labels for.
        DataError: there is no such data, it cannot be written so, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    name, _, options = data.partition(":")
    if form:
        choose(form, dict.fromkeys((*FORMS, *THINGS)), "form")
    if name == SCENES:
        asked = parse(options)
        form = form or ("coco" if asked.purpose == "detect" else "")
        if form not in THINGS:
            write_scenes(asked, folder, form, progress)
            return []
        data = f"{SCENES}:{replace(asked, purpose='detect').text}"
    source = load(data, task="detect" if form in THINGS else "")
    if form in THINGS or (not form and source.kind == "detect"):
        return [*THINGS[form or "coco"](source, folder, progress), *_left_out(source)]
    if source.kind == "detect":
        raise ConfigError(f"{source.name} has boxes, so it can be written as {', '.join(THINGS)}; got {form}.")
    usual = "classes" if source.masks is None else "masks"
    if form not in ("", usual):
        raise ConfigError(f"{source.name} can be written as {usual} only; only scenes have labels of every kind.")
    (write_class_folder if usual == "classes" else write_mask_folder)(source, folder, progress)
    return _left_out(source)


def _left_out(source: Source) -> list[str]:
    """One sentence on the records that were broken, if any were."""
    if not source.problems:
        return []
    first = source.problems[0]
    many = len(source.problems)
    told = f"{many:,} records of {source.name} are broken, the first of them" if many > 1 else "One record is broken,"
    return [f"{told} {first.record} ({first.kind}): {first.reason.rstrip('.')}. `pellucid check` counts them by kind."]
