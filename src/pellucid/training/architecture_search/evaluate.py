"""How good a cell is: the accuracy of a small network of it after a short training.

The number depends on the cell, the plan and the seed alone, so it is the same every time (on one machine, with one
number of threads), and searches of the same seed compare cells on the same pictures in the same order.

Letters: N pictures, C channels, H x W pixels.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.core.errors import DataError
from pellucid.core.seed import derive, generator, numpy_generator
from pellucid.data.source import Source
from pellucid.models.classify.cell_net import LEAST, CellNet
from pellucid.models.classify.genotype import Genotype
from pellucid.nn.precision import place_model
from pellucid.training.schedule import ONE_CYCLE_UP, factor

Part = tuple[Tensor, Tensor]  # pictures (N, C, H, W), standardised, and labels (N,)
Held = Literal["val", "test"]  # role of the pictures that are scored on
CHUNK = 500  # pictures scored at a time


@dataclass(frozen=True)
class Plan:
    """A training, and what it is scored on.

    Attributes:
        pictures: to train on.
        held_out: to score on.
        side: height and width that pictures are averaged down to, px.
        width: feature maps of the network's first stage.
        depth: cells of each of its stages.
        epochs: passes through the pictures.
        batch: pictures of a step; what is left of an epoch is not used.
        lr: highest learning rate of AdamW over one cycle.
        weight_decay: of AdamW.
    """

    pictures: int = 2000
    held_out: int = 2000
    side: int = 14
    width: int = 8
    depth: int = 1
    epochs: int = 2
    batch: int = 64
    lr: float = 0.03
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        for name in ("held_out", "width", "depth", "epochs"):
            require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        require(self.batch >= 2, "batch", "2 or more", self.batch)
        require(self.pictures >= self.batch, "pictures", f"at least a batch of {self.batch}", self.pictures)
        require(self.side >= LEAST, "side", f"{LEAST} px or more", self.side)
        require(self.lr > 0, "lr", "above 0", self.lr)
        require(self.weight_decay >= 0, "weight_decay", "0 or more", self.weight_decay)


def parts(source: Source, plan: Plan, seed: int, held_out: Held = "val") -> tuple[Part, Part]:
    """Pictures to train on and to score on, drawn by the seed, standardised by those to train on.

    Both are drawn from the training pictures of the source, and are different ones. With `held_out="test"`, for the
    last comparison, the first are the same, and the second are drawn from its test pictures.

    Raises:
        DataError: there are too few, or they are not arrays with labels.
    """
    if not isinstance(source.images, np.ndarray) or source.labels is None:
        raise DataError(
            f"{source.name}: a search needs pictures as one array, and labels; load an .npz or a known set."
        )
    roles = np.asarray(source.roles)
    order = numpy_generator(seed, "architecture search", "pictures").permutation(np.flatnonzero(roles == "train"))
    if held_out == "test":
        rest = numpy_generator(seed, "architecture search", "test").permutation(np.flatnonzero(roles == "test"))
    else:
        rest = order[plan.pictures :]
    if len(order) < plan.pictures or len(rest) < plan.held_out:
        raise DataError(
            f"{source.name} has {len(order):,} training pictures and {len(rest):,} left to score on; the plan needs "
            f"{plan.pictures:,} and {plan.held_out:,}. Ask for fewer."
        )
    train, scored = (
        _resized(source.images[rows], plan.side) for rows in (order[: plan.pictures], rest[: plan.held_out])
    )
    mean, std = train.mean((0, 2, 3), keepdim=True), train.std((0, 2, 3), keepdim=True)  # (1, C, 1, 1)
    labels = torch.from_numpy(source.labels)
    return (
        ((train - mean) / std, labels[torch.from_numpy(order[: plan.pictures])]),
        ((scored - mean) / std, labels[torch.from_numpy(rest[: plan.held_out])]),
    )


def accuracy_of(cell: Genotype, train: Part, held_out: Part, plan: Plan, seed: int) -> float:
    """Train a fresh network of the cell; the share of the held-out pictures that it then names rightly, in [0, 1].

    torch's global generator is left as it was.
    """
    pictures, labels = train
    n_classes = int(max(labels.max(), held_out[1].max())) + 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "architecture search", "weights"))
        net = CellNet(cell, n_classes, pictures.shape[1], plan.width, plan.depth, small_stem=True)
    place_model(net, torch.device("cpu"))  # channels_last: depthwise layers and pooling are two to three times as fast
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), plan.lr, weight_decay=plan.weight_decay, fused=True)
    steps = len(pictures) // plan.batch
    total = steps * plan.epochs
    for epoch in range(plan.epochs):
        order = torch.randperm(len(pictures), generator=generator(seed, "architecture search", "order", epoch))
        for step, rows in enumerate(order[: steps * plan.batch].split(plan.batch), start=epoch * steps):
            optimiser.param_groups[0]["lr"] = plan.lr * factor("one-cycle", step, total, total // ONE_CYCLE_UP)
            F.cross_entropy(net(pictures[rows]), labels[rows]).backward()
            optimiser.step()
            optimiser.zero_grad()
    return _accuracy(net.eval(), *held_out)


@torch.no_grad()
def _accuracy(net: CellNet, pictures: Tensor, labels: Tensor) -> float:
    named = torch.cat([net(chunk).argmax(1) for chunk in pictures.split(CHUNK)])  # (N,)
    return int((named == labels).sum()) / len(labels)


def _resized(images: np.ndarray, side: int) -> Tensor:
    """(N, H, W) or (N, H, W, C) uint8 -> (N, C, side, side) float, each pixel the mean of what it covers."""
    pictures = torch.from_numpy(images).float()
    pictures = pictures[:, None] if pictures.ndim == 3 else pictures.permute(0, 3, 1, 2)  # (N, C, H, W)
    return pictures if pictures.shape[2:] == (side, side) else F.adaptive_avg_pool2d(pictures, side)
