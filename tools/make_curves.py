"""Train small networks well and badly, and keep their curves: what the curve doctor is tuned on, and judged by.

python tools/make_curves.py tuning        # the curves that the rules may look at
python tools/make_curves.py held          # other data, other networks, other seeds: looked at once, at the end
python tools/make_curves.py judge         # the share of the held curves that is named right (writes judged.json)

About two CPU minutes each. A curve is named by how it was made and by what came of it, never by its shape:

good        the rate is in the band of its sweep (12 rates, half a decade apart) that ends near the best training loss
too-low     a lower rate than that, which ends clearly above the best of the sweep
high        a higher rate than that, which ends clearly above the best, but learns
very-high   a still higher one: not finite, or it ends above 80 % of where a net begins that knows nothing
bad-start   a good rate and a spoiled initialisation, with which the same net takes off late or never
underfit    a good rate, and a net too small for the data: it ends far above its larger twin, in training and validation
overfit     a good rate and few pictures: validation ends far above its own best, training does not; more pictures help
unrelated   shuffled labels: training falls, validation has nothing to gain
healthy     the good ones again with a decaying rate, with early stopping, or going on from trained weights

What falls between two names is left out and counted. "Clearly" and "near" stand below, as numbers.
"""

import copy
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn import datasets as sk
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid
from pellucid.core.files import write_text

KEPT = Path(__file__).resolve().parents[1] / "tests" / "training" / "health" / "curves"
EPOCHS, BATCH, LOGGED = 24, 32, 90
NEAR, CLEARLY = 0.05, 0.15  # above the best loss of a sweep, in parts of the way from knowing nothing to that best
NOT_LEARNED = 0.8  # final loss over that of knowing nothing
LATE, EARLY = 0.2, 0.06  # parts of the run before the loss has fallen by a tenth
RISEN, LEVEL = 0.10, 0.05  # of validation loss over its own best, in parts of the loss of knowing nothing
RATES = [10 ** (k / 2) for k in range(-8, 4)]  # times a family's own scale


@dataclass(frozen=True)
class Family:
    """Data, a network and an optimiser.

    Attributes:
        data: `seed -> (x, y)`, standardised; y whole numbers, or float32 for a regression.
        net: `width -> network`; width 1 is the usual one, smaller numbers make smaller nets.
        optimiser: `parameters, rate -> optimiser`.
        scale: what `RATES` are multiplied by.
        tiny: width that is too small, or None when the data are too easy for that.
    """

    data: Callable[[int], tuple[Tensor, Tensor]]
    net: Callable[[float], nn.Module]
    optimiser: Callable[..., torch.optim.Optimizer]
    scale: float = 1.0
    tiny: float | None = None


@dataclass(frozen=True)
class Plan:
    """One training: everything that is not the family."""

    rate: float
    seed: int
    n: int = 640  # training rows
    width: float = 1.0
    start: str = "usual"
    schedule: str = "constant"
    shuffled: bool = False
    epochs: int = EPOCHS
    patience: int = 0
    decay: float = 0.0
    wrong: float = 0.0  # share of the labels that are drawn anew
    from_weights: Any = None


