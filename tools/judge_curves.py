"""How many of the kept curves does the curve doctor name right?

python tools/judge_curves.py tuning    # every curve that is named otherwise, too
python tools/judge_curves.py held      # writes tests/training/health/curves/judged.json

The held curves are of other data, networks and seeds than those that the rules were tuned on (make_curves.py).
A curve is right when the rules raise its name and no other; a good one, when they raise none. The proposal to cut the
rate belongs to no name.
"""

import datetime
import json
import math
import platform
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.files import write_text
from pellucid.training.health.curves.curve import Curve
from pellucid.training.health.curves.diagnose import diagnose

KEPT = Path(__file__).resolve().parents[1] / "tests" / "training" / "health" / "curves"
RULES = {
    "too-low": "curve-rate-too-low",
    "high": "curve-rate-high",
    "very-high": "curve-rate-very-high",
    "bad-start": "curve-bad-start",
    "underfit": "curve-underfit",
    "overfit": "curve-overfit",
    "unrelated": "labels-unrelated",
}


@dataclass(frozen=True)
class Kept:
    """A curve, its name, and how it was made."""

    label: str
    family: str
    made: str
    curve: Curve

    @property
    def found(self) -> list[str]:
        """What the rules raise, but for the place to cut the rate."""
        return [verdict.rule for verdict in diagnose(self.curve) if verdict.rule != "curve-decay-now"]

    @property
    def is_right(self) -> bool:
        return self.found == ([RULES[self.label]] if self.label in RULES else [])


def kept(part: str) -> Iterator[Kept]:
    """The curves of a set, `tuning` or `held`."""
    for line in (KEPT / f"{part}.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        label, family, made = (record.pop(name) for name in ("label", "family", "made"))
        yield Kept(label, family, made, as_curve(record))


def as_curve(record: dict[str, Any]) -> Curve:
    """From the compact form: strides in place of steps, one number for a constant rate, null for NaN."""
    steps, epochs = len(record["loss"]), len(record["train_loss"])
    record |= {"step": [k * record["step"] for k in range(steps)]}
    record |= {"epoch_step": [(k + 1) * record["epoch_step"] for k in range(epochs)]}
    record["lr"] = record["lr"] if isinstance(record["lr"], list) else [record["lr"]] * steps
    known: dict[str, Any] = {name: math.nan if value is None else value for name, value in record.items()}
    columns: dict[str, Any] = {n: _column(value) if isinstance(value, list) else value for n, value in known.items()}
    return Curve(**columns)


def _column(values: list[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else float(value) for value in values])


def judge(part: str) -> dict[str, Any]:
    """Right and all curves, of each name and together."""
    right, every = Counter[str](), Counter[str]()
    for each in kept(part):
        every[each.label] += 1
        right[each.label] += each.is_right
    return {
        "curves": sum(every.values()),
        "right": sum(right.values()),
        "by_name": {name: [right[name], every[name]] for name in sorted(every)},
    }


def main() -> None:
    """Print the table; keep what came of the held set."""
    part = sys.argv[1]
    if part == "tuning":
        for each in kept(part):
            if not each.is_right:
                print(f"{each.label:10} {each.family:14} {each.made:26} named {', '.join(each.found) or 'nothing'}")
    result = judge(part)
    for name, (right, every) in result["by_name"].items():
        print(f"{name:10} {right:4} of {every}")
    print(f"{'in all':10} {result['right']:4} of {result['curves']} ({result['right'] / result['curves']:.1%})")
    if part == "held":
        about = {"command": "python tools/judge_curves.py held", "date": datetime.date.today().isoformat()}
        about["python"] = platform.python_version()
        write_text(KEPT / "judged.json", json.dumps({**about, **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
