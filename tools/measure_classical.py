"""Measure what recipes/before_deep_nets.py promises, and write docs/before-deep-nets.md.

make classic-table         # all of Fashion-MNIST, one thread, a quarter of an hour
"""

import argparse
import datetime
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

from measure_demo import processor

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "before-deep-nets.md"
COMMAND = "python recipes/before_deep_nets.py"


def page(rows: list[Any], data: str, extra: str) -> str:
    """The table, with the command, the machine and the date it came from."""
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        f"| {r.method} | {r.chosen} | {r.accuracy:.2%} | {r.features:.1f} | {r.fit:.1f} | {r.predict:.1f} |"
        for r in rows
    ]
    versions = ", ".join(f"{name} {importlib.metadata.version(name).split('+')[0]}" for name in ("torch", "numpy"))
    return "\n".join(
        [
            "# What comes before deep nets reaches",
            "",
            f"`{COMMAND}{extra}`, {today}, {processor().split(';')[0]}), 1 thread, {versions}; data: {data}.",
            "",
            "| method (what was chosen) | chosen | test accuracy | features, s | one fit, s | predict, s |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *lines,
            "",
            "What is in brackets was chosen on a tenth of the training pictures; the winner was fitted on all of them",
            "and the test pictures were opened once. Seconds are wall time on a machine that may have been busy;",
            "*features* are those of all pictures. `make classic-table` writes this page.",
            "",
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", default="fashion-mnist")
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT / "recipes"))
    import before_deep_nets  # type: ignore[import-not-found]

    rows, data = before_deep_nets.table(chosen.data, chosen.quick)
    PAGE.write_text(page(rows, data, " --quick" * chosen.quick), encoding="utf-8")


if __name__ == "__main__":
    main()
