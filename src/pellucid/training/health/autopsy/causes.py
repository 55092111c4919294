"""From what was found to the likely cause and its cure."""

from pellucid.training.health.autopsy.search import Scene
from pellucid.training.health.monitor.history import History
from pellucid.training.job import Job

LARGE_WEIGHT = 1e3  # no healthy network has one
GROWN = 10.0  # times what a weight was at the first look
FAR = 0.5  # of a weight's length in one step
LARGE_OUTPUT = 1e4  # scores of healthy networks stay below 100

Cause = tuple[str, str]


def cause_of(job: Job, scene: Scene) -> Cause:
    """Cause and cure. What comes first on the way through the step is the root of what comes later."""
    look = (
        "look at the named rows of the batch (their tensors lie in the stored file) and mend or leave out the records"
    )
    if scene.inputs:
        return "the input holds numbers that are not finite, or garbage: a damaged picture, or a division by 0", look
    if scene.targets:
        return "the target holds numbers that are not finite, or garbage: a damaged or missing label", look
    grown = _growth(job)
    if scene.weights and job.step == 0:
        return "a weight is NaN or infinite from the start: the file or the initialisation is spoiled", (
            "use another copy of the weights, or start from random ones"
        )
    if scene.weights:
        return _rate(job, grown or "an update left the range of numbers")
    if grown:
        return _rate(job, grown)
    if scene.fine_in_fp32:
        return "bf16 has too few digits for this model: in fp32 the same batch is finite", (
            "train again with --precision fp32"
        )
    if scene.layer:
        cause = f"an operation without a finite value in {scene.layer.name} ({scene.layer.kind})"
        return cause, "look at the stored batch and that layer; a log or division by 0 is usual"
    if scene.losses and scene.largest_output > LARGE_OUTPUT:
        return _rate(job, f"outputs reach {scene.largest_output:.2g}")
    if scene.losses:
        cause = f"the loss {scene.losses[0]} has no finite value although all outputs have"
        return cause, "look at its formula; a log or division by 0 is usual: add a small number, or use log_softmax"
    where = f" ({scene.operation})" if scene.operation else ""
    cause = f"an operation with an infinite slope{where}: the loss is finite and its gradient is not"
    return cause, "look at its formula; the root or the length of 0 is usual: add a small number inside of it"


def _rate(job: Job, sign: str) -> Cause:
    lr = job.optimiser.param_groups[0]["lr"]
    cause = f"the learning rate is too high (now {lr:.3g}; {sign})"
    return cause, "train again with a tenth of --lr, a longer --warmup-epochs, or --clip-norm 1"


def _growth(job: Job) -> str:
    """How far training has run away, in words; empty where it has not."""
    history = job.monitor.history if job.monitor else History()
    steps = [pace for pace in history.paces if pace.ratio > FAR]
    if steps:
        return f"a step moved the weights by {steps[-1].ratio:.2g} of their length, at step {steps[-1].step}"
    first, last = history.first, history.recent[-1] if history.recent else None
    if first and last:
        growth = {
            name: weight.rms / first.weights[name].rms
            for name, weight in last.weights.items()
            if name in first.weights and first.weights[name].rms > 0
        }
        most = max(growth, key=lambda name: growth[name], default="")
        if most and sum(value > GROWN for value in growth.values()) > len(growth) / 2:
            return f"{most} has grown {growth[most]:.2g} times since the start"
    largest = max((float(p.detach().abs().max()) for p in job.model.parameters() if p.numel()), default=0.0)
    return f"the largest weight is {largest:.3g}" if largest > LARGE_WEIGHT else ""
