"""The pages of the questions are what their scripts would write; their numbers may differ in the last digits."""

import re
from pathlib import Path

import pytest
import write_questions

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/from-scratch/questions"


def blanked(text: str) -> str:
    return re.sub(r"[-−]?\d[\d.,e+−-]*|nan|inf", "#", text)


@pytest.mark.parametrize("name", write_questions.names())
def test_page_and_picture_are_up_to_date(name: str) -> None:
    module = write_questions.load(name)
    question, answer, command = write_questions.said(module)
    assert question.endswith("?") and answer and command == f"python recipes/questions/{name}.py"
    text, picture = write_questions.page(name, module)
    assert blanked((FOLDER / f"{name}.md").read_text(encoding="utf-8")) == blanked(text), "run `make questions`"
    assert picture.startswith("<svg") and (FOLDER / f"pictures/{name}.svg").exists()


def test_index_names_every_question() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == write_questions.index(), "run `make questions`"
    assert {path.stem for path in FOLDER.glob("*.md")} == {"README", *write_questions.names()}
