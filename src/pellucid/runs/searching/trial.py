"""One trial: a candidate is trained for a few epochs and scored on the validation split, or on folds.

The test split is never opened: a search chooses, and what chooses must not judge.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from pellucid.core import config as settings
from pellucid.core.errors import (
    ConfigError,
    DataError,
    NonFiniteError,
    OutOfMemory,
    WeightsError,
    is_out_of_memory,
)
from pellucid.core.files import write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.core.task import Task
from pellucid.data.prepare import Splits, divided
from pellucid.data.source import Source
from pellucid.data.splits import Split, k_fold
from pellucid.nn.precision import place_model
from pellucid.runs.setup.assemble import choose_metric, make_job, settle_device
from pellucid.runs.setup.autoencoded import learn
from pellucid.training import loop
from pellucid.training.optim import resolve_lr
from pellucid.training.scoring import evaluate
from pellucid.training.search.tried import Order, Scored, TrialFailed

SETTINGS = "settings.toml"
WARMUP_SHARE = 0.1  # of a trial
REASON = 300  # letters


def decided(cfg: Any) -> dict[str, Any]:
    """What a trial has where nobody states it: a rate that is not decayed, a short warm-up, nobody watching each step.

    A trial of two epochs with a whole epoch of warm-up, or a rate that has decayed to nothing, says little about the
    rate it was given.
    """
    warmup = min(cfg.schedule.warmup_epochs, WARMUP_SHARE * cfg.train.epochs)
    return {"schedule": "constant", "warmup_epochs": warmup, "monitor": False}


class Watcher(Quiet):
    """Says nothing, and hands on each epoch's score."""

    def __init__(self, key: str, tell: Callable[[int, float], None]) -> None:
        super().__init__()
        self.key, self.tell = key, tell

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """What the loop tells programs: of each epoch, its numbers."""
        score = values.get(self.key) if kind == "epoch" else None
        if score is not None:
            self.tell(int(values["epoch"]) + 1, float(score))


