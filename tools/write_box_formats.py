"""Write docs/detection/formats.md: the forms of boxes in files, with examples that the writers write.

python tools/write_box_formats.py
"""

import tempfile
from pathlib import Path

import numpy as np

from pellucid.core.files import write_text
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.readers.detect import KINDS
from pellucid.data.source import Source
from pellucid.data.writers.boxes_csv import TABLE
from pellucid.data.writers.export import THINGS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "detection" / "formats.md"
HEIGHT, WIDTH = 50, 100
BOX = [10, 20, 40, 30]
PARTS = {
    "boxes_xyxy": "boxes",
    "labels": "classes",
    "is_crowd": "crowds",
    "masks": "masks",
    "keypoints": "keypoints",
    "area": "areas",
}
SHOWN = {"coco": "annotations/instances.json", "voc": "Annotations/a.xml", "yolo": "labels/a.txt", "csv": TABLE}

INTRODUCTION = f"""\
# Boxes in files

`pellucid.load` and every command take data with boxes in the forms below, and `pellucid datasets DATA --export FOLDER
--as FORM` writes any of them from any other. Inside there is one convention: `boxes_xyxy` is left, top, right, bottom
in pixels of the picture, where pixel i covers [i, i + 1]; so a box around the columns 10 to 39 reaches from 10 to 40.
`python tools/write_box_formats.py` writes this page, with what the writers wrote.

## One box in each form

A dog in the columns {BOX[0]} to {BOX[2] - 1} and the rows {BOX[1]} to {BOX[3] - 1} of a picture that is {WIDTH} wide
and {HEIGHT} high: `boxes_xyxy = {BOX}`.
"""

CONVENTIONS = """\
| form | numbers of a box | counted from |
|---|---|---|
| COCO | left, top, width, height | 0, with parts of pixels |
| Pascal VOC | xmin, ymin, xmax, ymax | 1, and the last pixel belongs to the box: left is xmin - 1, right is xmax |
| YOLO | class, middle across, middle down, width, height | shares of the picture's width and height |
| table | x1, y1, x2, y2 | 0: as inside |
| OpenCV's `cv2.boundingRect`, which is no file | left, top, width, height | 0, whole pixels |

Notes say that OpenCV gives the middle of a box. It gives the corner and the size; the middle and the size is what
YOLO's files hold.
"""

FOUND = """\
## What is found by itself

| what is given | it is read as |
|---|---|
| `coco:FILE.json`, or a `.json` | COCO; `*` in the name takes several: `coco:annotations/person_keypoints_*.json` |
| a folder with `annotations/instances_train.json`, or with `train/_annotations.coco.json` | COCO, splits by the names |
| `voc:FOLDER`, or a folder with `JPEGImages/` (or `images/`) and `Annotations/` | VOC, splits by `ImageSets/Main` |
| `yolo:FILE.yaml`, a `.yaml`, or a folder with a `data.yaml` | YOLO, splits by its `train`, `val` and `test` |
| a `.csv` whose header names `path,x1,y1,x2,y2,class` | a table; also `crowd`, `split` and `group` |

- A picture's annotation does not lie beside it, but in a folder or a file of its own as above; what is found elsewhere
  is refused with a word on where it belongs. Of YOLO alone labels may lie beside the pictures, with `train: .`.
- Without splits, or without one for testing, a part of the pictures is held out: `--val-fraction`, `--test-fraction`.
- In a `data.yaml`, `path` and leading `../` may speak of another machine: pictures are looked for below the file. A
  `test` that is not there is told and passed over, since tools write that line always; `train` and `val` must be there.
- The columns of a table may have other names, in any case of letters (`filename`, `xmin`, `left`, `label` ...), and
  stand in any order, separated by comma, semicolon or tab. They are corners: `x,y,w,h` is refused.
- A folder of VOC with `SegmentationClass/` is read for its masks; `--task detect`, or `voc:` before it, takes the
  boxes. Outlines are those of `SegmentationObject/`, if every picture with things has one. In VOC's own sets some do:
  `voc:VOC2012/ImageSets/Segmentation` takes the pictures of those lists, whose things have outlines.
- In `SegmentationObject/` the value i, from 1 on, is the i-th object of the XML, and 255, the border, is nobody's.
  Where there are more or fewer, or a mask does not touch its box, each box gets the mask that fits it best.
- Pictures with nothing in them count: in COCO those without annotations, in VOC those whose XML names no object, in
  YOLO those without a label file, in a table rows with a path alone.
- Crowds are neither hits nor misses. VOC's difficult things are read as crowds, so that they are ignored as in VOC's
  own evaluation; what is found inside of one is forgiven by COCO's rule, which is a little milder.
- Keypoints of COCO are numbers of pixels; half a pixel is added, which writing takes off again.
- Ids of COCO's categories and pictures are kept, with gaps or not: writing COCO takes them again, and `results.json`
  of a model that was trained on such a file has its categories.
- Polygons of COCO are filled pixel for pixel as its own tools do, those of YOLO by the centres of the pixels.
- Masks are there if every thing has an outline.
"""

