"""Step 7, first half: what is for training acts in training only, and not one layer is left in the other mode.

Dropout that stays on outside training makes answers a matter of chance; batch norm that stays in training mode makes
them depend on the company a picture is in; either that stays off in training does not do its work.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.samples import Batch, first_batch, losses_of, outputs_of, total_of
from pellucid.training.job import Job

RULE = "train-eval-slip"
NAMED = 3


def check_mode(job: Job) -> Verdict:
    """Compare two passes outside training, look for layers in the wrong mode, and for buffers that change."""
    batch = first_batch(job)
    stuck = _stuck_off(job)
    if stuck:
        cause = f"{stuck} acts as outside training although the network trains: its train() does not reach it"
        return Verdict(RULE, "fail", f"{stuck} is off in training", cause, "let train(mode) call super().train(mode)")
    job.model.eval()
    layers = [(name, module) for name, module in job.model.named_modules() if _acts_in_training(module)]
    on = [f"{name} ({type(module).__name__})" for name, module in layers if module.training or _takes_batch(module)]
    before = [buffer.clone() for buffer in job.model.buffers()]
    with torch.no_grad():
        first, second = outputs_of(job, batch), outputs_of(job, batch)
    changed = [
        name
        for (name, buffer), was in zip(job.model.named_buffers(), before, strict=True)
        if not torch.equal(buffer, was) and not (buffer.isnan().all() and was.isnan().all())
    ]
    differs = _differ(first, second)
    seen = [
        *([f"in use {_listed(on)} still act as in training"] if on else []),
        *([f"the buffer {_listed(changed)} changes in use"] if changed else []),
        *([f"two answers to the same batch differ by {differs:.2g}"] if differs else []),
    ]
    if not seen:
        what = f"{len(layers)} layers of dropout and batch norm switch" if layers else "there is nothing to switch"
        return Verdict(RULE, "pass", f"{what}; two answers to one batch are equal")
    if on or changed:
        cause = "these layers use the statistics or the chance of the batch although training is over"
        return Verdict(RULE, "fail", "; ".join(seen), cause, "pass eval() on to every layer; keep running statistics")
    cause = "something random acts outside training, such as F.dropout without training=self.training"
    return Verdict(RULE, "fail", "; ".join(seen), cause, "let it depend on self.training")


def _stuck_off(job: Job) -> str:
    """A layer that stays in the mode of use when the network is told to train; "" for none."""
    job.model.train()
    off = [f"{name} ({type(module).__name__})" for name, module in _named(job.model) if not module.training]
    return _listed(off)


def _named(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [(name, module) for name, module in model.named_modules() if _acts_in_training(module)]


def _acts_in_training(module: nn.Module) -> bool:
    return isinstance(module, (_BatchNorm, _DropoutNd))


def _takes_batch(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is None


def _differ(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """The largest difference of two answers; NaN at the same place is none."""
    return max(
        (
            float((first[name] - second[name]).nan_to_num().abs().max())
            for name in first
            if first[name].is_floating_point() and first[name].numel()
        ),
        default=0.0,
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def settled_gap(job: Job, batch: Batch) -> tuple[float, float]:
    """Loss of a batch that was learned by heart, in training and in use, once running statistics have settled on it.

    The two are about equal unless the statistics are not those of the data: a momentum of 0, or a second set of layers.
    """
    with torch.no_grad():
        for _ in range(50):
            training = float(total_of(losses_of(job, batch)))
        job.model.eval()
        return training, float(total_of(losses_of(job, batch)))
