"""What is known of a run before its job is built: its data, every setting, and the weights it starts from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pellucid.core.errors import DataError
from pellucid.core.progress import Progress
from pellucid.core.task import Task
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.runs.setup.assemble import check_names, check_validation, choose_metric, make_job, settle_device
from pellucid.runs.setup.autoencoded import Learned, autoencoder_epochs, learn, sentence
from pellucid.runs.setup.batch import settle_batch
from pellucid.tasks import get_task
from pellucid.training.job import Job
from pellucid.training.optim import resolve_lr
from pellucid.training.rates.finder import STEPS, Found, find_rate


@dataclass(frozen=True)
class Prepared:
    """A run that could begin.

    Attributes:
        task, cfg, splits, device: as a job takes them; every setting is resolved.
        given: the weights it starts from, or None; see `Task.borrow`.
        rate_note: where the learning rate comes from.
        searches: whether the rate is to be searched for; until then it is the usual one.
        found: what the search for it found; None when it was not searched for.
        learned: what an autoencoder has learned, to start from; see `learn_pictures`.
    """

    task: Task
    cfg: Any
    splits: Splits
    device: torch.device
    given: Any = None
    rate_note: str = ""
    searches: bool = False
    found: Found | None = None
    learned: Learned | None = None

    @property
    def fitted(self) -> bool:
        """Whether the model is fitted in one go, so that there is no job to build."""
        return self.task.fit(self.cfg) is not None

    def job(self, progress: Progress) -> Job:
        """A job, the same each time; its folder is still to be said."""
        weights = self.given.tensors(self.cfg) if self.given else self.learned.tensors if self.learned else None
        return make_job(self.task, self.cfg, self.splits, Path(), self.device, progress, weights)

    def about_weights(self) -> Sequence[str]:
        """Sentences on what the run starts from."""
        if self.given:
            return self.given.sentences(self.cfg, self.splits.facts)
        epochs = autoencoder_epochs(self.cfg)
        return (sentence(epochs, self.splits.facts.n_train, self.learned),) if epochs else ()

    def verdicts(self) -> list[Verdict]:
        """What is to be said of the weights it starts from, and of a rate that was searched for."""
        said = self.given.verdicts(self.cfg, self.splits.facts) if self.given else []
        return [*said, self.found.verdict(usual_rate(self.cfg))] if self.found else said


def prepare_run(source: Source, cfg: Any, task_name: str, progress: Progress) -> Prepared:
    """Read the data and settle every setting but a rate that is to be searched for. Nothing is written.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    task = get_task(task_name)
    check_names(task, cfg)
    device, cfg = settle_device(cfg)
    cfg, given = task.borrow(cfg)
    splits = task.make_data(cfg, source, progress, given.preprocess if given else None)
    if splits.facts.n_train == 0:
        raise DataError(f"{source.name}: no training records. Name some `train`, or lower --val-fraction.")
    check_validation(cfg, splits.facts)
    cfg = task.resolve(cfg, splits.facts)
    cfg = given.settle(cfg, splits.facts) if given else cfg
    cfg = replace(cfg, train=replace(cfg.train, metric=choose_metric(task, cfg).name))
    if task.fit(cfg):
        return Prepared(task, cfg, splits, device, given)
    cfg = settle_batch(task, cfg, splits, device, progress, given.tensors(cfg) if given else None)
    rate, note = resolve_lr(cfg.optim, cfg.train.batch)
    settled = replace(cfg, optim=replace(cfg.optim, lr=rate, find_lr=False))
    return Prepared(task, settled, splits, device, given, note, cfg.optim.find_lr)


def learn_pictures(prepared: Prepared, progress: Progress) -> Prepared:
    """Let an autoencoder learn the pictures when that was asked for, so that every job starts from what it found.

    Raises:
        ConfigError: the network does not end in a linear layer, or the error stopped being a number.
    """
    if prepared.learned or not autoencoder_epochs(prepared.cfg):
        return prepared
    learned = learn(prepared.task, prepared.cfg, prepared.splits, prepared.device, progress)
    return replace(prepared, learned=learned)


def search_rate(prepared: Prepared, progress: Progress) -> Prepared:
    """Find the learning rate when that was asked for, and write it into the settings as if it had been stated.

    So a run that is resumed, or repeated from its config.toml, does not search again, and has the same weights to the
    bit as one that was given the rate.
    """
    if not prepared.searches:
        return prepared
    usual = prepared.cfg.optim.lr
    with progress.bar("Searching the rate", 2 * STEPS) as advance:
        found = find_rate(prepared.job(progress), advance=advance)
    rate = float(f"{found.rate:.2g}") if found.rate else usual
    note = f"{rate:g}, found by a range test and tried." if found.rate else f"{rate:g}, the usual one: none was found."
    cfg = replace(prepared.cfg, optim=replace(prepared.cfg.optim, lr=rate))
    return replace(prepared, cfg=cfg, rate_note=note, searches=False, found=found)


def usual_rate(cfg: Any) -> float:
    """The rate that would be taken if none were stated."""
    return resolve_lr(replace(cfg.optim, lr=0.0), cfg.train.batch)[0]
