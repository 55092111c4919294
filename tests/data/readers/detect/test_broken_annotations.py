"""Annotations broken at random: each gives one clear error or is left out and named, and never anything else."""

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from box_folders import box, coco, text, thing, voc, yolo

from pellucid.core.errors import DataError
from pellucid.data.load import load

JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        3.5,
        10**30,
        10**400,
        -1e300,
        float("nan"),
        float("inf"),
        "",
        "x",
        "9",
        "\0",
        "\ud800",
        "../a.png",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        [1, 2],
        {"a": 1},
        [[1, 2, 3, 4, 5, 6]],
        [float("nan")] * 6,
        {"size": [1, 1], "counts": [1]},
    ),
    *({"size": [16, 20], "counts": "0"}, {"size": None, "counts": []}, {"size": [16, 20], "counts": [[1]]}),
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in ((node, key), *places(node[key]))]


def use(data: Path, names: str) -> None:
    """Read it, and make all its things; only one clear error may come of it, which names the file or its folder."""
    try:
        source = load(data)
        assert source.objects is not None
        for row in range(len(source)):
            assert len(source.objects[row]) >= 0
    except DataError as error:
        assert "\n" not in str(error) and names in str(error), str(error)[:300]
        return
    assert all(problem.record and problem.kind and "\n" not in problem.reason for problem in source.problems)


@pytest.mark.parametrize("seed", range(3))
def test_coco(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    things = [
        thing(id=1, segmentation=[[1, 2, 4, 2, 4, 6]], area=3, iscrowd=0, keypoints=[1, 2, 2]),
        thing(id=2, segmentation={"size": [16, 20], "counts": [5, 3, 312]}, iscrowd=1),
    ]
    path = coco(tmp_path, annotations=things)
    whole = path.read_text(encoding="utf-8")
    for _ in range(80):
        content = json.loads(whole)
        for _ in range(dice.choice((1, 1, 2, 4))):
            container, key = dice.choice(places(content) or [({}, "")])
            if dice.random() < 0.15 and isinstance(container, dict):
                container.pop(key, None)
            else:
                container[key] = deepcopy(dice.choice(JUNK))
        text(path, json.dumps(content))
        use(path, str(tmp_path))
    for _ in range(30):  # and cut off or with a wrong byte
        raw = bytearray(whole.encode())
        raw[dice.randrange(len(raw))] = dice.randrange(256)
        text(path, bytes(raw[: dice.choice((len(raw), dice.randrange(len(raw))))]))
        use(path, str(tmp_path))


def test_voc(tmp_path: Path) -> None:
    dice = random.Random(0)
    words = ("", "x", "-1", "nan", "inf", "1e400", "9" * 5000, "\u202e", "&lt;", "&#0;", "<a/>", "<![CDATA[1]]>", "1_0")
    voc(tmp_path, a=box("dog", 1, 2, 3, 4), b=box("cat", 1, 2, 3, 4))
    path = tmp_path / "Annotations" / "a.xml"
    whole = path.read_text(encoding="utf-8")
    for _ in range(80):
        parts = whole.replace("<", "\n<").replace(">", ">\n").split("\n")
        parts[dice.randrange(len(parts))] = dice.choice(words)
        text(path, "".join(parts))
        use(tmp_path, str(tmp_path))


def test_yolo(tmp_path: Path) -> None:
    dice = random.Random(0)
    words = ("", "x", "-1", "nan", "inf", "1e400", "1" * 5000, "\u202e", "0.5", "1", "0 0.5 0.5", "\x85", "1_0", "0x1")
    path = yolo(tmp_path, {"train/a": "", "val/b": "0 0.5 0.5 0.5 0.5\n"})
    label = tmp_path / "labels" / "train" / "a.txt"
    for _ in range(80):
        count = dice.choice((4, 5, 5, 7, 9))
        text(label, " ".join(dice.choice((*words, "0.25", "0.75", "0")) for _ in range(count)))
        use(path, str(tmp_path))
    whole = path.read_text(encoding="utf-8")
    lines = (
        "a: b",
        "- a",
        "names: 3",
        "nc: x",
        "train: [a, [b]]",
        "? {a: b} : c",
        "<<: a",
        "!!set {a}",
        "---",
        "kpt_shape: [1]",
        "\t",
    )
    for _ in range(40):
        parts = whole.split("\n")
        parts.insert(dice.randrange(len(parts)), dice.choice(lines))
        if dice.random() < 0.5:
            parts.pop(dice.randrange(len(parts)))
        text(path, "\n".join(parts))
        use(path, str(tmp_path))


def test_tables(tmp_path: Path) -> None:
    dice = random.Random(0)
    yolo(tmp_path, {"a": None})
    words = ("", "x", "-1", "nan", "inf", "1e400", '"', ",", "\n", "\0", "../a.png", "images/a.png", "dog", "7")
    for _ in range(80):
        cells = ["images/a.png", "1", "2", "3", "4", "dog"]
        cells[dice.randrange(6)] = dice.choice(words)
        rows = ["path,x1,y1,x2,y2,class", "images/a.png,1,2,3,4,cat", ",".join(cells)]
        use(text(tmp_path / "boxes.csv", "\n".join(rows)), "boxes.csv")
