"""Masks that cannot be used, at the terminal: `check` and `train` end with 1 and one line, and change nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from answer import Ask
from PIL import Image
from small_runs import QUICK, everything, flags, make_scenes

SHORT = flags({**QUICK, "epochs": 1})


def repainted(change: Callable[[np.ndarray], np.ndarray], end: str = ".png") -> None:
    for path in sorted(Path("data/masks").iterdir()):
        mask = np.array(Image.open(path))
        path.unlink()
        Image.fromarray(change(mask)).save(path.with_suffix(end))


def in_colours() -> None:
    repainted(lambda mask: np.stack([mask % 7 * 30, mask, mask], -1))


def with_an_id_too_many() -> None:
    repainted(
        lambda mask: np.where(np.arange(mask.size).reshape(mask.shape) == mask.shape[1] + 3, 200, mask > 0).astype(
            np.uint8
        )
    )
    Path("data/classes.txt").write_text("background\nthing\n")


WRONG: list[tuple[Callable[[], object], str]] = [
    (in_colours, "10 not-a-mask): images/"),
    (lambda: repainted(lambda mask: mask, ".jpg"), "is a JPEG, which changes the ids of a mask: save masks as PNG"),
    (with_an_id_too_many, "holds the id 200 (first at row 1, column 3), but only 0, 1 are named; 10 of 10 masks"),
    (lambda: repainted(lambda mask: np.full_like(mask, 255)), "nothing but 255 (ignore)"),
    (lambda: repainted(lambda mask: mask[:7]), "its mask "),
    (lambda: [path.unlink() for path in Path("data/masks").iterdir()], "there is no masks/"),
    (lambda: repainted(lambda mask: mask.astype(np.uint16) + 300), "but a mask holds whole class ids from 0 to 255"),
]


@pytest.mark.parametrize("verb", ["check", "train"])
@pytest.mark.parametrize(("make", "said"), WRONG)
def test_masks_that_cannot_be_used(ask: Ask, verb: str, make: Callable[[], object], said: str) -> None:
    make_scenes(Path("data"))
    make()
    before = everything(Path())
    answer = ask(verb, "data", *(SHORT if verb == "train" else ()))
    assert answer.code == 1 and answer.out == ""
    assert len(answer.err.splitlines()) == 1 and answer.err.startswith("pellucid: data") and said in answer.err
    assert everything(Path()) == before
