"""The pages of docs/from-scratch say what the source says now; their measured numbers alone are not made again here."""

from pathlib import Path

import pytest

from lessons.page import code, words
from lessons.pictures.table import PICTURES, draw
from pellucid.proof.subjects import SUBJECTS


@pytest.mark.parametrize("name", SUBJECTS)
def test_page_has_formula_derivation_code_proofs_and_picture(name: str, root: Path) -> None:
    subject, folder = SUBJECTS[name], root / "docs/from-scratch"
    page = (folder / f"{name}.md").read_text(encoding="utf-8")
    said = words(subject.module)
    for part in (said.title.rstrip("."), said.formula, said.derivation, said.source, code(subject.module)):
        assert part in page, f"{name}.md does not say what its source says; run `make lessons`"
    for case in subject.cases(subject.module):
        assert case.name in page, f"{name}.md has no proof of {case.name!r}; run `make lessons`"
    assert (folder / f"pictures/{name}.svg").read_text(encoding="utf-8") == draw(name), "run `make lessons`"


def test_index_names_every_page_and_nothing_else(root: Path) -> None:
    folder = root / "docs/from-scratch"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {path.stem for path in folder.glob("*.md")} - {"README"}
    assert pages == SUBJECTS.keys()
    assert all(f"| [{name}]({name}.md) |" in index for name in pages)
    assert PICTURES.keys() == SUBJECTS.keys()