def run(family: Family, plan: Plan) -> dict[str, Any]:
    """Train, and return what a run folder would hold, thinned to `LOGGED` steps."""
    x, y = family.data(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    order = torch.randperm(len(x), generator=generator)
    val, train = order[:320], order[320 : 320 + plan.n]
    classes = 0 if y.is_floating_point() else int(y.max()) + 1
    if plan.shuffled:
        y = y[torch.randperm(len(y), generator=generator)]
    anew = torch.rand(len(y), generator=generator) < plan.wrong
    y = torch.where(anew, y[torch.randperm(len(y), generator=generator)], y)
    torch.manual_seed(plan.seed)
    net = family.net(plan.width)
    spoil(net, plan.start)
    if plan.from_weights is not None:
        net.load_state_dict(plan.from_weights)
    optimiser = family.optimiser(net.parameters(), plan.rate, plan.decay)
    steps = max(1, len(train) // BATCH)
    log: dict[str, list[float]] = {"step": [], "loss": [], "lr": [], "gradient_norm": []}
    ends: dict[str, list[float]] = {"epoch_step": [], "train_loss": [], "val_loss": [], "metric": []}
    every, best, since, ended, step = max(1, math.ceil(plan.epochs * steps / LOGGED)), math.inf, 0, "finished", 0
    for _ in range(plan.epochs):
        shuffled, losses = train[torch.randperm(len(train), generator=generator)], []
        net.train()
        for rows in shuffled[: steps * BATCH].split(BATCH):
            rate = plan.rate * factor(plan.schedule, step / (plan.epochs * steps))
            optimiser.param_groups[0]["lr"] = rate
            optimiser.zero_grad()
            loss = loss_of(net(x[rows]), y[rows])
            loss.backward()
            value = float(loss.detach())
            norm = float(
                torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in net.parameters() if p.grad is not None]))
            )
            if not math.isfinite(value + norm):
                ended = "non-finite"
                break
            if step % every == 0:
                for name, number in zip(log, (step, value, rate, norm), strict=True):
                    log[name].append(number)
            losses.append(value)
            optimiser.step()
            step += 1
        if ended == "non-finite":
            break
        net.eval()
        with torch.no_grad():
            scores = net(x[val])
            val_loss = float(loss_of(scores, y[val]))
        metric = float((scores.argmax(1) == y[val]).float().mean()) if classes else val_loss
        for name, value in zip(ends, (step, sum(losses) / len(losses), val_loss, metric), strict=True):
            ends[name].append(value)
        since = 0 if val_loss < best else since + 1
        best = min(best, val_loss)
        if 0 < plan.patience <= since:
            ended = "early"
            break
    share = float(torch.bincount(y[train]).max()) / len(train) if classes else math.nan
    expected = math.log(classes) if classes else float(y.var())
    known: dict[str, Any] = {
        "expected_loss": expected,
        "chance": share if classes else expected,
        "higher_is_better": bool(classes),
    }
    known |= {"n_train": len(train), "n_val": len(val), "epochs": plan.epochs, "ended": ended}
    known |= {"weight_decay": plan.decay, "from_weights": plan.from_weights is not None}
    return {**log, **ends, **known, "weights": copy.deepcopy(net.state_dict())}


def loss_of(scores: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of classes, squared error of numbers."""
    return F.mse_loss(scores[:, 0], y) if y.is_floating_point() else F.cross_entropy(scores, y)


def factor(schedule: str, progress: float) -> float:
    """Share of the highest rate."""
    return (1 + math.cos(math.pi * progress)) / 2 if schedule == "cosine" else 1.0


def spoil(net: nn.Module, start: str) -> None:
    """Change the initial weights of all layers: `usual` leaves them."""
    small = {"usual": 1.0, "small": 0.25, "smaller": 0.1, "zero": 0.0}[start]
    layers = [m for m in net.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    with torch.no_grad():
        for layer in layers if start != "usual" else []:
            layer.weight.mul_(small)
            layer.bias[:] = 0  # type: ignore[index]


# ---- data ----


def pick(x: np.ndarray, y: np.ndarray, seed: int, n: int = 1600) -> tuple[Tensor, Tensor]:
    """So many rows, standardised."""
    rows = np.random.default_rng(seed).permutation(len(x))[:n]
    x, y = x[rows].astype(np.float32), y[rows]
    flat = (x - x.mean(0)) / (x.std(0) + 1e-6) if x.ndim == 2 else (x - x.mean()) / x.std()
    return torch.from_numpy(flat), torch.from_numpy(y.astype(np.int64 if y.dtype.kind in "iu" else np.float32))


def digits(seed: int) -> tuple[Tensor, Tensor]:
    """Handwritten digits, 8 x 8."""
    x, y = sk.load_digits(return_X_y=True)
    return pick(x, y, seed)


def digit_pictures(seed: int) -> tuple[Tensor, Tensor]:
    """The same as pictures (n, 1, 8, 8)."""
    x, y = sk.load_digits(return_X_y=True)
    return pick(x.reshape(-1, 1, 8, 8), y, seed)


def clothes(side: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Fashion-MNIST mini, reduced."""

    def make(seed: int) -> tuple[Tensor, Tensor]:
        data = pellucid.load("fashion-mnist-mini")
        rows = np.random.default_rng(seed).permutation(len(data.images))[:1600]
        images = torch.from_numpy(np.asarray(data.images)[rows].astype(np.float32))[:, None]
        small = F.adaptive_avg_pool2d(images, side).numpy()
        return pick(small, np.asarray(data.labels)[rows], seed)

    return make


def moons(seed: int) -> tuple[Tensor, Tensor]:
    """Two moons with noise."""
    x, y = sk.make_moons(1600, noise=0.15, random_state=seed)
    return pick(x, y, seed)


def spirals(seed: int) -> tuple[Tensor, Tensor]:
    """Three arms of a spiral."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 1600)
    t = rng.uniform(0.5, 3.0, 1600)
    angle = 1.5 * t + y * 2 * np.pi / 3 + rng.normal(0, 0.12, 1600)
    return pick(np.stack([t * np.cos(angle), t * np.sin(angle)], 1), y, seed)


def blobs(seed: int) -> tuple[Tensor, Tensor]:
    """Twelve overlapping clouds in ten dimensions."""
    x, y = sk.make_blobs(1600, 10, centers=12, cluster_std=3.5, random_state=seed)[:2]
    return pick(x, y, seed)


def clusters(seed: int) -> tuple[Tensor, Tensor]:
    """Six classes of two clusters each in twenty dimensions."""
    x, y = sk.make_classification(
        1600, 20, n_informative=10, n_classes=6, n_clusters_per_class=2, class_sep=2.0, random_state=seed
    )
    return pick(x, y, seed)


def waves(seed: int) -> tuple[Tensor, Tensor]:
    """A number from two: sin(2 a) cos(b) with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (1600, 2))
    y = np.sin(2 * x[:, 0]) * np.cos(x[:, 1]) + rng.normal(0, 0.1, 1600)
    return pick(x, (y - y.mean()) / y.std(), seed)


