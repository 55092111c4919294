"""Jobs on a few generated pictures, and faults to plant in them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core import config as settings
from pellucid.core.progress import Quiet
from pellucid.data.load import load
from pellucid.runs.setup.prepared import prepare_run
from pellucid.tasks import CONFIGS
from pellucid.training.job import Job

Make = Callable[[], Job]
PLAIN: dict[str, Any] = {"threads": 1, "precision": "fp32", "device": "cpu", "augment": False, "batch": 16}


def pictures(n: int = 128, side: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures of four classes: which quarter is bright, in noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    images = rng.integers(0, 120, (n, side, side))
    half = side // 2
    for image, label in zip(images, labels, strict=True):
        top, left = half * (label // 2), half * (label % 2)
        image[top : top + half, left : left + half] += 120
    return images.astype(np.uint8), labels


class TinyConv(nn.Module):
    """All that preflight can trip over, and little of it: norms, dropout, and scores near 0 at the start."""

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.1), nn.Flatten()),
        )
        self.head = nn.Linear(16 * (image_size[0] // 4) * (image_size[1] // 4), n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)) / 4


def prepared(data: Any, changes: dict[str, Any]) -> Make:
    source = load(data)
    cfg = settings.change(CONFIGS[source.kind](), {**PLAIN, **changes})
    return partial(prepare_run(source, cfg, source.kind, Quiet()).job, Quiet())


def classifier(data: Any = None, **changes: Any) -> Make:
    """A small perceptron unless another model is said."""
    return prepared(pictures() if data is None else data, {"model": "mlp", **changes})


def segmenter() -> Make:
    """Masks of the bright quarter."""
    images, labels = pictures(64, 16)
    masks = np.zeros(images.shape, dtype=np.uint8)
    for mask, label in zip(masks, labels, strict=True):
        top, left = 8 * (label // 2), 8 * (label % 2)
        mask[top : top + 8, left : left + 8] = 1
    return prepared({"images": images, "masks": masks}, {"model": "fcn_small", "batch": 8})


def with_fault(make: Make, plant: Callable[[Job], object]) -> Make:
    def job() -> Job:
        made = make()
        plant(made)
        return made

    return job


class Around(nn.Module):
    """A network and what is done to its scores."""

    def __init__(self, net: nn.Module, then: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inner, self.then = net, then

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.inner(x))


def then(change: Callable[[Tensor], Tensor]) -> Callable[[Job], None]:
    def plant(job: Job) -> None:
        job.model.net = Around(job.model.net, change)  # type: ignore[arg-type]

    return plant


def norms(job: Job) -> list[nn.BatchNorm2d]:
    return [module for module in job.model.modules() if isinstance(module, nn.BatchNorm2d)]


def freeze_a_layer(job: Job) -> None:
    layer = next(module for module in job.model.modules() if isinstance(module, (nn.Linear, nn.Conv2d)))
    layer.requires_grad_(False)


def unused_branch(job: Job) -> None:
    job.model.add_module("spare", nn.Linear(3, 3))


def all_zero(job: Job) -> None:
    for parameter in job.model.parameters():
        nn.init.zeros_(parameter)


def too_large(job: Job) -> None:
    with torch.no_grad():
        for parameter in job.model.parameters():
            parameter.mul_(30)


def norms_stuck_in_training(job: Job) -> None:
    for module in norms(job):
        module.train = partial(_stay, module)  # type: ignore[assignment]


def _stay(module: nn.Module, mode: bool = True) -> nn.Module:
    return module


def norms_without_statistics(job: Job) -> None:
    for module in norms(job):
        module.track_running_stats, module.running_mean, module.running_var = False, None, None


def norms_stuck_in_use(job: Job) -> None:
    norms_stuck_in_training(job)
    for module in norms(job):
        module.training = False


def norms_that_learn_nothing(job: Job) -> None:
    for module in norms(job):
        module.momentum = 0.0


def other_rate(times: float) -> Callable[[Job], None]:
    def plant(job: Job) -> None:
        job.schedule.highest_lr *= times

    return plant


def other_loss(change: Callable[[Any, Any], tuple[Any, Any]]) -> Callable[[Job], None]:
    """A loss that is given other outputs and another batch."""

    def plant(job: Job) -> None:
        own = job.task.compute_loss
        job.task = replace(job.task, compute_loss=lambda outputs, batch, cfg: own(*change(outputs, batch), cfg))

    return plant


def labels_dealt_anew(outputs: Any, batch: Any) -> tuple[Any, Any]:
    return outputs, {**batch, "label": batch["label"][torch.randperm(len(batch["label"]))]}


def same_picture_two_labels() -> tuple[np.ndarray, np.ndarray]:
    """Each picture twice, with two labels."""
    images, labels = pictures(32)
    return np.concatenate([images, images, images]), np.concatenate([labels, (labels + 1) % 4, (labels + 2) % 4])


def shuffled() -> tuple[np.ndarray, np.ndarray]:
    images, labels = pictures()
    return images, np.random.default_rng(1).permutation(labels)


def dropped_always(x: Tensor) -> Tensor:
    return F.dropout(x, 0.5, training=True)


def minus_batch_mean(x: Tensor) -> Tensor:
    return x - x.mean(0, keepdim=True)
