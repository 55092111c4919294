"""`report.html` of a search: what won, how sure that is, what matters, and where to look next."""

import math
import shlex
from pathlib import Path

import numpy as np

from pellucid.core.files import read_text, write_text
from pellucid.plots.bars import bars
from pellucid.plots.search.parallel_coordinates import Upright, parallel_coordinates
from pellucid.plots.search.slices import slices
from pellucid.report.blocks import Block, Cell, Code, Facts, Figure, Note, Number, Section, Table, Verdicts
from pellucid.report.page import page
from pellucid.runs.searching import folder as files
from pellucid.runs.searching.study import Study
from pellucid.runs.searching.telling import duration
from pellucid.training.search.borders import EDGE
from pellucid.training.search.space import Axis, Choice, label, spelled
from pellucid.training.search.tried import Tried, ranked

SHOWN = 12  # rows of the table of the best
FEW = 20  # finished candidates; importance by fewer is mostly chance
SEEN = ("coarse", "fine")  # stages that are drawn: in the third the candidate is always the same


def write_page(study: Study) -> Path:
    """Write the page; its path.

    Raises:
        RunError: no trial has a score.
    """
    best, trials, metric = study.best, study.trials, study.metric
    begun = study.begun
    counts = {state: sum(one.state == state for one in trials) for state in ("done", "pruned", "failed")}
    where = f"{begun.options.cv} folds" if begun.options.cv else "the validation split"
    lead = (
        f"{len(trials)} trials of {spelled(study.space)}. The best has {best.words()}: {metric.name} {best.value:.4f} "
        f"on {where}, which it was chosen by; the test split was not opened."
    )
    numbers = [
        Number(metric.name, f"{best.value:.4f}", f"the best, on {where}"),
        Number("trials", str(len(trials)), ", ".join(f"{n} {state}" for state, n in counts.items() if n)),
        Number("time", duration(study.store.seconds()), "of work, pauses left out"),
    ]
    verdicts, _ = study.judge()
    sections = [
        Section("What it says", "", [Verdicts(verdicts, ""), *_no_alarm(study, bool(verdicts))]),
        *(
            Section(f"{stage.capitalize()} candidates", _caption(stage), [Figure(_lines(study, stage), wide=True)])
            for stage in SEEN
        ),
        _matters(study),
        _best_trials(study),
        _stages(study),
        _failed(trials),
        _next(study),
    ]
    name = begun.told.data or "arrays in memory"
    text = page(f"Search: {Path(name).name}", lead, numbers, sections, f"Pellucid {begun.told.version}")
    path = study.folder / files.REPORT
    write_text(path, text)
    return path


def _no_alarm(study: Study, alarm: bool) -> list[Block]:
    if alarm:
        return []
    said = "The best values lie inside their ranges."
    repeated = sum(one.stage == "repeat" and one.state == "done" for one in study.trials) > 1
    if repeated or study.begun.options.cv:
        said += " The best candidate is ahead of the next by more than chance."
    else:
        said += " Nothing was repeated, so how much of the differences is chance is not known."
    return [Note(said, "good")]


def _caption(stage: str) -> str:
    return f"Each line is a candidate of the {stage} stage, the better the darker; the dashed one is the best."


def _of(study: Study, stage: str) -> list[Tried]:
    return [one for one in study.trials if one.stage == stage and one.state in ("done", "pruned")]


