"""A loss or gradient became NaN or infinite: find where it began, and keep the batch that did it."""

from torch import Tensor

from pellucid.core.verdict import Verdict
from pellucid.models.weights import write_weights
from pellucid.training.health.autopsy.causes import cause_of
from pellucid.training.health.autopsy.search import search
from pellucid.training.job import Job
from pellucid.training.step import BadStep

FOLDER = "nonfinite"


def examine(job: Job, batch: dict[str, Tensor], bad: BadStep) -> Verdict:
    """Say where, at which step and why, and write batch and weights to `nonfinite/` for `replay`."""
    folder = job.folder / FOLDER
    about = {
        "step": job.step,
        "epoch": job.epoch,
        "precision": job.precision,
        "losses": {k: repr(v) for k, v in bad.losses.items()},
    }
    write_weights(folder / "batch.safetensors", batch, about)
    write_weights(folder / "model.safetensors", job.model.state_dict(), about)
    scene = search(job, batch)
    parts = ", ".join(f"{name} = {value:.4g}" for name, value in bad.losses.items())
    cause, cure = cause_of(job, scene)
    evidence = (
        f"at step {job.step} (epoch {job.epoch + 1}): {parts}, gradient norm {bad.gradient_norm:.4g}; "
        f"{scene.sentence()}; the weights were not changed; batch and weights are in {FOLDER}/, and "
        f"`pellucid check {job.folder}` goes through them layer by layer"
    )
    return Verdict("non-finite", "fail", evidence, cause, cure)
