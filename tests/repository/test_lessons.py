"""The pages of docs/from-scratch say what the source says now; their measured numbers alone are not made again here."""

import re
from pathlib import Path

import pytest

from lessons.page import code, words
from lessons.pictures.table import PICTURES, draw
from pellucid.proof.case import Layer, Loss, Update
from pellucid.proof.subjects import SUBJECTS


def without_digits(text: str) -> str:
    """The last digits of coordinates may differ from machine to machine."""
    return re.sub(r"[-\d.]+(e[-+]?\d+)?", "#", text)


@pytest.mark.parametrize("name", SUBJECTS)
def test_page_has_formula_derivation_code_proofs_and_picture(name: str, root: Path) -> None:
    subject, folder = SUBJECTS[name], root / "docs/from-scratch"
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    said = words(subject.module)
    for part in (said.title.rstrip("."), said.formula, said.derivation, said.source, code(subject.module)):
        assert part in page, f"{name}.md does not say what its source says; run `make lessons`"
    for case in subject.cases(subject.module):
        assert case.name in page, f"{name}.md has no proof of {case.name!r}; run `make lessons`"


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_up_to_date(name: str, root: Path) -> None:
    drawn = (root / f"docs/from-scratch/pictures/{name}.svg").read_text(encoding="utf-8")
    assert without_digits(drawn) == without_digits(draw(name)), "run `make lessons`"
    assert f"(pictures/{name}.svg)" in (root / f"docs/from-scratch/{name}.md").read_text(encoding="utf-8")


def test_every_layer_loss_and_rule_has_a_picture() -> None:
    plain = [
        name
        for name, subject in SUBJECTS.items()
        if name not in PICTURES
        and any(isinstance(case, (Layer, Loss, Update)) for case in subject.cases(subject.module))
    ]
    assert not plain


def test_index_names_every_page_and_nothing_else(root: Path) -> None:
    folder = root / "docs/from-scratch"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {path.stem for path in folder.glob("*.md")} - {"README"}
    assert pages == SUBJECTS.keys()
    assert all(f"| [{name}]({name}.md) |" in index for name in pages)
    assert PICTURES.keys() <= SUBJECTS.keys()
