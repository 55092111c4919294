"""Fitting R-CNN: features of all proposed regions once, then a machine and a map of boxes for every class.

The machines learn from the true boxes of their class against regions that share less than 0.3 with any thing, and
against the true boxes of all others. Most regions are easy, and there are many: a first round sees some of each
picture, a second one also those that the first calls a thing or nearly so ("hard negative mining", appendix B of
https://arxiv.org/abs/1311.2524). Boxes are learned from regions that share 0.6 with a thing, by ridge regression.

Letters: B regions in all, F features, K classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.classic.linear.svm import LinearSVM
from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.core.seed import numpy_generator
from pellucid.core.task import Fit, Fitted
from pellucid.data.prepare import Splits
from pellucid.models.detect import FITTED
from pellucid.models.detect.rcnn import MATCHING, RCNN
from pellucid.models.detect.truth import Truth
from pellucid.nn.precision import device_of
from pellucid.ops.boxes.coding import encode_boxes
from pellucid.ops.boxes.iou import box_iou
from pellucid.ops.normalise import normalise
from pellucid.report.blocks import Cell, Facts, Section
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.transfer import borrow

NEAR = 0.6  # share with a thing from which a region learns to move
EASY = 12  # regions of background a picture in the first round
MARGIN = -1.0  # regions of background that score above this are hard
REG = 1e-4  # of the machines, see `classic.linear.svm`
RIDGE = 1e-2  # of the maps of boxes, by region
FEWEST = 8  # regions of a class from which boxes can be learned
BATCH = 16  # pictures


@dataclass(frozen=True)
class Regions:
    """What is learned from, all pictures together.

    Attributes:
        features: (B, F) float32, brought to mean 0 and variance 1.
        label: (B,) int64: class of a true box, -1 background, -2 neither.
        near: (B,) int64: class of the thing that a region shares 0.6 with, -1 none.
        moves: (B, 4) from the region to that thing.
        picture: (B,) int64.
    """

    features: Tensor
    label: Tensor
    near: Tensor
    moves: Tensor
    picture: Tensor


def _run(cfg: DetectConfig, splits: Splits, model: Any, progress: Progress) -> Fitted:
    net: RCNN = model.net
    _, borrowed = borrow(cfg)
    assert borrowed is not None  # `borrow` refuses settings without weights
    net.load_state_dict({**net.state_dict(), **borrowed.tensors(cfg)})
    regions, mean, scale = _regions(splits, model, progress)
    net.feature_mean.copy_(mean)
    net.feature_scale.copy_(scale)
    seen, hard = _fit_classes(net, regions, splits.facts, cfg.train.seed)
    moved = _fit_boxes(net, regions)
    things = int((regions.label >= 0).sum())
    note = (
        f"Looked at {len(regions.label):,} regions of {splits.facts.n_train:,} pictures; the machines learned from "
        f"{things:,} things and {seen - things:,} regions of background, {hard:,} of them hard; boxes from {moved:,}."
    )
    return Fitted(note=note)


@torch.no_grad()
def _regions(splits: Splits, model: Any, progress: Progress) -> tuple[Regions, Tensor, Tensor]:
    """All regions of the training split; mean and 1 / deviation of their features."""
    net: RCNN = model.net
    loader = splits.loader("train", BATCH, device=device_of(net))
    parts: list[tuple[Tensor, ...]] = []
    with progress.bar("Looking at regions", len(loader)) as advance:
        for number, batch in enumerate(loader.epoch(0), start=1):
            truth = Truth.of(batch)
            assert truth is not None and truth.proposals_xyxy is not None  # `make_data` brings both
            x = normalise(batch["image"], model.preprocess)
            parts.append(_of_batch(net, x, truth, batch["index"]))
            advance(number)
    features, label, near, moves, picture = (torch.cat(each).cpu() for each in zip(*parts, strict=True))
    mean, deviation = features.mean(0), features.std(0)
    scale = 1 / deviation.clamp(min=1e-6)
    return Regions((features - mean) * scale, label, near, moves, picture), mean, scale


def _of_batch(net: RCNN, x: Tensor, truth: Truth, index: Tensor) -> tuple[Tensor, ...]:
    """Rows of `Regions` of one batch, the features as they come."""
    proposals = truth.proposals_xyxy
    assert proposals is not None  # the caller has looked
    m = truth.labels.shape[1]
    boxes = torch.cat([truth.boxes_xyxy, proposals], 1)  # (N, M + R, 4)
    usable = torch.cat([truth.counts, (proposals[..., 2:] > proposals[..., :2]).all(-1)], 1)
    overlap = box_iou(boxes, truth.boxes_xyxy)  # (N, M + R, M)
    crowd = (truth.labels >= 0) & truth.is_crowd
    share, thing = (overlap * truth.counts[:, None]).max(-1)
    classes = truth.labels.gather(1, thing)
    clear = (share < MATCHING.low) & ((overlap * crowd[:, None]).amax(-1) == 0)
    label = torch.where(clear, -1, -2)
    label[:, :m] = torch.where(truth.counts, truth.labels, -2)
    near = torch.where(share >= NEAR, classes, -1)
    moves = encode_boxes(truth.boxes_xyxy.gather(1, thing[..., None].expand(-1, -1, 4)), boxes)
    picture, place = usable.nonzero(as_tuple=True)
    features = net.features(x, boxes[picture, place], picture)
    return features, label[picture, place], near[picture, place], moves[picture, place], index[picture]


def _fit_classes(net: RCNN, regions: Regions, facts: DataFacts, seed: int) -> tuple[int, int]:
    """Two rounds of a machine for each class. How many regions they learned from, and how many of them were hard."""
    label = regions.label.numpy()
    things, ground = np.flatnonzero(label >= 0), np.flatnonzero(label == -1)
    drawn = numpy_generator(seed, "easy regions").permutation(ground)
    picture = regions.picture.numpy()[drawn]
    order = np.argsort(picture, kind="stable")
    rank = np.arange(len(order)) - np.searchsorted(picture[order], picture[order])
    chosen = drawn[order[rank < EASY]]
    _fit_round(net, regions, np.concatenate([things, chosen]), facts)
    rest = np.setdiff1d(ground, chosen)
    scores = regions.features[torch.from_numpy(rest)] @ net.class_weight.cpu().T + net.class_bias.cpu()
    hard = rest[(scores > MARGIN).any(1).numpy()] if len(rest) else rest
    if len(hard):
        _fit_round(net, regions, np.concatenate([things, chosen, hard]), facts)
    return len(things) + len(chosen) + len(hard), len(hard)


def _fit_round(net: RCNN, regions: Regions, rows: np.ndarray, facts: DataFacts) -> None:
    """Every class against the rest; background is one more label, whose own machine is not kept."""
    x, y = regions.features[torch.from_numpy(rows)].numpy(), regions.label.numpy()[rows]
    y = np.where(y < 0, facts.n_classes, y)
    machine = LinearSVM(REG).fit(x, y)
    coefficients, intercepts, known = machine.coef_, machine.intercept_, machine.classes_
    if len(known) == 2:  # one row, for the second of the two
        coefficients, intercepts = (
            np.concatenate([-coefficients, coefficients]),
            np.array([-intercepts[0], intercepts[0]]),
        )
    net.class_weight.zero_()
    net.class_bias.fill_(-1.0)  # a class without a region is never called
    for row, k in enumerate(known.tolist()):
        if k < facts.n_classes:
            net.class_weight[k] = torch.from_numpy(coefficients[row]).to(net.class_weight)
            net.class_bias[k] = float(intercepts[row])


def _fit_boxes(net: RCNN, regions: Regions) -> int:
    """Ridge regression from features to moves, class by class. From how many regions."""
    net.box_weight.zero_()
    net.box_bias.zero_()
    learned = 0
    for k in range(net.n_classes):
        rows = regions.near == k
        n = int(rows.sum())
        if n < FEWEST:
            continue
        x, y = regions.features[rows].double(), regions.moves[rows].double()
        middle, offset = x.mean(0), y.mean(0)
        x, y = x - middle, y - offset
        gram = x.T @ x + RIDGE * n * torch.eye(x.shape[1], dtype=x.dtype)
        weight = torch.linalg.solve(gram, x.T @ y).T  # (4, F)
        net.box_weight[k] = weight.to(net.box_weight)
        net.box_bias[k] = (offset - weight @ middle).to(net.box_bias)
        learned += n
    return learned


def _section(
    cfg: DetectConfig, model: Any, facts: DataFacts, choices: Sequence[dict[str, str]], look: Callable[..., Any]
) -> Section:
    """What was fitted, and to what."""
    net: RCNN = model.net
    learned = [name for name, row in zip(facts.classes, net.class_weight, strict=True) if bool(row.any())]
    missing = [name for name in facts.classes if name not in learned]
    rows: list[tuple[str, Cell] | tuple[str, Cell, str]] = [
        ("features", f"{net.n_features:,} of {cfg.model.backbone}", f"weights: {cfg.transfer.weights}"),
        ("machines", len(learned), f"without one: {', '.join(missing)}" if missing else "one for every class"),
        ("strength of their penalty", f"{REG:.0e}"),
        ("classes whose boxes are moved", int(net.box_weight.flatten(1).any(1).sum())),
    ]
    return Section("Fitting", "Fitted in one go to proposed regions of the whole training split.", [Facts(rows)])


def fit(cfg: DetectConfig) -> Fit | None:
    """How the model is made, if it is not trained by gradient steps."""
    return Fit(_run, _section) if cfg.model.model in FITTED else None