@dataclass
class Trainer:
    """Trains orders of a search.

    Attributes:
        task, source: what is learned from what.
        cfg: the settings that are fixed, with device, precision and threads settled.
        folder: where each trial gets a folder.
        cv: folds of cross-validation; 0 takes the validation split.
        own: settings that nobody stated, and that are decided here: see `decided`.
        progress: for what happens once, such as packing the pictures.
    """

    task: Task
    source: Source
    cfg: Any
    folder: Path
    cv: int = 0
    own: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Quiet)
    _ready: tuple[Any, list[Splits]] | None = None

    def __call__(self, order: Order) -> Scored:
        """Train and score.

        Raises:
            TrialFailed: a NaN, too little memory, or settings that cannot be trained together.
            Interrupted: a signal came.
        """
        folder = self.folder / order.name
        shutil.rmtree(folder, ignore_errors=True)  # of a trial that was interrupted
        try:
            return self._score(order, self.configured(order), folder)
        except (NonFiniteError, ConfigError, DataError, WeightsError) as error:
            raise TrialFailed(" ".join(str(error).split())[:REASON]) from error
        except (MemoryError, RuntimeError, OutOfMemory) as error:
            if not isinstance(error, OutOfMemory) and not is_out_of_memory(error):
                raise
            raise TrialFailed("not enough memory for these settings") from error

    def configured(self, order: Order) -> Any:
        """The settings of a trial: those that are fixed, those it tries, and those of its stage."""
        base = self.cfg
        cfg = settings.change(base, {**order.settings, "seed": base.train.seed + order.repeat})
        if cfg.model.model in self.task.fitted:
            return cfg
        cfg = settings.change(cfg, {"epochs": order.epochs})
        return settings.change(cfg, {name: value for name, value in decided(cfg).items() if name in self.own})

    def splits(self, cfg: Any, given: Any = None) -> list[Splits]:
        """The data, divided once, or once for each fold. Made anew only where the settings of the data differ.

        Raises:
            DataError: nothing to validate on.
        """
        key = (cfg.data, cfg.augment, cfg.transfer if given else None)
        if self._ready is None or self._ready[0] != key:
            whole = self.task.make_data(cfg, self.source, self.progress, given.preprocess if given else None)
            folds = self._folds(whole, cfg, measured=given is None) if self.cv else [whole]
            if not folds[0].facts.n_train or not folds[0].facts.n_val:
                raise DataError(
                    f"{self.source.name}: a search needs training and validation pictures, got "
                    f"{folds[0].facts.n_train} and {folds[0].facts.n_val}. Raise --val-fraction, or say --cv 5."
                )
            self._ready = key, folds
        return self._ready[1]

    def _folds(self, whole: Splits, cfg: Any, measured: bool) -> list[Splits]:
        """Training and validation rows together, dealt into folds; the test rows stay out."""
        rows = np.sort(np.concatenate([whole.split.train, whole.split.val]))
        kept = self.source.take(np.asarray(whole.pack.rows))
        labels = None if kept.labels is None else np.asarray(kept.labels)[rows]
        groups = None if kept.groups is None else [kept.groups[row] for row in rows]
        seed = cfg.train.seed if cfg.data.split_seed < 0 else cfg.data.split_seed
        dealt = k_fold(len(rows), self.cv, seed, labels, groups)
        splits = [Split(rows[train], rows[val], whole.split.test) for train, val in dealt]
        return [divided(whole, split, cfg.data.preprocess if measured else None) for split in splits]

    def _score(self, order: Order, cfg: Any, folder: Path) -> Scored:
        cfg, given = self.task.borrow(cfg)
        folds = self.splits(cfg, given)
        values, losses = [], []
        for number, splits in enumerate(folds, start=1):
            settled = self.task.resolve(cfg, splits.facts)
            settled = given.settle(settled, splits.facts) if given else settled
            settled = replace(settled, train=replace(settled.train, metric=choose_metric(self.task, settled).name))
            place = folder / f"fold-{number}" if self.cv else folder
            place.mkdir(parents=True)
            fit = self.task.fit(settled)
            if fit is None:
                settled = replace(
                    settled, optim=replace(settled.optim, lr=resolve_lr(settled.optim, settled.train.batch)[0])
                )
            if number == 1:
                write_text(folder / SETTINGS, settings.to_toml(settled))
            told = order.tell if not self.cv else _unheard
            one = self._fit(settled, splits, fit) if fit else self._train(settled, splits, place, told, given)
            values.append(one.value)
            losses.append(one.loss)
            if self.cv:
                order.tell(number, mean(values))
        return Scored(mean(values), mean(losses), tuple(values) if self.cv else ())

    def _train(self, cfg: Any, splits: Splits, place: Path, tell: Callable[[int, float], None], given: Any) -> Scored:
        device, cfg = settle_device(cfg)
        watcher = Watcher(f"val_{cfg.train.metric}", tell)
        learned = None if given else learn(self.task, cfg, splits, device, Quiet())
        tensors = given.tensors(cfg) if given else learned.tensors if learned else None
        job = make_job(self.task, cfg, splits, place, device, watcher, tensors)
        loop.train(job)
        if job.best.best_value is None:
            raise TrialFailed(f"validation {cfg.train.metric} was never a number")
        loss = job.best.best_loss
        return Scored(job.best.best_value, float("nan") if loss is None else loss)

    def _fit(self, cfg: Any, splits: Splits, fit: Any) -> Scored:
        """A model that is fitted in one go."""
        device, cfg = settle_device(cfg)
        model = place_model(self.task.make_model(cfg, splits.facts), device).eval()
        fit.run(cfg, splits, model, Quiet())
        batches = splits.loader("val", 2 * cfg.train.batch, device=device)
        summary, _ = evaluate(self.task, cfg, splits.facts, model, batches.epoch(0), "fp32", device)
        return Scored(float(summary[cfg.train.metric]), float(summary["loss"]))


def settings_text(folder: Path, name: str) -> str:
    """The settings of a trial, every one resolved, as TOML."""
    return (folder / name / SETTINGS).read_text(encoding="utf-8")


def _unheard(step: int, score: float) -> None:
    """Within a fold nobody listens: the mean over the folds so far is what counts."""
