"""A hundred things among ten thousand places: cross-entropy learns background, the focal loss and mining do not.

A one-stage detector asks at every place whether a thing is there, and nearly everywhere none is. Here 100 of 10,000
places hold things. Whom does the network listen to? Shares of the loss, and of the pull at the scores (the sizes of its
slopes), by who causes it: things, easy background (judged below 0.1) and, the rest, background that is judged worse.

In a network that is half learned, cross-entropy (γ = 0) hears easy background four times as loudly as the things: each
place says next to nothing, and there are thousands. With γ = 2 it is down to a fiftieth, and the things have nearly
half. Mining 3 : 1 silences it altogether, by leaving all but the worst 300 places of background out. The usual α = 0.25
then gives a part of the things' share back to background; it is there because γ = 2 by itself would go too far.

At the very start the focal loss does nothing. A fresh network says 0.5 everywhere, every place is as wrong as any
other, and the things have their hundredth whatever γ is. What helps then is to begin with a bias that says 0.01
everywhere: by itself it gives the things half of the pull, and with γ all of it; or mining, which counts places.

    python recipes/detection/focal_loss_and_the_many.py
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.ops.losses.sigmoid_focal import sigmoid_focal_loss
from pellucid.plots.bars import bars

PLACES, THINGS, PRIOR, MINED = 10_000, 100, 0.01, 3
EASY = 0.1  # background that is given at most this probability of a thing
Loss = Callable[[Tensor, Tensor], Tensor]


def mined(logits: Tensor, targets: Tensor) -> Tensor:
    """(P,) cross-entropy of the things and of three times as many places of background, the worst judged."""
    loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    worst = loss.detach().masked_fill(targets > 0, -1).topk(MINED * int(targets.sum())).indices
    return loss * targets.index_fill(0, worst, 1)


LOSSES: dict[str, Loss] = {
    **{f"γ = {g:g}": lambda x, t, g=g: sigmoid_focal_loss(x, t, None, g) for g in (0.0, 1.0, 2.0, 5.0)},
    "γ = 2, α = 0.25": sigmoid_focal_loss,
    f"mining {MINED} : 1": mined,
}


def states() -> dict[str, tuple[Tensor, Tensor]]:
    """Logits and targets, (P,) each: fresh networks, and one that has learned a part of what there is to learn."""
    random = torch.Generator().manual_seed(0)
    targets = (torch.arange(PLACES) < THINGS).double()
    spread = torch.randn(PLACES, generator=random, dtype=torch.float64)
    return {
        "fresh, p = 0.5": (0.1 * spread, targets),
        f"fresh, p = {PRIOR:g}": (0.1 * spread - math.log((1 - PRIOR) / PRIOR), targets),
        "half learned": (1.5 * spread - 4 + 4 * targets, targets),
    }


def shares(loss: Loss, logits: Tensor, targets: Tensor) -> dict[str, float]:
    """Of the loss, and of the slopes' sizes, what comes from things, from easy background and from the rest of it."""
    x = logits.clone().requires_grad_()
    each = loss(x, targets)
    (slope,) = torch.autograd.grad(each.sum(), x)
    each = each.detach()
    easy = (targets == 0) & (logits.sigmoid() <= EASY)
    groups = {"things": targets > 0, "easy background": easy, "hard background": (targets == 0) & ~easy}
    found = {name: float(each[group].sum() / each.sum()) for name, group in groups.items()}
    return found | {
        f"slope, {name}": float(slope[group].abs().sum() / slope.abs().sum()) for name, group in groups.items()
    }


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Where each loss comes from in three states of a network."""
    rows, drawn = [], {}
    groups = ("things", "easy background", "hard background")
    told = ("things", "easy background", "slope, things", "slope, easy background")
    for state, (logits, targets) in states().items():
        for name, loss in LOSSES.items():
            found = shares(loss, logits, targets)
            rows.append([f"{state}: {name}", *(f"{found[each]:.1%}" for each in told)])
            drawn |= {name: found} if state == "half learned" else {}
    series = {group: [round(100 * found[f"slope, {group}"]) for found in drawn.values()] for group in groups[:2]}
    series[groups[2]] = [100 - sum(each) for each in zip(*series.values(), strict=True)]
    picture = bars(series, list(drawn), "Half learned: who pulls at the weights, %", 100, stacked=True)
    header = ["network: loss", "loss from things", "from easy background", "pull of things", "of easy background"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
