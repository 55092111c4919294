"""Plant bugs in the layers of `pellucid.scratch` and list the ones that no proof noticed.

python tools/planted_bugs.py                 # every file; minutes
python tools/planted_bugs.py affine softmax  # these alone
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pellucid.core.choose import choose
from pellucid.proof.mutation import Outcome, plant_and_prove
from pellucid.proof.subjects import SUBJECTS


def outcome(name: str) -> Outcome:
    return plant_and_prove(choose(name, SUBJECTS, "subject"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Plant bugs and list the ones that no proof noticed.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(SUBJECTS)
    planted = caught = missed = 0
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
        for name, found in zip(names, pool.map(outcome, names), strict=True):
            print(f"{name}: {found.caught} of {found.planted} caught, {len(found.unexplained)} unexplained")
            for survivor in found.unexplained:
                print(f"    survives: {survivor}")
            for stale in found.stale:
                print(f"    reason given for a bug that is caught, or not there: {stale}")
            planted, caught = planted + found.planted, caught + found.caught
            missed += len(found.unexplained) + len(found.stale)
    print(f"{caught} of {planted} caught in {len(names)} files; the others change nothing, {missed} unexplained.")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
