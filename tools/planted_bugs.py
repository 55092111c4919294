"""Plant bugs in the layers of `pellucid.scratch` and list the ones that no proof noticed.

    python tools/planted_bugs.py                 # every file, writes docs/planted-bugs.md
    python tools/planted_bugs.py affine softmax  # these alone, on the terminal
"""

import argparse
import importlib
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pellucid.proof.case import Subject
from pellucid.proof.mutation import Outcome, plant_and_prove

ROOT = Path(__file__).resolve().parent.parent


def subjects() -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for path in sorted((ROOT / "src/pellucid/proof/cases").glob("[a-z]*.py")):
        try:
            found |= importlib.import_module(f"pellucid.proof.cases.{path.stem}").SUBJECTS
        except Exception as error:
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
    return found


def outcome(name: str) -> Outcome:
    return plant_and_prove(subjects()[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(subjects())
    with ProcessPoolExecutor(1 if len(names) < 3 else 2) as pool:
        for name, found in zip(names, pool.map(outcome, names), strict=True):
            print(f"{name}: {found.caught} of {found.planted} caught, {len(found.unexplained)} unexplained")
            for survivor in found.unexplained:
                print(f"    survives: {survivor}")
            for stale in found.stale:
                print(f"    reason given for a bug that is caught, or not there: {stale}")


if __name__ == "__main__":
    main()
