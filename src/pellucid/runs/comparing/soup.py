"""Model soup: the mean of the weights of several runs, which answers as fast as one of them.

After Wortsman et al. 2022, https://arxiv.org/abs/2203.05482. It needs members from one basin: runs that were fine-tuned
from the same weights, or snapshots of one training. Nets that began at other random weights have no common mean, and
their soup knows nothing.

Letters: M members.
"""

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, RunError
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.models.weights import digest, write_weights
from pellucid.runs.comparing.ensemble import check_classes, measure_members, open_member
from pellucid.runs.evaluate import Evaluation, Part, find_part, measure
from pellucid.runs.run import Run
from pellucid.runs.stored.trained import Trained
from pellucid.training.averages.statistics import MEASURED_ON, measure_statistics

KINDS = ("uniform", "greedy")


@dataclass(frozen=True)
class Soup:
    """What was cooked.

    Attributes:
        file: the weights, a file like any other.
        used: names of the members that are in it.
        names: of all members, as they were given.
        validation: of each member alone, the number that counts on the validation split.
        reached: of the soup.
        metric: which number that is.
        trained: the soup, ready to answer.
        runs: the members.
    """

    file: Path
    used: tuple[str, ...]
    names: tuple[str, ...]
    validation: tuple[float, ...]
    reached: float
    metric: str
    trained: Trained
    runs: tuple[Run, ...]


def make_soup(
    runs: Sequence[Run | str | Path],
    kind: Literal["uniform", "greedy"],
    out: str | Path,
    progress: Style | Progress = "auto",
) -> Soup:
    """Average the weights of runs of one network, and write them to a file.

    `uniform` takes all. `greedy` begins with the best on validation, goes down the list, and keeps a member if the soup
    is then no worse on validation: it is never worse there than its best member. Statistics of batch norm are measured
    anew on training pictures, since those of the members are of other weights. The test split is not touched.

    Args:
        runs: two or more; runs, their folders, or snapshots in them.
        out: a new `.safetensors` file.

    Raises:
        ConfigError: fewer than two runs, other networks, classes or pictures, no validation split, or a bad `out`.
        RunError: `out` exists.
    """
    choose(kind, dict.fromkeys(KINDS), "soup")
    if isinstance(runs, str | Path) or len(runs) < 2:
        raise ConfigError("A soup needs two runs or more. Train again, from the same weights, with another --seed.")
    file = _require_file(Path(out))
    opened = [open_member(run) for run in runs]
    check_classes(opened)
    _check_networks(opened)
    shown = make_progress(progress) if isinstance(progress, str) else progress
    found = measure_members(opened, None, "val", shown)
    metric = opened[0].trained.task.judged_by(opened[0].trained.cfg)
    values = [float(each.summary[metric.name]) for each in found]
    kitchen = _Kitchen(opened, find_part(opened[0], None, "val", shown), shown)
    sign = 1 if metric.higher_is_better else -1
    best_first = sorted(range(len(opened)), key=lambda k: -sign * values[k])
    if kind == "uniform":
        chosen = list(range(len(opened)))
        trained, evaluation = kitchen.cook(chosen)
    else:
        chosen = best_first[:1]
        trained, evaluation = opened[chosen[0]].trained, found[chosen[0]]
        for k in best_first[1:]:
            tried, tasted = kitchen.cook([*chosen, k])
            if sign * tasted.summary[metric.name] >= sign * evaluation.summary[metric.name]:
                chosen, trained, evaluation = [*chosen, k], tried, tasted
    names = tuple(str(run.weights or run.folder) for run in opened)
    used = tuple(names[k] for k in sorted(chosen))
    reached = float(evaluation.summary[metric.name])
    _write(file, trained, opened[0], {"kind": kind, "members": list(used)}, evaluation)
    return Soup(file, used, names, tuple(values), reached, metric.name, trained, tuple(opened))


def mean_weights(members: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Name -> mean over the members, summed in double precision; whole numbers and truth values are the first's."""
    return {
        name: torch.stack([each[name].double() for each in members]).mean(0).to(first.dtype)
        if first.is_floating_point()
        else first.clone()
        for name, first in members[0].items()
    }


class _Kitchen:
    """Cooks soups of some runs, and tastes them on validation."""

    def __init__(self, runs: Sequence[Run], part: Part, progress: Progress) -> None:
        self.runs, self.part, self.progress = runs, part, progress

    def cook(self, chosen: Sequence[int]) -> tuple[Trained, Evaluation]:
        """The mean of these members, with statistics of its own, and what it reaches."""
        first = self.runs[0]
        model: Any = deepcopy(first.trained.model)
        model.net.load_state_dict(mean_weights([_net(self.runs[k]).state_dict() for k in chosen]))
        cfg = first.trained.cfg
        if len(chosen) > 1:
            device = next(model.parameters()).device
            batches = self.part.splits.loader(
                "train", cfg.train.batch, seed=cfg.train.seed, device=device, training=True
            )
            measure_statistics(model.train(), batches.epoch(0), min(len(batches), -(-MEASURED_ON // cfg.train.batch)))
        trained = replace(first.trained, model=model.eval(), digest=digest(model.net.state_dict()))
        return trained, measure(first, self.part, self.progress, trained)


def _net(run: Run) -> Any:
    return run.trained.model.net


def _require_file(file: Path) -> Path:
    if file.suffix != ".safetensors":
        raise ConfigError(f"A soup is written to a .safetensors file, got {file}. Name one with --out.")
    if file.exists():
        raise RunError(f"{file} exists already. Choose another --out; it was not changed.")
    return file


def _check_networks(runs: Sequence[Run]) -> None:
    """Weights can be averaged only name by name."""
    first = runs[0].trained
    if first.cfg.model.model in first.task.fitted:
        raise ConfigError(f"A soup is made of networks; {runs[0].folder} holds a {first.cfg.model.model}.")
    shapes = {name: value.shape for name, value in _net(runs[0]).state_dict().items()}
    for run in runs[1:]:
        trained = run.trained
        if trained.cfg.model.model != first.cfg.model.model or shapes != {
            name: value.shape for name, value in _net(run).state_dict().items()
        }:
            raise ConfigError(
                f"A soup needs one network: {runs[0].folder} is a {first.cfg.model.model}, {run.folder} a "
                f"{trained.cfg.model.model}{' of other widths' * (trained.cfg.model.model == first.cfg.model.model)}."
            )
        if trained.facts.preprocess.as_dict() != first.facts.preprocess.as_dict():
            raise ConfigError(
                f"A soup needs runs that see pictures alike: {runs[0].folder} and {run.folder} standardise or cut them "
                "differently. Train on the same split (--split-seed) from the same weights."
            )


def _write(file: Path, trained: Trained, first: Run, soup: dict[str, Any], found: Evaluation) -> None:
    values = {f"val_{name}": value for name, value in found.summary.items() if isinstance(value, (int, float))}
    about = {**first.trained.about, "soup": soup, "best_epoch": None}
    about["values"] = {name: value for name, value in values.items() if math.isfinite(value)}
    tensors = {name: value.detach() for name, value in trained.model.net.state_dict().items()}  # type: ignore[union-attr]
    write_weights(file, tensors, about)
