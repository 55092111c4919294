"""Fitting knn, svm and softmax: learn the features, choose what was left open, fit the head."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.core.errors import DataError
from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.core.task import Fit, Fitted
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.metrics.temperature import fit_temperature
from pellucid.models.fitted.classifier import FittedClassifier
from pellucid.models.fitted.neighbours import DISTANCES, require_k
from pellucid.nn.precision import device_of
from pellucid.tasks.classify.config import ClassifyConfig, require_choosable
from pellucid.tasks.classify.features import borrow
from pellucid.tasks.classify.fit_report import section
from pellucid.tasks.classify.metrics import summarise
from pellucid.training.selection.candidates import Candidate, Score, Settings, Table, share_right
from pellucid.training.selection.cross_validation import cross_validate
from pellucid.training.selection.neighbours import cross_validate_neighbours

# N pictures, D features, K classes

KS = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)  # the course's candidates
# Times the mean squared length of the features. The strongest comes first, so that it wins when several are equal.
REGS = tuple(10.0**power for power in (-2, -3, -4, -5, -6, -7))
NEVER = -1e4  # logit of a class that no training picture shows
BATCH = 512
LEARN_FROM = 2000  # pictures are enough to find visual words in
LINEAR: dict[str, Any] = {"svm": partial(LinearSVM, loss="squared_hinge"), "softmax": SoftmaxRegression}


@dataclass(frozen=True)
class Part:
    """Features (N, D) and labels (N,) of the labelled pictures of one split, on the CPU."""

    x: Tensor
    y: np.ndarray


def _run(cfg: ClassifyConfig, splits: Splits, model: Any, progress: Progress) -> Fitted:
    net: FittedClassifier = model.net
    score = _score(cfg, splits.facts)
    borrow(net.features, cfg)
    if net.features.learns:
        net.features.learn(_some_pictures(splits), cfg.train.seed)
    train = _part(net, splits, "train", progress)
    val = _part(net, splits, "val", progress)
    if cfg.model.model == "knn":
        return _fit_neighbours(cfg, net, train, val, score, splits.facts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a verdict says so
        return _fit_linear(cfg, net, train, val, score, splits.facts)


# ------------------------------------------------------------------------------------------------------- neighbours


def _fit_neighbours(
    cfg: ClassifyConfig, net: FittedClassifier, train: Part, val: Part, score: Score, facts: DataFacts
) -> Fitted:
    require_k(cfg.classic.k, len(train.y))
    ks: Sequence[int] = [cfg.classic.k] if cfg.classic.k else [k for k in KS if k <= _smallest(cfg, train)]
    distances = DISTANCES if cfg.classic.distance == "auto" else (cfg.classic.distance,)
    table = None
    chosen: Settings = {"k": ks[0], "distance": distances[0]}
    if len(ks) * len(distances) > 1:
        table = _compare_neighbours(cfg, ks, distances, train, val, score, facts)
        chosen = table.best.settings
    net.head.remember(train.x, torch.from_numpy(train.y), chosen["k"], chosen["distance"])  # type: ignore[operator]
    words = Candidate(chosen, ()).name
    note = f"Remembers {len(train.y):,} pictures of {train.x.shape[1]:,} features; {words}."
    verdicts = [_at_border(table, "k", ks, "--k")] if table else []
    return Fitted(table, [each for each in verdicts if each], note)


def _compare_neighbours(
    cfg: ClassifyConfig,
    ks: Sequence[int],
    distances: Sequence[str],
    train: Part,
    val: Part,
    score: Score,
    facts: DataFacts,
) -> Table:
    own, seed = cfg.classic, cfg.train.seed
    if own.folds and score is share_right:
        return cross_validate_neighbours(ks, distances, train.x, train.y, own.folds, own.repeats, seed, own.ties)
    if own.folds:
        grid = {"k": ks, "distance": distances}

        def make(k: int, distance: str) -> KNearestNeighbors:
            return KNearestNeighbors(k, distance=distance, ties=own.ties)

        return cross_validate(make, grid, train.x.numpy(), train.y, own.folds, own.repeats, seed, score)
    require_choosable(cfg, len(train.y), len(val.y))
    labels = torch.from_numpy(train.y)
    candidates = {}
    for distance in distances:
        _, index = nearest(val.x, train.x, max(ks), distance)
        for k in ks:
            winners, _ = vote(labels[index[:, :k]], facts.n_classes, own.ties)
            candidates[k, distance] = Candidate({"k": k, "distance": distance}, (score(val.y, winners.numpy()),))
    return Table(tuple(candidates[k, distance] for k in ks for distance in distances))


def _smallest(cfg: ClassifyConfig, train: Part) -> int:
    """Pictures to learn from while choosing: all, or all but one fold."""
    n = len(train.y)
    return n - -(-n // cfg.classic.folds) if cfg.classic.folds else n


# ----------------------------------------------------------------------------------------------------------- linear


def _fit_linear(
    cfg: ClassifyConfig, net: FittedClassifier, train: Part, val: Part, score: Score, facts: DataFacts
) -> Fitted:
    own, seen = cfg.classic, np.unique(train.y)
    x = train.x.numpy()
    if len(seen) < 2:
        raise DataError(f"{facts.source}: the training split shows one class alone; a classifier needs two.")

    def make(reg: float) -> Any:
        return LINEAR[cfg.model.model](reg=reg, random_state=cfg.train.seed)

    table, reg, estimator = None, own.reg, None
    if not own.reg:
        scale = float(np.mean(np.einsum("nd,nd->n", x, x, dtype=np.float64)))
        regs = [float(f"{factor * scale:.3g}") for factor in REGS]
        if own.folds:
            table = cross_validate(make, {"reg": regs}, x, train.y, own.folds, own.repeats, cfg.train.seed, score)
        else:
            require_choosable(cfg, len(train.y), len(val.y))
            table, estimator = _compare_linear(make, regs, x, train.y, val, score)
        reg = table.best.settings["reg"]
    estimator = estimator or make(reg).fit(x, train.y)
    weight, bias = _templates(estimator, seen, facts.n_classes)
    if cfg.model.model == "svm" and len(val.y):  # its scores are margins: one scale makes probabilities of them
        temperature = fit_temperature(val.x @ weight.T + bias, torch.from_numpy(val.y))
        weight, bias = weight / temperature, bias / temperature
    with torch.no_grad():
        net.head.weight.copy_(weight)  # type: ignore[operator]
        net.head.bias.copy_(bias)  # type: ignore[operator]
    verdicts = [_converged(estimator), _at_border(table, "reg", regs, "--reg") if table else None]
    note = f"Fitted {weight.shape[0]} templates of {weight.shape[1]:,} features; reg {reg:.3g}."
    return Fitted(table, [each for each in verdicts if each], note)


def _compare_linear(
    make: Callable[[float], Any], regs: Sequence[float], x: np.ndarray, y: np.ndarray, val: Part, score: Score
) -> tuple[Table, Any]:
    """Every strength of the penalty on the validation split, and the best of the fitted estimators."""
    candidates, best = [], None
    for reg in regs:
        estimator = make(reg).fit(x, y)
        candidates.append(Candidate({"reg": reg}, (score(val.y, estimator.predict(val.x.numpy())),)))
        if Table(tuple(candidates)).best is candidates[-1]:
            best = estimator
    return Table(tuple(candidates)), best


def _templates(estimator: Any, seen: np.ndarray, n_classes: int) -> tuple[Tensor, Tensor]:
    """Weights (K, D) and bias (K,) of an estimator that saw only some classes; two classes share one row."""
    rows, shift = np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)
    if len(rows) == 1:
        rows, shift = np.stack([-rows[0], rows[0]]) / 2, np.array([-shift[0], shift[0]]) / 2
    weight = np.zeros((n_classes, rows.shape[1]), dtype=np.float32)
    bias = np.full(n_classes, NEVER, dtype=np.float32)
    weight[seen], bias[seen] = rows, shift
    return torch.from_numpy(weight), torch.from_numpy(bias)


# ----------------------------------------------------------------------------------------------------------- shared


def _some_pictures(splits: Splits) -> Tensor:
    """Training pictures (N, C, H, W) uint8, at most about LEARN_FROM, spread over the whole split."""
    step = -(-len(splits.split.train) // LEARN_FROM)
    return torch.cat([batch["image"][::step] for batch in splits.loader("train", BATCH).epoch(0)])


def _part(net: FittedClassifier, splits: Splits, role: Any, progress: Progress) -> Part:
    """Features of the labelled pictures of one split, a batch at a time."""
    features: Any = net.features
    device = device_of(net)
    loader = splits.loader(role, BATCH, device=device)
    xs, ys = [torch.empty(0, features.dimension, dtype=features.dtype)], [np.empty(0, dtype=np.int64)]
    with progress.bar(f"Features of {role}", len(loader)) as advance, torch.inference_mode():
        for number, batch in enumerate(loader.epoch(0) if len(splits.split.role(role)) else (), start=1):
            labels = batch["label"].cpu()
            known = labels >= 0
            xs.append(features(batch["image"]).cpu()[known])
            ys.append(labels[known].numpy())
            advance(number)
    return Part(torch.cat(xs), np.concatenate(ys))


def _score(cfg: ClassifyConfig, facts: DataFacts) -> Score:
    """The run's metric of labels and predictions."""
    name = cfg.train.metric
    if name == "accuracy":
        return share_right

    def score(y: np.ndarray, predicted: np.ndarray) -> float:
        sure = torch.nn.functional.one_hot(torch.from_numpy(predicted), facts.n_classes).float()
        return float(summarise({"probabilities": sure, "truth": torch.from_numpy(y)}, facts)[name])

    return score


def _converged(estimator: Any) -> Verdict | None:
    if estimator.converged_:
        return None
    return Verdict(
        "fit-not-converged",
        "warn",
        f"the solver stopped after {estimator.n_iter_} steps before it reached its tolerance",
        "the penalty is very weak, or features are of very different sizes",
        "raise --reg",
    )


def _at_border(table: Table, name: str, values: Sequence[Any], flag: str) -> Verdict | None:
    """Whether the best candidate is the last one of its row, and better than the one before: then go on that way."""
    chosen = table.best.settings
    best = chosen[name]
    if best not in (values[0], values[-1]) or len(values) < 3 or (name == "k" and best == 1):
        return None
    inner = {**chosen, name: values[1] if best == values[0] else values[-2]}
    if any(each.settings == inner and each.mean >= table.best.mean for each in table.candidates):
        return None
    return Verdict(
        "choice-at-border",
        "warn",
        f"the best {name}, {best:g}, is the {'smallest' if best == min(values) else 'largest'} that was tried",
        "a better one may lie beyond",
        f"try others with {flag}",
    )


FIT = Fit(_run, section)