def friedman(seed: int) -> tuple[Tensor, Tensor]:
    """Friedman's first function of ten numbers, five of which matter."""
    x, y = sk.make_friedman1(1600, noise=1.0, random_state=seed)
    return pick(x, (y - y.mean()) / y.std(), seed)


def cells(seed: int) -> tuple[Tensor, Tensor]:
    """Breast cancer, two classes."""
    x, y = sk.load_breast_cancer(return_X_y=True)
    return pick(x, y, seed)


# ---- networks ----


def mlp(
    sizes: tuple[int, ...],
    activation: type[nn.Module] = nn.ReLU,
    norm: type[nn.Module] | None = None,
    drop: float = 0.0,
) -> Callable[[float], nn.Module]:
    """Affine layers; `width` scales the hidden ones."""

    def make(width: float) -> nn.Module:
        hidden = [max(1, round(width * size)) for size in sizes[1:-1]]
        all_sizes = [sizes[0], *hidden, sizes[-1]]
        layers: list[nn.Module] = []
        for k, (a, b) in enumerate(pairwise(all_sizes)):
            layers.append(nn.Linear(a, b))
            if k < len(hidden):
                layers += [norm(b)] if norm else []
                layers += [activation()] + [nn.Dropout(drop)] * (drop > 0)
        return nn.Sequential(*layers)

    return make


def cnn(channels: tuple[int, ...], side: int, n: int = 10, norm: bool = False) -> Callable[[float], nn.Module]:
    """3 x 3 convolutions with stride 2 from the second on, then the mean of each map."""

    def make(width: float) -> nn.Module:
        layers: list[nn.Module] = []
        before = 1
        for k, size in enumerate(channels):
            now = max(1, round(width * size))
            layers += [nn.Conv2d(before, now, 3, 2 if k else 1, 1)] + [nn.BatchNorm2d(now)] * norm + [nn.ReLU()]
            before = now
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, n))

    return make


def sgd(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True, weight_decay=decay)


def plain(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, weight_decay=decay)


def adam(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr, weight_decay=decay)


