"""Write docs/from-scratch: one page a layer, with its picture, its code and what its proofs found, and the index.

    python tools/write_lessons.py              # everything; planting the bugs takes minutes
    python tools/write_lessons.py relu affine  # these pages and the index

The index keeps the rows of pages that are not written anew.
"""

import argparse
import os
import platform
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lessons.page import page, short, words
from lessons.pictures.table import PICTURES, draw
from pellucid.core.choose import choose
from pellucid.core.files import write_text
from pellucid.proof.mutation import Outcome, plant_and_prove
from pellucid.proof.prove import Proof, prove
from pellucid.proof.subjects import AREAS, SUBJECTS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "from-scratch"
INTRODUCTION = """\
Every formula of the course by hand, in NumPy alone: `pellucid.scratch`. Each page has the formula, how it is derived,
a picture, the code itself, and what its proofs found: the largest relative error of the gradient against centred
differences, of the adjoint test (where the layer is linear), of output and gradients against PyTorch, and how many bugs
planted by machine the proofs caught (those that change nothing are explained on the page). Written by `make lessons`;
the same proofs run over a file of your own with `pellucid gradcheck FILE.py`."""
HEAD = """\
| page | what | gradient | adjoint | twin | planted bugs caught |
| --- | --- | ---: | ---: | ---: | ---: |"""


@dataclass(frozen=True)
class Lesson:
    """What was measured for one page."""

    name: str
    proofs: list[Proof]
    planted: Outcome


def study(name: str) -> Lesson:
    """Run the proofs of a subject, and plant every bug in it."""
    subject = SUBJECTS[name]
    return Lesson(name, [prove(case) for case in subject.cases(subject.module)], plant_and_prove(subject))


def write(lesson: Lesson) -> None:
    subject = SUBJECTS[lesson.name]
    drawn = lesson.name in PICTURES
    write_text(FOLDER / f"{lesson.name}.md", page(lesson.name, subject, lesson.proofs, lesson.planted, drawn))
    if drawn:
        write_text(FOLDER / "pictures" / f"{lesson.name}.svg", draw(lesson.name))


def index_row(lesson: Lesson) -> str:
    """Name, title, the largest error of each kind, planted bugs."""
    said = words(SUBJECTS[lesson.name].module).title.rstrip(".")
    worst = [
        short(max((error for proof in lesson.proofs if (error := getattr(proof, kind)) is not None), default=None))
        for kind in ("gradient", "adjoint", "twin")
    ]
    planted = f"{lesson.planted.caught} of {lesson.planted.planted}"
    return f"| [{lesson.name}]({lesson.name}.md) | {said} | {' | '.join(worst)} | {planted} |"


def write_index(lessons: dict[str, Lesson]) -> None:
    path = FOLDER / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = {match[1]: match[0] for match in re.finditer(r"^\| \[([\w-]+)\]\(.*$", text, re.MULTILINE)}
    lines = [
        "# From scratch",
        "",
        INTRODUCTION,
        "",
        f"Last run on {date.today().isoformat()}: Python {platform.python_version()}, NumPy {version('numpy')}, "
        f"torch {version('torch')}, {platform.machine()}.",
        "",
        "[Questions of the notes, answered by experiments](questions/README.md) ·",
        "[What the notes have wrong](../errata.md)",
    ]
    for area, subjects in AREAS.items():
        rows = [
            index_row(lessons[name]) if name in lessons else kept[name]
            for name in subjects
            if name in lessons or name in kept
        ]
        lines += ["", f"## {area}", "", HEAD, *rows] if rows else []
    write_text(path, "\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a page; all when left out")
    names = parser.parse_args().names or list(SUBJECTS)
    for name in names:
        choose(name, SUBJECTS, "lesson")
    lessons = {}
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
        for lesson in pool.map(study, names):
            write(lesson)
            lessons[lesson.name] = lesson
            print(f"{lesson.name}: {lesson.planted.caught} of {lesson.planted.planted} planted bugs caught")
            for survivor in lesson.planted.unexplained:
                print(f"    not noticed: {survivor}")
    write_index(lessons)


if __name__ == "__main__":
    main()
