"""How much of each difficulty a model bears: its number on pictures that were made harder, more and more."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from pellucid.core.choose import choose
from pellucid.core.device import choose_precision
from pellucid.core.errors import DataError
from pellucid.core.files import write_json, write_text
from pellucid.core.progress import Progress
from pellucid.data.loader import Loader
from pellucid.data.source import ROLES
from pellucid.data.transforms import Compose, Transform, build
from pellucid.data.transforms.challenges.table import CHALLENGES, At, Challenge
from pellucid.nn.precision import device_of
from pellucid.runs.comparing.challenges_page import page_of
from pellucid.runs.evaluate import Evaluation, log_opening, own_splits, warn_if_opened
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.record import Record
from pellucid.training.scoring import evaluate


@dataclass(frozen=True)
class Borne:
    """What was measured of one challenge.

    Attributes:
        name: key of `CHALLENGES`.
        challenge: what it does.
        strengths: rising from 0, the clean pictures.
        values: the metric at each.
    """

    name: str
    challenge: Challenge
    strengths: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def kept(self) -> float:
        """Mean of the values over all strengths but 0, as a share of the clean one; NaN where that is 0."""
        return sum(self.values[1:]) / len(self.values[1:]) / self.values[0] if self.values[0] else math.nan


@dataclass(frozen=True)
class Challenged:
    """A whole report.

    Attributes:
        clean: the metric on the pictures as they are, what `evaluate` says of the split.
        curves: one a challenge, in the table's order.
    """

    split: str
    pictures: int
    seed: int
    metric: str
    higher_is_better: bool
    clean: float
    curves: tuple[Borne, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; what is not finite is None."""
        return {
            "split": self.split,
            "pictures": self.pictures,
            "seed": self.seed,
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "clean": _finite(self.clean),
            "challenges": {
                each.name: {
                    "factor": each.challenge.factor,
                    "about": each.challenge.about,
                    "unit": each.challenge.unit,
                    "strengths": list(each.strengths),
                    "values": [_finite(value) for value in each.values],
                    "kept": _finite(each.kept),
                }
                for each in self.curves
            },
        }


def challenge_run(
    run: Record,
    split: str | None,
    progress: Progress,
    *,
    seed: int = 0,
    table: Mapping[str, Challenge] = CHALLENGES,
) -> Challenged:
    """Measure a run under every challenge, and write `challenges.json` and `challenges.html` into its folder.

    The same pictures, and the same ways of being turned, hidden and so on, at every strength of a challenge; only how
    much of it there is rises. The picture is changed as the network would have seen it, after the canvas was cut.

    Args:
        split: part of the run's own data; None is the validation split. To name the test split opens it, which is
            logged as every opening is.
        seed: of all that is drawn.
        table: the challenges; those of `CHALLENGES`. Of data with things those are left out after which it is not
            known where things are.

    Raises:
        ConfigError: no such split.
        DataError: the data changed since, or the split is empty.
    """
    role: Any = choose(split or "val", {name: name for name in ROLES}, "split")
    splits = own_splits(run, progress)
    if not len(splits.split.role(role)):
        raise DataError(f"{run.folder} has no {role} records to be made harder. Name another split with --split.")
    if role == "test":
        warn_if_opened(run, progress)
    trained = run.trained
    device = torch.device(device_of(trained.model))
    precision = choose_precision(trained.cfg.train.precision, device)
    preprocess = splits.facts.preprocess
    middle = build(splits.augment, preprocess.size, preprocess.canvas_size, train=False)
    first: tuple[Transform, ...] = (middle,) if middle else ()
    metric = trained.task.judged_by(trained.cfg)
    if "boxes_xyxy" in splits.pack.targets:
        table = {name: challenge for name, challenge in table.items() if challenge.for_things}

    def measure(change: At | None) -> tuple[dict[str, Any], Any]:
        transform = Compose((*first, change) if change else first)
        rows = splits.split.role(role)
        batch = min(2 * trained.cfg.train.batch, len(rows))
        loader = Loader(splits.pack, rows, batch, seed=seed, device=device, transform=transform)
        return evaluate(trained.task, trained.cfg, trained.facts, trained.model, loader.epoch(0), precision, device)

    summary, records = measure(None)
    clean = float(summary[metric.name])
    if role == "test":
        log_opening(run, Evaluation("test", summary, records, splits, "test", True))
    n_steps = sum(len(challenge.strengths) for challenge in table.values())
    curves, done = [], 0
    with progress.bar(f"Challenges on {role}", n_steps) as advance:
        for name, challenge in table.items():
            values = [clean]
            for strength in challenge.strengths:
                values.append(float(measure(At(challenge, strength))[0][metric.name]))
                done += 1
                advance(done, f"{name} {strength:g}: {metric.name} {values[-1]:.4f}")
            curves.append(Borne(name, challenge, (0.0, *challenge.strengths), tuple(values)))
    n = len(splits.split.role(role))
    found = Challenged(role, n, seed, metric.name, metric.higher_is_better, clean, tuple(curves))
    write_json(run.folder / files.CHALLENGES, found.as_dict())
    write_text(run.folder / files.CHALLENGES_PAGE, page_of(found, run, splits))
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