FAMILIES: dict[str, dict[str, Family]] = {
    "tuning": {
        "digits-mlp": Family(digits, mlp((64, 64, 64, 10)), sgd, tiny=1 / 64),
        "digits-cnn": Family(digit_pictures, cnn((8, 16), 8), adam, 0.1, 1 / 16),
        "moons-tanh": Family(moons, mlp((2, 24, 24, 2), nn.Tanh), plain, 3.0, None),
        "blobs-adam": Family(blobs, mlp((10, 96, 96, 12)), adam, 0.1, 1 / 96),
        "waves-relu": Family(waves, mlp((2, 64, 64, 64, 1)), adam, 0.1, 1 / 64),
        "digits-deep": Family(digits, mlp((64, 48, 48, 48, 48, 10)), plain, 1.0, 1 / 48),
    },
    "held": {
        "clothes-cnn": Family(clothes(10), cnn((6, 12, 12), 10, norm=True), sgd, 1.0, 1 / 16),
        "clothes-gelu": Family(
            clothes(7), lambda w: nn.Sequential(nn.Flatten(), mlp((49, 80, 80, 10), nn.GELU)(w)), adam, 0.1, 1 / 80
        ),
        "spirals-elu": Family(spirals, mlp((2, 40, 40, 40, 3), nn.ELU), sgd, 1.0, 1 / 40),
        "clusters-drop": Family(clusters, mlp((20, 128, 64, 6), nn.ReLU, None, 0.1), adam, 0.1, 1 / 64),
        "friedman-tanh": Family(friedman, mlp((10, 48, 48, 1), nn.Tanh), sgd, 0.3, None),
        "cells-norm": Family(cells, mlp((30, 32, 32, 2), nn.LeakyReLU, nn.LayerNorm), adam, 0.1, None),
    },
}
SEEDS = {"tuning": 1, "held": 1001}


# ---- names ----


def final(curve: dict[str, Any]) -> float:
    """Mean training loss of the last epoch; infinite when it did not get there."""
    value = curve["train_loss"][-1] if curve["train_loss"] and curve["ended"] != "non-finite" else math.inf
    return value if math.isfinite(value) else math.inf


def risen(curve: dict[str, Any]) -> float:
    """How far validation loss ends above its best."""
    values = curve["val_loss"]
    return (values[-1] - min(values)) / curve["expected_loss"] if values else 0.0


def take_off(curve: dict[str, Any]) -> float:
    """Part of the run before the loss, a median of five logged steps, is a tenth below where it began; 1 is never."""
    loss = np.array(curve["loss"])
    smooth = np.array([np.median(loss[max(0, k - 2) : k + 3]) for k in range(len(loss))])
    down = np.flatnonzero(smooth < 0.9 * min(smooth[0], curve["expected_loss"]))
    return float(down[0]) / len(loss) if len(down) else 1.0


def by_fit(curve: dict[str, Any]) -> str:
    """Good, overfit or neither clearly, for a curve whose training went well."""
    if risen(curve) <= LEVEL:
        return "good"
    return "overfit" if risen(curve) >= RISEN and final(curve) < 0.5 * curve["val_loss"][-1] else ""


def by_sweep(curves: list[dict[str, Any]]) -> list[str]:
    """The name of each curve of a sweep in rising order of rates; "" between two names."""
    ends = [final(curve) for curve in curves]
    best = int(np.argmin(ends))
    expected = curves[0]["expected_loss"]
    names = []
    for k, (end, curve) in enumerate(zip(ends, curves, strict=True)):
        excess = (end - ends[best]) / (expected - ends[best])
        if excess <= NEAR:
            names.append(by_fit(curve))
        elif excess < CLEARLY:
            names.append("")
        elif k < best:
            names.append("too-low")
        else:
            names.append("very-high" if end >= NOT_LEARNED * expected else "high")
    return names


