"""From nothing to the first prediction, side by side with a bare `import torch`; and how soon `--help` is there.

    python benchmarks/startup.py [--quick] [--rounds 9]

Whole processes, from start to end, that take turns. The run to predict with is trained here, one epoch on arrays of
noise; the picture is a PNG of 28x28 pixels.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import timing
from workers import Turn, run_once, take_turns

TORCH, FIRST, COMMAND = "import torch", "import pellucid and predict", "pellucid predict"
HELP, TRAIN_HELP = "pellucid --help", "pellucid train --help"
FOLD = 1.15  # of `import torch`, until the first prediction
HELP_SECONDS = 0.3

MAKE = """
import sys
import numpy as np
from PIL import Image
import pellucid

pictures = np.random.default_rng(0).integers(0, 256, (64, 28, 28), dtype=np.uint8)
pellucid.train((pictures, np.arange(64) % 4), out=sys.argv[1], epochs=1, batch=16, threads=1, progress="quiet")
Image.fromarray(pictures[0]).save(sys.argv[2])
"""
PREDICT = "import sys, pellucid; print(pellucid.Run(sys.argv[1]).predict(sys.argv[2])[0].label)"
ASK = "import sys; from pellucid.cli.main import main; sys.exit(main())"  # what the installed command does


@dataclass(frozen=True)
class Start:
    """What is started, and how: the words after the name of the interpreter."""

    name: str
    words: tuple[str, ...]


def starts(run: Path, picture: Path) -> list[Start]:
    """Everything that is timed, the yardstick first."""
    return [
        Start("start Python", ("-c", "pass")),
        Start(TORCH, ("-c", "import torch")),
        Start(FIRST, ("-c", PREDICT, str(run), str(picture))),
        Start(COMMAND, ("-c", ASK, "predict", str(run), str(picture))),
        Start(HELP, ("-c", ASK, "--help")),
        Start(TRAIN_HELP, ("-c", ASK, "train", "--help")),
    ]


def measure(rounds: int) -> dict[str, timing.Timed]:
    """Let all starts take turns."""
    with tempfile.TemporaryDirectory() as folder:
        run, picture = Path(folder) / "run", Path(folder) / "picture.png"
        subprocess.run([sys.executable, "-c", MAKE, str(run), str(picture)], check=True)
        turns: dict[str, Callable[[], Turn]] = {
            start.name: partial(run_once, [sys.executable, *start.words]) for start in starts(run, picture)
        }
        return take_turns(turns, rounds)


def check(times: dict[str, timing.Timed]) -> str:
    """Both ways to the first prediction say the same; the program ends when they do not."""
    label = times[FIRST].output.strip()
    row = times[COMMAND].output.strip().splitlines()[-1].split()
    if label not in ("0", "1", "2", "3") or label not in row:
        sys.exit(f"{FIRST} said {label!r}, {COMMAND} said {row}.")
    if "pellucid train" not in times[HELP].output or "--epochs" not in times[TRAIN_HELP].output:
        sys.exit("--help is not what it was.")
    return f"Both ways gave the same class ({label})."


def judge(times: dict[str, timing.Timed]) -> list[str]:
    """The floors, and what was found, by processor time."""
    lines = []
    for name in (FIRST, COMMAND):
        fold = timing.ratio(times[name], times[TORCH])
        lines.append(f"- {name}: {fold:.2f} times `{TORCH}`, at most {FOLD}: {_verdict(fold <= FOLD)}")
    for name in (HELP, TRAIN_HELP):
        seconds = times[name].median()
        lines.append(f"- {name}: {seconds:.2f} s, at most {HELP_SECONDS} s: {_verdict(seconds <= HELP_SECONDS)}")
    return lines


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def report(times: dict[str, timing.Timed]) -> list[str]:
    """The parts of the page."""
    rows = []
    for name, timed in times.items():
        folds = [f"{timing.ratio(timed, times[TORCH], clock):.2f}" for clock in ("cpu", "wall")]
        rows.append([f"`{name}`", f"{timed.median():.3f}", f"{timed.median('wall'):.3f}", *folds])
    header = ["process", "CPU s", "wall s", f"times `{TORCH}`, CPU", "wall"]
    n = len(times[TORCH].cpu)
    disturbed = sum(timed.disturbed for timed in times.values())
    about = (
        f"Whole processes, files in the system's cache; medians of {n} interleaved rounds ({disturbed} of "
        f"{n * len(times)} were disturbed: wall over CPU by more than 15 %). Ratios are medians of the rounds' ratios."
    )
    return [about, timing.table(header, rows), "\n".join(judge(times)), check(times)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="two rounds; no result file")
    asked = parser.parse_args()
    rounds = 2 if asked.quick else asked.rounds
    parts = report(measure(rounds))
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/startup.py --rounds {rounds}"
        timing.write_result("startup", "Start-up", command, ["torch", "numpy", "pillow"], parts)


if __name__ == "__main__":
    main()
