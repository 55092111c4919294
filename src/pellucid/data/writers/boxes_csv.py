"""Written as a table: `boxes.csv` with `path,x1,y1,x2,y2,class,crowd,split`, and the pictures in `images/train/`."""

import csv
import io
from pathlib import Path

from pellucid.core.files import write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.source import Source
from pellucid.data.writers.new_folder import new_folder
from pellucid.data.writers.things import (
    classes_unlisted,
    copy_picture,
    name_files,
    no_place,
    parts_lost,
    plain,
    require_things,
)

TABLE = "boxes.csv"
HEADER = ("path", "x1", "y1", "x2", "y2", "class", "crowd", "split")


def write_boxes_csv(source: Source, folder: Path, progress: Progress | None = None) -> list[str]:
    """Write a data set with things to a new folder; `read_boxes_csv` reads the same boxes, crowds and splits back.

    Returns:
        sentences on what could not be kept.

    Raises:
        DataError: the data does not say where its things are, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    source, things = require_things(source, "a table")
    progress = progress or Quiet()
    files = name_files(source)
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    lost: set[str] = set()
    shown: set[str] = set()
    with new_folder(folder) as place, progress.bar("writing pictures", len(files)) as advance:
        for done, one in enumerate(files, start=1):
            path = Path("images", one.role, one.file)
            copy_picture(source, one.row, place / path)
            objects = things[one.row]
            assert objects.is_crowd is not None  # filled in by Objects
            for box, label, is_crowd in zip(objects.boxes_xyxy, objects.labels, objects.is_crowd, strict=True):
                name = source.classes[int(label)]
                shown.add(name)
                table.writerow([path.as_posix(), *map(plain, box), name, int(is_crowd), one.role])
            if not len(objects):
                table.writerow([path.as_posix(), "", "", "", "", "", "", one.role])
            lost |= parts_lost(objects)
            advance(done)
        write_text(place / TABLE, text.getvalue())
    return no_place(lost, "Tables") + classes_unlisted(shown, source.classes, "A table holds no list of classes")
