"""Write the pages of the experiments: docs/from-scratch/questions, classic, architectures, craft and so on.

python tools/write_questions.py            # all of them
python tools/write_questions.py norms      # one, and the index of its collection

A script's docstring is its page: a question or a claim, the answer, and the command that runs it. A remark behind the
command, "# half a minute", says that it takes long. `experiment()` gives the table (header, rows) and the picture, SVG.
"""

import argparse
import ast
import importlib.util
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lessons.pictures.table import on_page
from pellucid.core.choose import choose
from pellucid.core.files import write_text

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Said:
    """What a script's docstring says.

    Attributes:
        title: the question or the claim.
        answer: its paragraphs.
        command: what runs the script.
        remark: how long it takes, where that is long; empty for a script of seconds.
    """

    title: str
    answer: str
    command: str
    remark: str


@dataclass(frozen=True)
class Collection:
    """Scripts of one folder and their pages in another.

    Attributes:
        scripts: folder of the scripts, from the root of the repository.
        pages: folder of the pages, from the root of the repository.
        introduction: how the index begins.
        back: what links to the index are called.
        beside: pages in the same folder that others write -> what their links are called.
    """

    scripts: str
    pages: str
    introduction: str
    back: str
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return ROOT / self.pages

    def names(self) -> list[str]:
        return sorted(path.stem for path in (ROOT / self.scripts).glob("[a-z]*.py"))

    def load(self, name: str) -> ModuleType:
        """The script as a module; it is not part of a package."""
        spec = importlib.util.spec_from_file_location(name, ROOT / self.scripts / f"{name}.py")
        if spec is None or spec.loader is None:
            raise SystemExit(f"There is no {self.scripts}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def said(self, name: str) -> Said:
        """The parts of a script's docstring, without running it."""
        tree = ast.parse((ROOT / self.scripts / f"{name}.py").read_text(encoding="utf-8"))
        title, _, rest = inspect.cleandoc(ast.get_docstring(tree) or "").partition("\n\n")
        answer, _, last = rest.rpartition("\n\n")
        command, _, remark = last.partition("#")
        return Said(" ".join(title.split()), answer.strip(), command.strip(), remark.strip())

    def page(self, name: str) -> tuple[str, str]:
        """The page and its picture, from running the script."""
        said = self.said(name)
        header, rows, picture = self.load(name).experiment()
        lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
        link = "../" * len(Path(self.pages).parts) + f"{self.scripts}/{name}.py"
        text = "\n\n".join(
            [
                f"# {said.title.removesuffix('.')}",
                said.answer,
                f"![{said.title}](pictures/{name}.svg)",
                "\n".join("| " + " | ".join(cells) + " |" for cells in lines),
                f"[`{said.command}`]({link}) prints the table. [{self.back}](README.md)",
            ]
        )
        return text + "\n", on_page(picture)

    def index(self) -> str:
        """Every title with a link to its page, and then the pages beside."""
        lines = [self.introduction, *(f"- [{self.said(name).title}]({name}.md)" for name in self.names())]
        if self.beside:
            lines += [
                "",
                "Beside them: " + ", ".join(f"[{said}]({name}.md)" for name, said in self.beside.items()) + ".",
            ]
        return "\n".join(lines) + "\n"


QUESTIONS = Collection(
    scripts="recipes/questions",
    pages="docs/from-scratch/questions",
    introduction="""\
# Questions of the notes

The notes ask more than they answer. Each question below has a short answer and a small experiment that shows it; every
script runs by itself. Written by `make questions`. [All layers](../README.md)
""",
    back="All questions",
)
CLASSIC = Collection(
    scripts="recipes/classic",
    pages="docs/classic",
    introduction="""\
# Before deep nets, tried

What filters, edges, hand-made features and classical classifiers can do, what they cannot, and why: each claim below
comes with a small experiment, its numbers and a picture; every script runs by itself. Written by `make questions`.
""",
    back="All demonstrations",
)
ARCHITECTURES = Collection(
    scripts="recipes/architectures",
    pages="docs/architectures",
    introduction="""\
# Why the networks look as they do

Each idea that made a network what it is, tried on the networks themselves: a claim, a small experiment, its numbers and
a picture; every script runs by itself. Written by `make questions`.
""",
    back="All experiments",
)
CRAFT = Collection(
    scripts="recipes/craft",
    pages="docs/craft",
    introduction="""\
# The craft of training, tried

What the notes say about training, searching and regularising, each as a claim, a small experiment, its numbers and a
picture; every script runs by itself. Written by `make questions`.
""",
    back="All experiments",
)
SEGMENTATION = Collection(
    scripts="recipes/segmentation",
    pages="docs/segmentation",
    introduction="""\
# A class for every pixel, tried

Why segmenters go down and come up again, what brings outlines back, and what a class for every pixel cannot say: each
a claim, a small experiment, its numbers and a picture; every script runs by itself. Written by `make questions`.
""",
    back="All experiments",
)
DETECTION = Collection(
    scripts="recipes/detection",
    pages="docs/detection",
    introduction="""\
# Where things are, tried

How regions are proposed, pooled, learned from and thinned out, and what each of these steps costs: each a claim, a
small experiment, its numbers and a picture; every script runs by itself. Written by `make questions`.
""",
    back="All experiments",
    beside={"formats": "forms of boxes in files", "predict": "things in pictures of your own"},
)
COLLECTIONS = {
    "questions": QUESTIONS,
    "classic": CLASSIC,
    "architectures": ARCHITECTURES,
    "craft": CRAFT,
    "segmentation": SEGMENTATION,
    "detection": DETECTION,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the pages of the experiments.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="scripts, without .py; all of them if none is named")
    owners = {name: collection for collection in COLLECTIONS.values() for name in collection.names()}
    for name in parser.parse_args().names or owners:
        collection = choose(name, owners, "script")
        text, picture = collection.page(name)
        write_text(collection.folder / f"{name}.md", text)
        write_text(collection.folder / "pictures" / f"{name}.svg", picture)
        print(f"{collection.pages}/{name}.md")
    for collection in COLLECTIONS.values():
        write_text(collection.folder / "README.md", collection.index())


if __name__ == "__main__":
    main()
