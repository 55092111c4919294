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
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from curve_families import FAMILIES, Family
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.files import write_text

KEPT = Path(__file__).resolve().parents[1] / "tests" / "training" / "health" / "curves"
EPOCHS, BATCH, LOGGED = 24, 32, 90
NEAR, CLEARLY = 0.05, 0.15  # above the best loss of a sweep, in parts of the way from knowing nothing to that best
NOT_LEARNED = 0.8  # final loss over that of knowing nothing
LATE, EARLY = 0.2, 0.06  # parts of the run before the loss has fallen by a tenth
RISEN, LEVEL = 0.10, 0.05  # of validation loss over its own best, in parts of the loss of knowing nothing
RATES = [10 ** (k / 2) for k in range(-8, 4)]  # times a family's own scale


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
    log: dict[str, list[float]] = {"step": [], "loss": [], "lr": []}
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
                for name, number in zip(log, (step, value, rate), strict=True):
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
    known = about(y, train, len(val), plan, ended)
    return {**log, **ends, **known, "weights": copy.deepcopy(net.state_dict())}


def about(y: Tensor, train: Tensor, n_val: int, plan: Plan, ended: str) -> dict[str, Any]:
    """What is known of a run beside its logs."""
    classes = 0 if y.is_floating_point() else int(y.max()) + 1
    share = float(torch.bincount(y[train]).max()) / len(train) if classes else math.nan
    expected = math.log(classes) if classes else float(y.var())
    known: dict[str, Any] = {
        "expected_loss": expected,
        "chance": share if classes else expected,
        "higher_is_better": bool(classes),
    }
    known |= {"n_train": len(train), "n_val": n_val, "epochs": plan.epochs, "ended": ended}
    known |= {"weight_decay": plan.decay, "from_weights": plan.from_weights is not None}
    return known


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


def make(family: Family) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every curve of a family: its name ("" where it lies between two), how it was made, and itself."""
    seed, rates = family.seed, [rate * family.scale for rate in RATES]
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
    """Five digits of each number, null for what is not finite, one number for a constant rate, the stride of steps."""

    def short(value: Any) -> Any:
        if isinstance(value, list):
            return [short(each) for each in value]
        if not isinstance(value, float):
            return value
        return float(f"{value:.5g}") if math.isfinite(value) else None

    kept = {name: short(value) for name, value in curve.items() if name != "weights"}
    kept["lr"] = kept["lr"][0] if len(set(kept["lr"])) == 1 else kept["lr"]
    kept["step"] = kept["step"][1] if len(kept["step"]) > 1 else 1
    kept["epoch_step"] = kept["epoch_step"][0] if kept["epoch_step"] else 1
    return kept


def write(part: str) -> None:
    """All curves of a set, one a line."""
    began, lines, counts = time.process_time(), [], Counter[str]()
    for name, family in FAMILIES[part].items():
        for label, how, curve in make(family):
            counts[label or "between two names: left out"] += 1
            if label:
                lines.append(json.dumps({"label": label, "family": name, "made": how, **compact(curve)}))
        print(f"{name}: {time.process_time() - began:.0f} CPU s, {len(lines)} curves", flush=True)
    write_text(KEPT / f"{part}.jsonl", "\n".join(lines) + "\n")
    print(dict(counts.most_common()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(sys.argv[1])
