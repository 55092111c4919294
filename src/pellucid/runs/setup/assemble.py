"""From a resolved config and its data to a job that can be trained."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.device import choose_device, choose_precision, choose_threads, set_threads
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.core.seed import seed_everything
from pellucid.core.task import Metric, Task
from pellucid.data.prepare import Splits
from pellucid.models import FAMILIES
from pellucid.nn.precision import place_model
from pellucid.ops.normalise import normalise
from pellucid.runs.setup.noise import add_noise
from pellucid.runs.stored import folder as files
from pellucid.training.averages.make import make_average
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.job import Job
from pellucid.training.optim import make_optimiser
from pellucid.training.schedule import Schedule
from pellucid.training.stopping import EarlyStopping

LOOKED_AT = 4096  # pictures shown to a network that wants to see some before it is trained


def make_job(
    task: Task,
    cfg: Any,
    splits: Splits,
    folder: Path,
    device: torch.device,
    progress: Progress,
    weights: Mapping[str, Tensor] | None = None,
) -> Job:
    """Build model, optimiser and loaders of a resolved config.

    Args:
        weights: tensors that the network starts from, by its own names; those that are not there start at random.
    """
    seed_everything(cfg.train.seed)
    _set_deterministic(cfg.train.deterministic)
    model = task.make_model(cfg, splits.facts)
    net: nn.Module = model.net  # type: ignore[assignment]
    if weights is None:
        let_look(model, splits, cfg.train.seed)
    else:
        net.load_state_dict({**net.state_dict(), **weights})
    noise = add_noise(net, cfg.regularise, (splits.facts.preprocess.channels, *splits.facts.preprocess.size))
    net.notes = (*getattr(net, "notes", ()), *noise)  # type: ignore[assignment]
    model = place_model(model, device)
    plan = task.plan(cfg, splits.facts, net)
    if plan:
        plan.enter(cfg.train.epochs - 1)  # what is frozen to the end is no matter of the optimiser
    optimiser = make_optimiser(model, cfg.optim, cfg.optim.lr, plan.rates() if plan else ())
    batches = splits.loader("train", cfg.train.batch, seed=cfg.train.seed, device=device, training=True)
    val = splits.loader("val", 2 * cfg.train.batch, device=device) if splits.facts.n_val else None
    metric = choose_metric(task, cfg)
    return Job(
        task=task,
        cfg=cfg,
        facts=splits.facts,
        model=model,
        optimiser=optimiser,
        schedule=Schedule(cfg.schedule, cfg.optim.lr, cfg.train.epochs, len(batches), metric.higher_is_better),
        average=make_average(cfg.optim, model, cfg.train.epochs, len(batches)),
        metric=metric,
        best=EarlyStopping(metric, cfg.train.patience),
        train=batches,
        val=val,
        folder=folder,
        about=partial(about, task, cfg, splits.facts),
        device=device,
        precision=cfg.train.precision,
        progress=progress,
        plan=plan,
        monitor=Monitor(model, cfg.train.epochs * len(batches), weights is not None) if cfg.train.monitor else None,
        parts=cfg.train.accumulate,
    )


def let_look(model: nn.Module, splits: Splits, seed: int) -> None:
    """Show a network that has `look(pictures)` a sample of the training pictures, once, before it is trained.

    They are standardised as it will see them, (n, C, H, W) float32, and drawn by the seed alone. What the network
    makes of them it keeps in its state_dict, so that resuming and predicting need no second look.
    """
    look = getattr(getattr(model, "net", None), "look", None)
    if look is not None:
        look(normalise(splits.sample("train", LOOKED_AT, seed), splits.facts.preprocess))


def _set_deterministic(wanted: bool) -> None:
    if torch.are_deterministic_algorithms_enabled() == wanted:
        return  # to say it again would load torch's compiler, which takes seconds
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats to the bit only so
    torch.use_deterministic_algorithms(wanted)


def about(task: Task, cfg: Any, facts: DataFacts) -> dict[str, Any]:
    """What is written beside the weights: enough to predict from the one file, and to know where it is from."""
    return {
        "task": task.name,
        "model": cfg.model.model,
        "config": settings.as_dict(cfg),
        "facts": facts.as_dict(),
        "versions": files.versions(),
    }


def settle_device(cfg: Any) -> tuple[torch.device, Any]:
    """Choose device, precision and threads, apply the threads, and write the choice into the config."""
    device = choose_device(cfg.train.device)
    precision = choose_precision(cfg.train.precision, device)
    policy = choose_threads(cfg.train.threads)
    set_threads(policy)
    settled = replace(cfg.train, device=str(device), precision=precision, threads=policy.n_threads)
    return device, replace(cfg, train=settled)


def data_line(facts: DataFacts) -> str:
    """What is trained on, in one sentence."""
    size = "x".join(map(str, facts.preprocess.size))
    return (
        f"{facts.source}: {facts.n_classes} classes, {facts.n_train} train / {facts.n_val} val / {facts.n_test} test, "
        f"{size} px, {'grey' if facts.preprocess.channels == 1 else 'RGB'}."
    )


def check_names(task: Task, cfg: Any) -> None:
    """Refuse a model or metric that does not exist, before any picture is read.

    Raises:
        ConfigError: there is none of that name; the nearest are offered.
    """
    choose_metric(task, cfg)
    fitted = cfg.model.model in task.fitted
    if fitted and cfg.train.precision == "bf16":
        raise ConfigError(f"--precision bf16 means nothing for model {cfg.model.model}, fitted in fp32. Leave it out.")
    if cfg.model.model != "auto" and not fitted:
        _refuse_of_other_task(cfg.model.model, task)
        choose(cfg.model.model, {**FAMILIES[task.name], **dict.fromkeys(task.fitted)}, f"model of {task.name}")


def _refuse_of_other_task(model: str, task: Task) -> None:
    """Raise for a model that another task has, which data alone can call for."""
    for other, models in FAMILIES.items():
        if model in models and model not in FAMILIES[task.name]:
            raise ConfigError(
                f"--model {model} is one of --task {other}, and this data is for --task {task.name}. Leave it out for "
                f"the usual one (`pellucid models` lists all), or give data for --task {other}."
            )


def check_validation(cfg: Any, facts: DataFacts) -> None:
    """Refuse what waits for a validation number where there is none.

    Raises:
        ConfigError: early stopping, or a schedule that watches the metric, without a validation split.
    """
    asked = ["--patience"] * (cfg.train.patience > 0) + ["--schedule plateau"] * (cfg.schedule.schedule == "plateau")
    if asked and not facts.n_val:
        raise ConfigError(
            f"{' and '.join(asked)}: a validation split is needed, and there is none. Use a larger --val-fraction, or "
            "leave it out."
        )


def choose_metric(task: Task, cfg: Any) -> Metric:
    """The metric that picks the best model.

    Raises:
        ConfigError: the task has none of that name.
    """
    table = {metric.name: metric for metric in task.metrics}
    return task.metric if cfg.train.metric == "auto" else choose(cfg.train.metric, table, f"metric of {task.name}")
