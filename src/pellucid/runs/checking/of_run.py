"""`check` of a run: what its checks said while it was trained, what its curves say, and where a NaN began."""

import time
from pathlib import Path

from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.core.verdict import Verdict
from pellucid.runs.checking.checked import Checked
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files
from pellucid.tasks import get_task
from pellucid.training import checkpoint
from pellucid.training.health.autopsy.replay import replay
from pellucid.training.health.curves.curve import Ended
from pellucid.training.health.curves.diagnose import diagnose
from pellucid.training.health.curves.ranges import MOVES, Ranges, Tried, next_ranges
from pellucid.training.health.curves.recorded import CURVE_RULES, beside, recorded_curve


def check_run(folder: Path, progress: Progress) -> Checked:
    """All verdicts that a run keeps, and what its curves say as they stand, finished or not.

    Where a NaN stopped it, the stored batch goes through the stored weights once more, layer by layer.

    Raises:
        RunError: its verdicts are damaged.
        WeightsError: what it stored is damaged.
    """
    begun = time.monotonic()
    run = Run(folder)
    facts = _facts(folder)
    stopped = (folder / files.NONFINITE / "batch.safetensors").exists()
    kept = [verdict for verdict in run.verdicts if verdict.rule not in CURVE_RULES or facts is None]
    curves = _judge(run, facts, "non-finite" if stopped else "finished", kept) if facts else []
    seconds = {"reading": time.monotonic() - begun}
    notes: list[str] = []
    if facts and stopped:
        begun = time.monotonic()
        again = replay(folder, get_task(run.story.task), run.config, facts)
        notes = [f"Step {again.step} once more, layer by layer:", *again.lines()]
        seconds["replay"] = time.monotonic() - begun
    for note in notes:
        progress.event("replay", {"line": note})
    advice = None if stopped else _next(run, curves)
    notes += [advice.sentence()] if advice else []
    return Checked(str(folder), other=[*kept, *curves], seconds=seconds, notes=notes)


def _next(run: Run, curves: list[Verdict]) -> Ranges | None:
    """Rates and decays to try next, where the curves ask for others."""
    if not any(verdict.rule in MOVES for verdict in curves):
        return None
    return next_ranges([Tried(run.config.optim.lr, run.config.optim.weight_decay, curves)])


def _judge(run: Run, facts: DataFacts, ended: Ended, kept: list[Verdict]) -> list[Verdict]:
    if not run.history and ended == "finished":
        return []
    cfg = run.config.train
    if ended == "finished" and cfg.patience and len(run.history) < cfg.epochs:
        ended = "early"
    return beside(diagnose(recorded_curve(run.folder, run.config, get_task(run.story.task), facts, ended)), kept)


def _facts(folder: Path) -> DataFacts | None:
    """What the last checkpoint knows of the data; None for a model that was fitted in one go and has none."""
    if not checkpoint.generations(folder / files.LAST):
        return None
    state, _ = checkpoint.load(folder / files.LAST)
    return DataFacts.from_dict(state["about"]["facts"])
