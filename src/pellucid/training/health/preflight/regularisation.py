"""Step 2: regularisation raises the loss, since it adds a penalty that is never negative, and reaches some weights."""

from dataclasses import replace

import torch

from pellucid.core.verdict import Verdict
from pellucid.training.config import OptimConfig
from pellucid.training.health.preflight.samples import first_batch, losses_of, total_of, train_mode
from pellucid.training.job import Job
from pellucid.training.penalty import is_decoupled, penalty

RULE = "regularisation-raises-loss"
TRIED = 1e-4  # weight decay that is tried where none is asked for
TOO_MUCH = 100.0  # times the loss: then the weights are what is learned, not the pictures


def check_regularisation(job: Job) -> Verdict:
    """Compare the first loss with and without the penalty; a decay beside the loss is judged as if it were in it."""
    asked = job.cfg.optim
    strength = asked.weight_decay or (0.0 if asked.l1 else TRIED)
    within = replace(asked, optimiser="sgd", decoupled=False, weight_decay=strength)
    train_mode(job)
    with torch.no_grad():
        data = float(total_of(losses_of(job, first_batch(job))))
        added = float(penalty(job.model, within))
        tenfold = float(penalty(job.model, replace(within, weight_decay=10 * strength, l1=10 * asked.l1)))
    whole = data + added
    evidence = f"the loss is {data:.4g} without and {whole:.4g} with {_said(within)}"
    if asked.weight_decay and is_decoupled(asked):
        evidence += " (the weights decay beside the loss, as decoupled decay does)"
    elif strength == TRIED and not asked.weight_decay:
        evidence += " (none is asked for; this was tried)"
    if not added > 0 or not tenfold > added:
        cause = "no weight is pulled: all that is trained is vectors, such as biases and norms, or is 0 from the start"
        cure = "leave --weight-decay and --l1 out, they change nothing here; or initialise the weights at random"
        asked_for = bool(asked.weight_decay or asked.l1)
        return Verdict(RULE, "warn" if asked_for else "info", f"{evidence}: it adds nothing", cause, cure)
    if added > TOO_MUCH * data and not is_decoupled(asked):
        cause = f"the penalty is {added / max(data, 1e-12):.0f} times the loss: it decides what is learned"
        return Verdict(RULE, "warn", evidence, cause, "lower --weight-decay or --l1 tenfold")
    return Verdict(RULE, "pass", evidence)


def _said(cfg: OptimConfig) -> str:
    parts = [f"{name} {value:g}" for name, value in (("weight decay", cfg.weight_decay), ("L1", cfg.l1)) if value]
    return " and ".join(parts)
