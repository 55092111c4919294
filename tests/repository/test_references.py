"""The check of references finds what is there and says what is not."""

from pathlib import Path

import pytest
import references

PAGE = """
Run `make test`, then look at `photos/cat.jpg` and `pellucid`.

```bash
pip install x
make demo  # a minute
$ pellucid train photos \\
    --epochs 3
```
```python
make = 1
pellucid.train("photos")
```
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    contents = {
        "Makefile": "demo: x ## a demo\n\techo\ntest:\n",
        "recipes/demo.py": "",
        "src/pellucid/cli/main.py": 'from . import train\nVERBS: dict[str, object] = {"train": train}\n',
        "src/pellucid/data/pack.py": "LIMIT = 3\nsize: int = 4\n\nclass Pack:\n    def take(self): ...\n",
        "tests/test_a.py": "def test_one(): ...\n",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    "reference",
    [
        "make demo",
        "make PYTHON=python3.12 -j test",
        "pellucid train photos --epochs 3",
        "OMP_NUM_THREADS=1 .venv/bin/pellucid --version",
        ".venv/bin/python recipes/demo.py --quick",
        "python -c 'import pellucid'",
        "pytest tests/test_a.py::test_one -q",
        "recipes/demo.py",
        "data",
        "data/pack.py::LIMIT",
        "data/pack.py::size",
        "src/pellucid/data/pack.py::Pack::take",
        "tests/test_a.py::test_one[3-x]",
    ],
)
def test_what_is_there(reference: str, repository: Path) -> None:
    assert references.missing(reference, repository) == ""


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("make dmo", "no target dmo"),
        ("make demo tset", "no target tset"),
        ("pellucid trian photos", "no verb trian"),
        ("pellucid", "no verb (none)"),
        ("python recipes/other.py", "no file recipes/other.py"),
        ("pytest tests/test_a.py::test_two", "no test_two in tests/test_a.py"),
        ("data/packs.py", "no file data/packs.py"),
        ("data/pack.py::Pack::give", "no give in data/pack.py"),
        ("data/pack.py::take", "no take in data/pack.py"),
        ("see the code", "'see the code' is neither a file nor a known command"),
        ("", "it is empty"),
    ],
)
def test_what_is_not_there(reference: str, why: str, repository: Path) -> None:
    assert references.missing(reference, repository) == why


def test_the_commands_of_a_page() -> None:
    found = [" ".join(command.split()) for command in references.commands(PAGE)]
    assert found == ["make demo # a minute", "$ pellucid train photos --epochs 3", "make test"]


def test_the_rows_of_a_page() -> None:
    text = "| ID | where | shown by |\n| --- | :-: | --- |\n| A-1 | `x` | `y \\| z` |\nno row\n"
    assert list(references.rows(text)) == [["A-1", "`x`", "`y \\| z`"]]