def make(family: Family, seed: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every curve of a family: its name ("" where it lies between two), how it was made, and itself."""
    rates = [rate * family.scale for rate in RATES]
    sweep = [run(family, Plan(rate, seed)) for rate in rates]
    names = by_sweep(sweep)
    for rate, curve, name in zip(rates, sweep, names, strict=True):
        yield name, f"rate {rate:.3g}", curve
    first = names.index("very-high") if "very-high" in names else len(rates) - 1
    last = max(k for k in range(first) if names[k] not in ("too-low", "high"))
    between = [float(rate) for rate in np.geomspace(rates[last], rates[first], 8)[1:-1]]
    finer = [run(family, Plan(rate, seed)) for rate in between]
    known = by_sweep([*sweep[:first], *finer, *sweep[first:]])[first : first + len(between)]
    for rate, curve, name in zip(between, finer, known, strict=True):
        yield name, f"rate {rate:.3g}", curve
    decayed = [run(family, Plan(rate, seed + 1, schedule="cosine")) for rate in rates[::2]]
    for rate, curve, name in zip(rates[::2], decayed, by_sweep(decayed), strict=True):
        yield name, f"rate {rate:.3g}, cosine", curve
    near = [k for k, name in enumerate(names) if name in ("good", "overfit")]
    middle = near[len(near) // 2]
    usual = Plan(rates[middle], seed + 2)
    best = min(map(final, sweep))
    expected = sweep[0]["expected_loss"]

    def learned(curve: dict[str, Any]) -> bool:
        return (final(curve) - best) / (expected - best) <= NEAR

    stopped = run(family, replace(usual, patience=3))
    yield "good" if learned(stopped) else "", "stopped early", stopped
    short = run(family, replace(usual, epochs=4, schedule="cosine"))
    yield "good" if final(short) < NOT_LEARNED * expected else "", "four epochs", short
    on = run(family, replace(usual, seed=seed, rate=usual.rate / 3, from_weights=sweep[middle]["weights"], epochs=8))
    yield "good" if learned(on) and risen(on) <= LEVEL else "", "from trained weights", on
    for start in ("small", "smaller", "zero"):
        for k in (0, -1):
            plan = replace(usual, rate=rates[max(middle + k, 0)])
            spoilt = run(family, replace(plan, start=start))
            late = take_off(spoilt) >= LATE and take_off(run(family, plan)) <= EARLY
            yield "bad-start" if late else "", f"start {start}, rate {plan.rate:.3g}", spoilt
    for k in (0, -1):
        if family.tiny:
            small = run(family, replace(usual, rate=rates[max(middle + k, 0)], width=family.tiny))
            close = bool(small["val_loss"]) and abs(small["val_loss"][-1] / final(small) - 1) < 0.15
            far = 0.4 * expected < final(small) < NOT_LEARNED * expected and final(small) > best + 0.3 * expected
            yield "underfit" if close and far else "", f"width x {family.tiny:.3g}, rate {small['lr'][0]:.3g}", small
    for n, wrong in ((96, 0.0), (160, 0.0), (96, 0.2), (320, 0.2)):
        few = run(family, replace(usual, n=n, epochs=30720 // (n + 256), wrong=wrong))
        yield by_fit(few) if learned(few) else "", f"{n} rows, {wrong:.0%} wrong", few
    for k in (0, -1):
        plan = replace(usual, rate=rates[max(middle + k, 0)], shuffled=True, n=320, epochs=2 * EPOCHS)
        shuffled = run(family, plan)
        yield (
            "unrelated" if final(shuffled) < NOT_LEARNED * expected else "",
            f"shuffled, rate {plan.rate:.3g}",
            shuffled,
        )


def compact(curve: dict[str, Any]) -> dict[str, Any]:
    """Four digits of each number, null for what is not finite, one number for a constant rate, the stride of steps."""

    def short(value: Any) -> Any:
        if isinstance(value, list):
            return [short(each) for each in value]
        if not isinstance(value, float):
            return value
        return float(f"{value:.4g}") if math.isfinite(value) else None

    kept = {name: short(value) for name, value in curve.items() if name != "weights"}
    kept["lr"] = kept["lr"][0] if len(set(kept["lr"])) == 1 else kept["lr"]
    kept["step"] = kept["step"][1] if len(kept["step"]) > 1 else 1
    kept["epoch_step"] = kept["epoch_step"][0] if kept["epoch_step"] else 1
    return kept


def write(part: str) -> None:
    """All curves of a set, one a line."""
    began, lines, counts = time.process_time(), [], Counter[str]()
    for name, family in FAMILIES[part].items():
        for label, how, curve in make(family, SEEDS[part]):
            counts[label or "between two names: left out"] += 1
            if label:
                lines.append(json.dumps({"label": label, "family": name, "made": how, **compact(curve)}))
        print(f"{name}: {time.process_time() - began:.0f} CPU s, {len(lines)} curves", flush=True)
    write_text(KEPT / f"{part}.jsonl", "\n".join(lines) + "\n")
    print(dict(counts.most_common()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(sys.argv[1])
