"""The pages of the questions are what their scripts would write; their numbers may differ in the last digits."""

import re

import pytest
from write_questions import COLLECTIONS, QUESTIONS, ROOT, Collection

BOTH = pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=list(COLLECTIONS))
LONG = [pytest.mark.slow, pytest.mark.timeout(600)]
EVERY = [
    pytest.param(collection, name, id=name, marks=LONG if collection.said(name).remark else [])
    for collection in COLLECTIONS.values()
    for name in collection.names()
]


def blanked(text: str) -> str:
    return re.sub(r"[-−]?\d[\d.,e+−-]*|nan|inf", "#", text)


@pytest.mark.parametrize(("collection", "name"), EVERY)
def test_page_and_picture_are_up_to_date(collection: Collection, name: str) -> None:
    text, picture = collection.page(name)
    assert blanked((collection.folder / f"{name}.md").read_text(encoding="utf-8")) == blanked(text), (
        "run `make questions`"
    )
    assert picture.startswith("<svg") and (collection.folder / f"pictures/{name}.svg").exists()


@pytest.mark.parametrize(("collection", "name"), [pytest.param(*case.values, id=case.id) for case in EVERY])
def test_docstring_is_a_title_an_answer_and_the_command(collection: Collection, name: str) -> None:
    said = collection.said(name)
    assert said.title.endswith("?") or (collection is not QUESTIONS and said.title.endswith("."))
    assert said.answer and said.command == f"python {collection.scripts}/{name}.py"
    assert len((ROOT / collection.scripts / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 150


@BOTH
def test_index_names_every_page_and_no_other_files_lie_there(collection: Collection) -> None:
    assert (collection.folder / "README.md").read_text(encoding="utf-8") == collection.index(), "run `make questions`"
    assert {path.stem for path in collection.folder.glob("*.md")} == {"README", *collection.names(), *collection.beside}
    assert {path.stem for path in (collection.folder / "pictures").glob("*")} == set(collection.names())


def test_no_script_has_the_name_of_another() -> None:
    names = [name for collection in COLLECTIONS.values() for name in collection.names()]
    assert len(names) == len(set(names))
