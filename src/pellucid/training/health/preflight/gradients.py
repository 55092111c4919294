"""Step 4: the gradient of the loss reaches every parameter that is to be trained."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.samples import losses_of, n_samples, take, total_of, train_mode
from pellucid.training.job import Job
from pellucid.training.rates.trial import endless

RULE = "gradients-reach-all"
STEPS = (
    4  # a gate that starts at 0 lets the gradient through from the second step on; a branch may be left out by chance
)
SAMPLES = 32
LR = 1e-3
NAMED = 4

WHY = {
    "frozen": "frozen without a plan (requires_grad is false)",
    "cut": "with no way to the loss",
    "zero": "with a gradient of exactly 0",
}


def check_gradients(job: Job) -> Verdict:
    """Take a few small steps and note every parameter that a gradient ever came to."""
    train_mode(job)
    wanted = dict(job.model.named_parameters())
    left_alone = {name for name, p in wanted.items() if not p.requires_grad} if job.plan else set()
    reached = _reached(job, wanted)
    missing = [name for name in wanted if name not in reached | left_alone]
    if not missing:
        planned = f", {len(left_alone)} are frozen by the plan" if left_alone else ""
        return Verdict(RULE, "pass", f"gradients reach {len(reached)} of {len(wanted)} parameters{planned}")
    kinds = {name: _kind(wanted[name]) for name in missing}
    parts = [
        f"{list(kinds.values()).count(kind)} {why}: {_named([name for name in missing if kinds[name] == kind])}"
        for kind, why in WHY.items()
        if kind in kinds.values()
    ]
    evidence = f"{len(missing)} of {len(wanted)} parameters get no gradient; {'; '.join(parts)}"
    cause, cure = _cause(wanted, kinds)
    return Verdict(RULE, "fail", evidence, cause, cure)


def _reached(job: Job, wanted: Mapping[str, nn.Parameter]) -> set[str]:
    """Names of the parameters that got a gradient other than 0: in training, or for what chance left out in use, or for
    what nothing in these batches teaches (SSD's largest boxes, say, where all things are small) by made-up truth.
    """
    reached: set[str] = set()
    trained = [p for p in wanted.values() if p.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=LR) if trained else None
    teach = job.task.teach
    for step, whole in zip(range(STEPS + 1 + (teach is not None)), endless(job), strict=False):
        batch = take(whole, range(min(SAMPLES, n_samples(whole))))
        if step == STEPS:
            job.model.eval()
        if step > STEPS and teach is not None:
            batch = teach(batch, job.facts)
        job.model.zero_grad(set_to_none=True)
        total = total_of(losses_of(job, batch))
        if not total.requires_grad:
            continue
        total.backward()
        reached |= {name for name, p in wanted.items() if p.grad is not None and bool(p.grad.count_nonzero())}
        if optimiser and step < STEPS and bool(torch.isfinite(total)):
            optimiser.step()
        if len(reached) == len(wanted):
            break
    return reached


def _kind(p: Tensor) -> str:
    return "frozen" if not p.requires_grad else "cut" if p.grad is None else "zero"


def _cause(wanted: Mapping[str, nn.Parameter], kinds: Mapping[str, str]) -> tuple[str, str]:
    if "cut" in kinds.values():
        return WHY["cut"], "use it in forward, or remove it"
    if "frozen" in kinds.values():
        return (
            "layers were frozen by hand",
            "call requires_grad_(True) on them, or say with --tune what is to be trained",
        )
    weights = [p for p in wanted.values() if p.dim() >= 2]
    if weights and all(bool((p == p.flatten()[0]).all()) for p in weights if kinds.get(_name(wanted, p)) == "zero"):
        return "weights that all start at the same value never learn", "initialise them at random (He, Xavier)"
    return "every unit behind them is dead, or the loss does not depend on the model", "look at the layer after them"


def _name(wanted: Mapping[str, nn.Parameter], p: nn.Parameter) -> str:
    return next(name for name, other in wanted.items() if other is p)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
