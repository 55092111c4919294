"""Short training runs on small sets, for the benchmarks of the checks: made in seconds, and changed on purpose."""

import colorsys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import NonFiniteError
from pellucid.core.progress import Quiet
from pellucid.core.seed import numpy_generator
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.scenes import fashion_sprites, make_crop
from pellucid.runs.setup.assemble import make_job, settle_device
from pellucid.runs.setup.config import make_config
from pellucid.tasks import CONFIGS, get_task
from pellucid.training import loop
from pellucid.training.job import Job
from pellucid.training.optim import resolve_lr

SIDE = 32


def fashion() -> Any:
    """Clothes, 28x28 grey, 10 classes."""
    return load("fashion-mnist-mini")


def digits() -> Any:
    """Digits, 8x8 grey, 10 classes."""
    return load("digits")


@cache
def crops() -> Any:
    """Clothes on textures, each kind in a colour of its own, 32x32 RGB, 10 classes: learned within a hundred steps."""
    sprites, rng = fashion_sprites("train"), numpy_generator(5, "crops")

    def colour(rng: np.random.Generator, label: int) -> np.ndarray:
        pure = np.array(colorsys.hsv_to_rgb(label / 10, 1.0 - 0.5 * (label % 2), 1.0))  # (3,) in 0..1
        return np.clip(255 * pure + rng.normal(0, 20, 3), 30, 255).astype(np.int64)

    drawn = [make_crop(rng, sprites, SIDE, colour) for _ in range(1000)]
    return load({"images": np.stack([image for image, _ in drawn]), "labels": np.array([k - 1 for _, k in drawn])})


@cache
def gratings() -> Any:
    """Coloured stripes in the shape of CIFAR, 32x32 RGB: 10 classes by direction, under noise."""
    rng = numpy_generator(5, "gratings")
    labels = np.arange(1000) % 10
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    angle = (labels * np.pi / 10)[:, None, None]
    wave = np.sin(2 * np.pi * (4 * (x * np.cos(angle) + y * np.sin(angle)) + rng.random((1000, 1, 1))))
    tint = rng.uniform(20, 60, (1000, 1, 1, 3))
    noise = rng.normal(0, 40, (1000, SIDE, SIDE, 3))
    pictures = np.clip(128 + wave[..., None] * tint + noise, 0, 255).astype(np.uint8)
    return load({"images": pictures, "labels": labels})


SETS: dict[str, Callable[[], Any]] = {"fashion": fashion, "digits": digits, "crops": crops, "gratings": gratings}


def small_job(folder: Path, data: Any, **changes: Any) -> Job:
    """A job as `pellucid train DATA --...` makes it, in an empty folder; on one thread in fp32 unless stated."""
    source = load(data)
    stated = {"threads": 1, "device": "cpu", "precision": "fp32", "save_seconds": 1e9, **changes}
    cfg: Any = make_config(CONFIGS[source.kind], {}, stated, "")
    task = get_task(source.kind)
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, Quiet(), None)
    cfg = task.resolve(cfg, splits.facts)
    rate, _ = resolve_lr(cfg.optim, cfg.train.batch)
    cfg = replace(cfg, optim=replace(cfg.optim, lr=rate), train=replace(cfg.train, metric=task.metric.name))
    folder.mkdir(parents=True, exist_ok=True)
    return make_job(task, cfg, splits, folder, device, Quiet())


def trained(job: Job) -> list[Verdict]:
    """Train, to the end or to the first number that is not finite; the verdicts of the run."""
    with suppress(NonFiniteError):
        loop.train(job)
    return job.verdicts
