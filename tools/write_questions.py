"""Write docs/from-scratch/questions: the experiments of recipes/questions as pages.

python tools/write_questions.py            # all of them
python tools/write_questions.py norms      # one, and the index
"""

import argparse
import importlib.util
import inspect
import os
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lessons.pictures.table import on_page
from pellucid.core.files import write_text

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "recipes" / "questions"
FOLDER = ROOT / "docs" / "from-scratch" / "questions"
INTRODUCTION = """\
# Questions of the notes

The notes ask more than they answer. Each question below has a short answer and a small experiment that shows it; every
script runs by itself. Written by `make questions`. [All layers](../README.md)
"""


def names() -> list[str]:
    return sorted(path.stem for path in SCRIPTS.glob("[a-z]*.py"))


def load(name: str) -> ModuleType:
    """The script as a module; it is not part of a package."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"There is no recipes/questions/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(module: ModuleType) -> tuple[str, str, str]:
    """Question, answer and command of a script's docstring."""
    question, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
    answer, _, command = rest.rpartition("\n\n")
    return question.strip(), answer.strip(), command.strip()


def page(name: str, module: ModuleType) -> tuple[str, str]:
    """The page and its picture."""
    question, answer, command = said(module)
    header, rows, picture = module.experiment()
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    text = "\n\n".join(
        [
            f"# {question}",
            answer,
            f"![{question}](pictures/{name}.svg)",
            f"{table}",
            f"[`{command}`](../../../recipes/questions/{name}.py) prints the table. [All questions](README.md)",
        ]
    )
    return text + "\n", on_page(picture)


def index() -> str:
    """Every question with a link to its page."""
    return "\n".join([INTRODUCTION, *(f"- [{said(load(name))[0]}]({name}.md)" for name in names())]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the pages of the questions.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    for name in parser.parse_args().names or names():
        text, picture = page(name, load(name))
        write_text(FOLDER / f"{name}.md", text)
        write_text(FOLDER / "pictures" / f"{name}.svg", picture)
        print(name)
    write_text(FOLDER / "README.md", index())


if __name__ == "__main__":
    main()
