"""The ladder: every kind of classifier on the same split, chosen on validation, and the test split opened once.

A folder holds one run folder a rung, and `ladder.json` with what was settled, spent and found. It can be stopped at any
moment: what is finished is not repeated, and what was begun goes on.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pellucid.core.config import require
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.facts import DataFacts
from pellucid.core.files import write_text
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.data.load import load, spec_of
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.doctor.gate import pass_gate
from pellucid.runs.comparing.climbing.climb import Climb
from pellucid.runs.comparing.climbing.ledger import PAGE, PICTURE, Ledger, remove, take_up
from pellucid.runs.comparing.climbing.page import page_of, picture
from pellucid.runs.comparing.climbing.rungs import Rung, chosen
from pellucid.runs.evaluate import OPENED_AGAIN
from pellucid.runs.setup.config import make_config
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.notebook import table
from pellucid.tasks import get_task
from pellucid.tasks.classify.config import ClassifyConfig

DEFAULTS: "Shared" = {
    "seed": 0,
    "fraction": 1.0,
    "val_fraction": 0.1,
    "image_size": "auto",
    "threads": 0,
    "device": "auto",
    "allow_leaks": False,
}
DECIDES = ("split_seed", "fraction", "val_fraction", "image_size", "threads")  # what comes out
LEAST, FREE, A_PICTURE, MOST = 240.0, 12_000, 0.125, 5400.0  # CPU seconds, see `usual_budget`


@dataclass(frozen=True)
class Ladder:
    """A finished ladder.

    Attributes:
        folder: holds the runs, `ladder.json`, `ladder.html` and `ladder.svg`.
        rows: one a rung, from the lowest up: rung, what, model, parameters, epochs, validation, test (accuracies),
            cpu_seconds, wall_seconds.
        left_out: rung -> why.
        cpu_seconds: of everything, measuring included.
        verdicts: that the test split was opened again, where it was.
    """

    folder: Path
    rows: list[dict[str, Any]]
    left_out: dict[str, str]
    cpu_seconds: float
    verdicts: tuple[Verdict, ...] = ()

    def _repr_html_(self) -> str:
        return table(self.rows)


class Shared(TypedDict, total=False):
    """Settings that all rungs share, as in `pellucid.train`."""

    seed: int
    fraction: float
    val_fraction: float
    image_size: str
    threads: int
    device: str
    allow_leaks: bool


def ladder(
    data: Any,
    *,
    out: str | Path | None = None,
    budget: float = 0.0,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    overwrite: bool = False,
    progress: Style = "auto",
    **shared: Unpack[Shared],
) -> Ladder:
    """Climb from pixels to an ensemble of deep nets, and measure all of them once on the test split.

    Every rung sees the same split. What is chosen (k, penalties, the best epoch) is chosen on its validation part. How
    many epochs follows from what one costs, measured, and from the budget. Called again with the same arguments it goes
    on where it stopped.

    Args:
        data: what `pellucid.load` takes, with one label a picture.
        out: the folder; None makes `runs/<data>-ladder`.
        budget: CPU seconds for everything; 0 goes by the number of pictures, see `usual_budget`.
        only, skip: names of rungs: knn, softmax, svm, features, mlp, cnn, resnet, transfer, strong, ensemble.
        overwrite: begin anew where a ladder lies in `out`.
        progress: as in `pellucid.train`.
        shared: settings of all rungs. `seed` is of the split and of everything random; the members of the ensemble
            take it and those that follow.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    require(budget >= 0, "budget", "0 (by the number of pictures) or positive seconds", budget)
    rungs = chosen(only, skip)
    source = load(data)
    if source.labels is None:
        raise DataError(f"{source.name} has no labels; the ladder is for pictures with one label each.")
    shown = make_progress(progress)
    common: dict[str, Any] = {**DEFAULTS, **shared, "split_seed": shared.get("seed", DEFAULTS["seed"])}
    splits = get_task("classify").make_data(make_config(ClassifyConfig, {}, common), source, shown)
    facts = splits.facts
    for name, n in {"validation": facts.n_val, "test": facts.n_test}.items():
        if not n:
            raise DataError(
                f"{source.name} has no {name} pictures, which the ladder needs. Use a larger --val-fraction."
            )
    spec = spec_of(data)
    asked = {"data": spec or source.name, "split": facts.split_hash, "budget": budget or usual_budget(facts.n_train)}
    folder = Path(out) if out is not None else files.RUNS / re.sub(r"[^\w.-]+", "-", f"{source.name}-ladder".lower())
    ledger = take_up(folder, {**asked, **{name: common[name] for name in DECIDES}}, overwrite)
    if not ledger.plan:
        _look_for_leaks(splits, source, bool(common["allow_leaks"]), ledger, shown)
    shown.say(
        f"{source.name}: {facts.n_train:,} train / {facts.n_val:,} val / {facts.n_test:,} test pictures, "
        f"{ledger.asked['budget']:,.0f} CPU seconds for all rungs. Folder: {folder}"
    )
    climb = Climb(ledger, source, spec, facts, common, rungs, shown)
    for rung in rungs:
        climb.climb(rung)
    if all(rung.name in ledger.left_out for rung in rungs):
        raise ConfigError(f"No rung could be climbed. {'; '.join(ledger.left_out.values())}.")
    climb.measure()
    return _told(ledger, rungs, facts, shown)


def _look_for_leaks(splits: Splits, source: Source, allowed: bool, ledger: Ledger, shown: Progress) -> None:
    """Once for all rungs, since they share the split.

    Raises:
        DataError: something leaks.
    """
    started, wall = time.process_time(), time.perf_counter()
    try:
        leaks = pass_gate(splits, source, allowed)
    except DataError:
        remove(ledger.folder)
        raise
    for verdict in leaks:
        shown.say(verdict.sentence())
    ledger.spend("looking for leaks", time.process_time() - started, time.perf_counter() - wall)


def _told(ledger: Ledger, rungs: Sequence[Rung], facts: DataFacts, shown: Progress) -> Ladder:
    """The result, with its picture and its page written."""
    verdicts = _opened_again(ledger.openings, ledger.folder)
    for verdict in verdicts:
        shown.say(verdict.sentence())
    rows = {row["rung"]: row for row in ledger.rows}
    there = [rows[rung.name] for rung in rungs if rung.name not in ledger.left_out]
    left_out = {rung.name: ledger.left_out[rung.name] for rung in rungs if rung.name in ledger.left_out}
    made = Ladder(ledger.folder, there, left_out, ledger.cpu_seconds, verdicts)
    write_text(ledger.folder / PICTURE, picture(made.rows))
    write_text(ledger.folder / PAGE, page_of(made, facts, ledger))
    return made


def usual_budget(n_train: int) -> float:
    """CPU seconds for a training split: four minutes, and 0.125 s for each picture above 12,000, at most 1.5 hours."""
    return min(MOST, LEAST + A_PICTURE * max(0, n_train - FREE))


def _opened_again(openings: int, folder: Path) -> tuple[Verdict, ...]:
    if openings < 2:
        return ()
    return (
        Verdict(
            OPENED_AGAIN,
            "warn",
            f"the test split of {folder} was opened {openings} times, for rungs that were added later",
            "choosing rungs by what the others reached on the test split makes the test numbers too good",
            "choose by the validation column, or begin anew with all rungs (--overwrite)",
        ),
    )
