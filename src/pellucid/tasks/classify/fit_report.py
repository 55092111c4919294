"""The section of the report on how knn, svm or softmax was fitted: what was chosen, and what the model looks at."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.classic.neighbours.search import nearest
from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.models.fitted.features import Pixels
from pellucid.models.fitted.neighbours import DISTANCES
from pellucid.nn.precision import device_of
from pellucid.plots.classic.error_bars import error_bars
from pellucid.plots.classic.templates import as_pictures
from pellucid.report.blocks import Block, Cell, Facts, Figure, Note, Picture, Pictures, Section
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.training.selection.candidates import EQUAL

Look = Callable[[str, int], tuple[Image.Image, str]]  # split, position in it -> picture, name of its class

QUERIES = 5
SHOWN = 5  # neighbours of each: with it they fill a row


def section(
    cfg: ClassifyConfig, model: Any, facts: DataFacts, choices: Sequence[dict[str, str]], look: Look
) -> Section:
    """What was chosen and how, then the neighbours of a few pictures (knn) or the templates (on pixels)."""
    blocks: list[Block] = [Facts(_facts(cfg, model, facts, choices)), *_choices(cfg, choices)]
    if cfg.model.model == "knn":
        blocks += _neighbours(model, facts, look)
        blocks.append(Note(f"The weights file holds the {len(model.net.head.labels):,} training pictures as features."))
    elif isinstance(model.net.features, Pixels):
        blocks += _templates(model, facts)
    return Section("Fitting", "Fitted in one go to the whole training split, without gradient steps.", blocks)


def _facts(
    cfg: ClassifyConfig, model: Any, facts: DataFacts, choices: Sequence[dict[str, str]]
) -> list[tuple[str, Cell] | tuple[str, Cell, str]]:
    own, head = cfg.classic, model.net.head
    where = f"{own.folds}-fold cross-validation of the training split" if own.folds else "the validation split"
    how = f"the best of {len(choices)} by {where}, see choices.csv" if choices else "as stated"
    rows: list[tuple[str, Cell] | tuple[str, Cell, str]] = [
        ("features", own.features, f"{model.net.features.dimension:,} numbers a picture")
    ]
    if cfg.model.model == "knn":
        rows += [
            ("neighbours that vote", int(head.k), how),
            ("distance", DISTANCES[int(head.distance)].upper(), how if own.distance == "auto" else ""),
            ("equal votes", f"the {own.ties} wins"),
        ]
    else:
        reg = float(_best(choices)["reg"]) if choices else own.reg
        rows.append(("strength of the penalty", f"{reg:.3g}", how))
    if cfg.model.model == "svm" and facts.n_val:
        rows.append(("probabilities", "margins on one scale", "whose size was fitted to the validation split"))
    return rows


def _best(choices: Sequence[dict[str, str]]) -> dict[str, str]:
    """What was chosen: of equal ones the first, as when it was chosen."""
    highest = max(float(row["mean"]) for row in choices)
    return next(row for row in choices if float(row["mean"]) >= highest - EQUAL)


def _choices(cfg: ClassifyConfig, choices: Sequence[dict[str, str]]) -> list[Block]:
    """The metric of every candidate, a line for each distance."""
    if not choices:
        return []
    name = "k" if cfg.model.model == "knn" else "reg"
    lines: dict[str, tuple[list[float], list[list[float]]]] = {}
    for row in choices:
        values, scores = lines.setdefault(_line(cfg, row), ([], []))
        values.append(float(row[name]))
        scores.append([float(value) for key, value in row.items() if key.startswith("fold ")])
    points = {line: (values, np.array(scores)) for line, (values, scores) in lines.items()}
    title = f"{cfg.train.metric.replace('_', ' ').capitalize()} against {name}"
    best = _best(choices)
    ringed = (_line(cfg, best), float(best[name]))
    return [Figure(error_bars(points, title, name, cfg.train.metric.replace("_", " "), log_x=True, best=ringed))]


def _line(cfg: ClassifyConfig, row: dict[str, str]) -> str:
    return row["distance"].upper() if "distance" in row else cfg.model.model


def _neighbours(model: Any, facts: DataFacts, look: Look) -> list[Block]:
    """A few pictures of validation, each beside the training pictures that are nearest to it."""
    head = model.net.head
    n = min(QUERIES, facts.n_val)
    rows = np.linspace(0, facts.n_val - 1, n).astype(int)
    blocks: list[Block] = []
    places = _labelled(facts, head.labels)
    for row in rows:
        query, truth = look("val", int(row))
        batch = as_batch([query], facts.preprocess, device_of(model))
        with torch.inference_mode():
            features, distance = model.net.features(batch["image"]), DISTANCES[int(head.distance)]
            _, index = nearest(features, head.memory, min(SHOWN, len(head.labels)), distance)
            called = facts.classes[int(model(batch)["logits"].argmax())]
        shown = [Picture(query, f"called {called}", "good" if called == truth else "bad", f"is: {truth}")]
        if places:
            for place in index[0].tolist():
                picture, name = look("train", place)
                shown.append(Picture(picture, name, "good" if name == called else "plain"))
        blocks.append(
            Pictures(
                shown, "" if blocks else "A picture of validation, then the nearest in training; ✓ agrees with the call"
            )
        )
    return blocks


def _labelled(facts: DataFacts, labels: Tensor) -> bool:
    """Whether every training picture is remembered, so that places in memory are places in the split."""
    return len(labels) == facts.n_train


def _templates(model: Any, facts: DataFacts) -> list[Block]:
    shape = (facts.preprocess.channels, *facts.preprocess.size)
    pictures = as_pictures(model.net.head.weight.detach().cpu().numpy(), shape)
    shown = [Picture(Image.fromarray(each), name) for each, name in zip(pictures, facts.classes, strict=True)]
    return [Pictures(shown, "What each class looks like to the model: its weights, grey is 0")]
