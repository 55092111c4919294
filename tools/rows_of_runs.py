"""Tables whose rows are runs of `pellucid train`, each in a folder, resumed where it was stopped.

Shared by the tables of segmenters and of detectors.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure_demo import processor
from measure_zoo import spent

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        settings: flags of `pellucid train`, beside those that all rows share; None takes a shared one out.
        least, seconds: what it is to reach within how many CPU seconds; 0 states nothing.
        data, metric: what it is trained on, "" for what all rows are; and the number that counts, likewise.
        encoder: name of the row whose run gives the encoder's weights; "" is from scratch.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    least: float = 0.0
    seconds: float = 0.0
    data: str = ""
    metric: str = ""
    encoder: str = ""


@dataclass(frozen=True)
class Table:
    """Rows, and what they share.

    Attributes:
        folder: where the runs lie.
        rows: by name.
        common: flags that all rows share.
        data, metric: what the rows are trained on and judged by unless they say otherwise.
    """

    folder: Path
    rows: dict[str, Row]
    common: dict[str, Any]
    data: str
    metric: str

    def train(self, name: str) -> None:
        """Train a row, and the one its encoder comes from, from where an earlier call stopped; open the test once."""
        row, folder = self.rows[name], self.folder / name
        if row.encoder:
            self.train(row.encoder)
        if not (folder / "report.html").exists():
            if (folder / "config.toml").exists():
                run_words(["train", "--resume", folder])
            else:
                shutil.rmtree(folder, ignore_errors=True)
                weights = {"weights": self.folder / row.encoder} if row.encoder else {}
                metric = row.metric or self.metric
                flags = {**self.common, "metric": metric, **row.settings, **weights, "out": folder}
                given = [word for key, value in flags.items() if value is not None for word in flag(key, value)]
                run_words(["train", row.data or self.data, *given])
        if not (folder / "test_openings.jsonl").exists():
            run_words(["evaluate", folder])

    def done(self) -> list[str]:
        """The rows whose test split was opened."""
        return [name for name in self.rows if (self.folder / name / "test_openings.jsonl").exists()]

    def value(self, name: str) -> float:
        """What the only opening of the test split found.

        Raises:
            SystemExit: another number was measured than the row is judged by.
        """
        line = (self.folder / name / "test_openings.jsonl").read_text(encoding="utf-8").splitlines()[0]
        found, wanted = json.loads(line), self.rows[name].metric or self.metric
        if found["metric"] != wanted:
            raise SystemExit(f"{name}: the run was judged by {found['metric']}, the table is of {wanted}.")
        return float(found["value"])

    def seconds(self, name: str) -> float:
        """CPU seconds of training and validation, and of the run that gave the encoder's weights."""
        encoder = self.rows[name].encoder
        return spent(self.folder / name)[0] + (spent(self.folder / encoder)[0] if encoder else 0)

    def verdict(self, name: str, value: float) -> tuple[str, str]:
        """What was asked of a row, and whether it is met."""
        row = self.rows[name]
        if not row.least:
            return "", ""
        met = value >= row.least and self.seconds(name) <= row.seconds
        return f"{row.least:.2f} in {row.seconds:,.0f}", "yes" if met else "**no**"

    def settings(self, name: str) -> str:
        """What is said of a row beside what all share."""
        row = self.rows[name]
        how = ", ".join(f"{key} {told(setting)}" for key, setting in row.settings.items() if setting is not None)
        how += f", on `{row.data}`" if row.data.startswith("scenes") else ""  # others are told by paths
        return how + (f", encoder of {row.encoder}" if row.encoder else "")

    def shared(self) -> str:
        """What all rows share, in words."""
        return ", ".join(f"{key} {value}" for key, value in self.common.items())

    def page(self, title: str, command: str, lines: list[str], about: str) -> str:
        """The page: heading, what made it, the table, what all rows share, what is missing."""
        import torch

        left = [name for name in self.rows if name not in self.done()]
        today, version = datetime.datetime.now(datetime.UTC).date(), torch.__version__.split("+")[0]
        made = f"`{command}`, {today}, {processor()}, 1 thread, torch {version}."
        missing = [f"Not run yet: {', '.join(left)}.", ""] if left else []
        return "\n".join([f"# {title}", "", made, "", *lines, "", textwrap.fill(about, 118), "", *missing])

    def serve(self, doc: str | None, place: Path, page: Callable[[], str]) -> None:
        """The command line: train rows, and write the page after each."""
        options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        options.add_argument(
            "--only", nargs="+", metavar="ROW", choices=list(self.rows), help="these rows, in this order"
        )
        options.add_argument("--page", action="store_true", help="train nothing, write the page from what is there")
        chosen = options.parse_args()
        for name in [] if chosen.page else chosen.only or self.rows:
            self.train(name)
            place.write_text(page(), encoding="utf-8")
        place.write_text(page(), encoding="utf-8")


def run_words(words: list[Any]) -> None:
    """A `pellucid` command in a process of its own, on one thread."""
    command = [sys.executable, "-m", "pellucid", *map(str, words), "--quiet"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def flag(name: str, value: Any) -> list[Any]:
    """A setting as words of the command line."""
    words = f"--{name.replace('_', '-')}"
    if value is True:
        return [words]
    return [words, *value] if isinstance(value, tuple) else [words, value]


def told(setting: Any) -> str:
    """A setting in words; of weights of classes the first, and that of all others."""
    return f"{setting[0]:g} for background, else {setting[1]:g}" if isinstance(setting, tuple) else str(setting)