def _lines(study: Study, stage: str) -> str:
    trials = _of(study, stage)
    if not trials:
        return ""
    sign = 1.0 if study.metric.higher_is_better else -1.0
    uprights = [
        Upright(name, [_inside(axis.position(one.settings[name])) for one in trials], _ticks(axis))
        for name, axis in study.space.items()
    ]
    scores = np.array([one.value for one in trials])
    seen = scores[np.isfinite(scores)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    if high > low:
        places, ticks = (scores - low) / (high - low), [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")]
    else:  # one score, in the middle
        places, ticks = scores - low + 0.5, [(0.5, f"{low:.4g}")] if len(seen) else []
    uprights.append(Upright(study.metric.name, places.tolist(), ticks))
    names = [f"{one.name}: {one.words()}" for one in trials]
    return parallel_coordinates(uprights, (sign * scores).tolist(), names, f"{stage}: {len(trials)} candidates")


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    if isinstance(axis, Choice):
        return [(axis.position(option), label(option)) for option in axis.options]
    if not axis.log:
        return [(axis.position(value), f"{value:g}") for value in (axis.low, axis.high)]
    powers = range(math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9) + 1)
    ends = [float(axis.low), float(axis.high)]
    return [(axis.position(value), f"{value:g}") for value in dict.fromkeys([*ends, *(10.0**p for p in powers)])]


def _inside(position: float) -> float:
    return min(max(position, 0.0), 1.0)


def _matters(study: Study) -> Section:
    coarse, known = _of(study, "coarse"), study.importance()
    blocks: list[Block] = []
    if known:
        blocks.append(
            Figure(bars({"share": list(known.values())}, list(known), "Share of the differences it explains"))
        )
    done = [one for one in coarse if one.state == "done"]
    if not done:
        return Section("What matters", "", blocks)
    best = done.index(ranked(done, study.metric.higher_is_better)[0])
    scores = [one.value for one in done]
    for name, axis in study.space.items():
        values = [one.settings[name] for one in done]
        if isinstance(axis, Choice):
            places = [axis.options.index(value) for value in values]
            last, named = len(axis.options) - 1, [label(option) for option in axis.options]
            drawn = slices(places, scores, name, 0, last, False, 0.0, best, named, study.metric.name)
        else:
            drawn = slices(values, scores, name, axis.low, axis.high, axis.log, EDGE, best, (), study.metric.name)
        blocks.append(Figure(drawn))
    lead = (
        "Importance is that of the coarse stage, over the whole ranges (fANOVA). In each slice the shaded ends are the "
        "border: a best value there would have been reported."
    )
    if known and len(done) < FEW:
        lead += f" {len(done)} finished candidates tell little of importance: take it as a hint."
    return Section("What matters", lead, blocks)


def _best_trials(study: Study) -> Section:
    rows = [row for row in study.table() if row["state"] == "done"][:SHOWN]
    if not rows:
        return Section("The best", "")
    kept = [name for name in rows[0] if name not in ("state", "reason")]
    cells: list[list[Cell]] = [[_cell(row[name]) for name in kept] for row in rows]
    note = "Fine trials are trained longer than coarse ones, so compare within a stage."
    return Section("The best trials", "", [Table(kept, cells, note=note)])


def _stages(study: Study) -> Section:
    rows: list[list[Cell]] = []
    better = study.metric.higher_is_better
    for stage in study.begun.options.stages():
        tried = [one for one in study.trials if one.stage == stage.name]
        order = ranked(tried, better)
        states = [sum(one.state == state for one in tried) for state in ("done", "pruned", "failed")]
        value = order[0].value if order else None
        rows.append([stage.name, stage.epochs, *states, value, f"{sum(one.seconds for one in tried):,.0f} s"])
    plan = study.store.plan("fine")
    blocks: list[Block] = [
        Table(("stage", "epochs", "done", "pruned", "failed", f"best {study.metric.name}", "time"), rows)
    ]
    if plan:
        compared: list[tuple[str, Cell] | tuple[str, Cell, str]] = [
            (name, axis.words(), f"before: {study.space[name].words()}") for name, axis in plan.space.items()
        ]
        blocks.append(Facts(compared, "The fine stage's ranges"))
    again = [one.value for one in study.trials if one.stage == "repeat" and one.state == "done"]
    if again:
        all_seeds = [study.best.value, *again]
        spread = f"{np.mean(all_seeds):.4f} ± {np.std(all_seeds, ddof=1):.4f}"
        blocks.append(
            Note(f"The best candidate over {len(all_seeds)} seeds: {spread}. Expect this mean, not what it won with.")
        )
    return Section("Coarse and fine", "All trials share one seed and one split; the rate is not decayed.", blocks)


def _failed(trials: list[Tried]) -> Section:
    rows: list[list[Cell]] = [[one.name, one.words(), one.reason] for one in trials if one.state == "failed"]
    return Section("Failed", "", [Table(("trial", "settings", "why"), rows[:SHOWN])])


def _next(study: Study) -> Section:
    folder, data = shlex.quote(str(study.folder)), shlex.quote(study.begun.told.data or "DATA")
    config = study.folder / files.BEST_CONFIG
    train = f"pellucid train {data} --config {shlex.quote(str(config))} --epochs 40 --schedule cosine"
    again = f"pellucid tune {data} --space {shlex.quote(study.next_space)}"
    blocks: list[Block] = [Code("\n".join((train, again, f"pellucid tune --resume {folder}")), "Train it, search on")]
    if config.exists():
        blocks.append(Code(read_text(config), files.BEST_CONFIG))
    return Section("The winner, and where to look next", "", blocks)


def _cell(value: object) -> Cell:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else None
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else label(value)