LEFT_OUT = """\
## What is left out

Paths count from the folder of the data set and never leave it, by `..`, from `/`, or through a link. XML with a
document type is refused, and so is YAML with aliases; nothing in a file is run or fetched. A record that is broken is
left out, named in `Source.problems`, and counted by a word that stays the same; `--strict` refuses the data instead.
What cannot be read at all (no JSON, a list of splits that contradicts itself) is an error that names the file.

| word | meaning |
|---|---|
"""


def sample() -> Source:
    """One picture with the dog above."""
    objects = Objects(np.array([BOX], dtype=np.float32), np.zeros(1, dtype=np.int64))
    return Source("sample", np.zeros((1, HEIGHT, WIDTH, 3), np.uint8), ["a"], ("dog", "cat"), objects=[objects])


def everything() -> Source:
    """Two things with all there can be: a crowd, a mask of two parts with a hole, keypoints, and an area of its own."""
    mask = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    mask[0, 5:20, 5:30], mask[0, 8:12, 9:20], mask[0, 30:40, 50:60] = True, False, True
    mask[1, 22:40, 5:30] = True
    found = Objects.from_masks(mask, np.array([1, 0]))
    points = np.array([[[3.25, 4.5, 2], [0, 0, 0]]] * 2, dtype=np.float32)
    crowd, area = np.array([False, True]), np.array([300.5, 375], dtype=np.float32)
    objects = Objects(found.boxes_xyxy, found.labels, found.masks, points, crowd, area)
    return Source("sample", np.zeros((1, HEIGHT, WIDTH, 3), np.uint8), ["a"], ("dog", "cat"), objects=[objects])


def examples() -> str:
    """What the writers write of the sample, form by form."""
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for form, file in SHOWN.items():
            THINGS[form](sample(), Path(folder, form), None)
            text = Path(folder, form, file).read_text(encoding="utf-8").strip()
            if form == "coco":
                text = text[text.index('"annotations"') :].removesuffix("}")
            kind = {"coco": "json", "voc": "xml"}.get(form, "text")
            parts.append(f"`--as {form}`, `{file}`:\n\n```{kind}\n{text}\n```\n")
    return "\n".join(parts)


def held() -> str:
    """Which parts of things come back from each form, found by writing and reading."""
    before = everything()
    assert before.objects is not None
    lines = [f"| form | {' | '.join(PARTS.values())} |", f"|---|{'---|' * len(PARTS)}"]
    with tempfile.TemporaryDirectory() as folder:
        for form, write in THINGS.items():
            place = Path(folder, form)
            write(before, place, None)
            back = load(place / TABLE if form == "csv" else place)
            assert back.objects is not None
            cells = ["yes" if _same(before, back, part) else "-" for part in PARTS]
            lines.append(f"| `{form}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _same(before: Source, back: Source, part: str) -> bool:
    """Whether a part of the things came back; of those that are no crowds, where crowds are gone."""
    assert before.objects is not None and back.objects is not None
    ours, theirs = before.objects[0], back.objects[0]
    assert ours.is_crowd is not None
    if len(theirs) < len(ours):
        if part == "is_crowd":
            return False
        ours = ours.take(~ours.is_crowd)
    if part == "labels":
        named = [[source.classes[label] for label in one.labels] for source, one in ((before, ours), (back, theirs))]
        return named[0] == named[1]
    mine, others = getattr(ours, part), getattr(theirs, part)
    if isinstance(mine, np.ndarray):
        return others is not None and np.array_equal(mine, others)
    return bool(mine == others)


def page() -> str:
    """The whole page."""
    table = f"""\
## What each form can hold

{held()}

`-` is what is not there when the folder is read again; `pellucid datasets` says so when it writes one. Boxes come
back to the last bit, also with parts of pixels. In `voc` a pixel belongs to one thing: of masks that overlap, the
smaller has it, and where one has none left there are no masks at all. `yolo-segment` and `yolo-pose` are YOLO's lines
with outlines and with keypoints; an outline with several parts and holes is one ring there, joined by lines that are
gone both ways, and boxes are those around the outlines. A table holds no list of classes: those that occur come back,
sorted.
"""
    rows = "\n".join(f"| `{word}` | {meaning} |" for word, meaning in KINDS.items())
    convert = """\
## From one form to another

```sh
pellucid datasets coco:annotations/instances_val2017.json --export as-yolo --as yolo
pellucid datasets as-yolo --export as-voc --as voc
pellucid datasets scenes:size=128,train=100,test=20 --export scenes-coco --as coco
```

Pictures that are files are copied as they are; those in memory become PNG.
"""
    return "\n".join([INTRODUCTION, examples(), CONVENTIONS, table, FOUND, convert, LEFT_OUT + rows]) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    write_text(PAGE, page())
