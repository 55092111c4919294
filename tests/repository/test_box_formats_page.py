"""docs/detection/formats.md says what is so: it is what its tool writes, and names every word for a problem."""

import ast
from pathlib import Path

import cv2
import numpy as np
import write_box_formats

from pellucid.data.objects import Objects
from pellucid.data.readers.detect import KINDS
from pellucid.data.writers.coco import annotation
from pellucid.data.writers.yolo import box_shares


def test_the_page_is_what_its_tool_writes(root: Path) -> None:
    page = (root / "docs" / "detection" / "formats.md").read_text(encoding="utf-8")
    assert page == write_box_formats.page(), "run: python tools/write_box_formats.py"


def test_every_word_for_a_problem_is_explained(root: Path) -> None:
    folder = root / "src" / "pellucid" / "data" / "readers" / "detect"
    used = set()
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Problem", "BrokenLine"):
                word = node.args[1]
                used |= {word.value} if isinstance(word, ast.Constant) else set()
    assert len(used) > 15 and used <= KINDS.keys()
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.name != "__init__.py")
    assert [word for word in KINDS if f'"{word}"' not in text] == []


def test_opencv_gives_corner_and_size_as_coco_and_yolo_gives_middle_and_size() -> None:
    mask = np.zeros((50, 100), dtype=np.uint8)
    mask[20:30, 10:40] = 1
    things = Objects.from_masks(mask[None], np.zeros(1, dtype=np.int64))
    assert cv2.boundingRect(mask) == (10, 20, 30, 10)
    assert annotation(things, 0, [1])["bbox"] == [10, 20, 30, 10]
    assert box_shares(things, 0, (50, 100)) == [0.25, 0.5, 0.3, 0.2]
