"""A loss or gradient became NaN or infinite: find where it began, and keep the batch that did it."""

from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.verdict import Verdict
from pellucid.models.weights import write_weights
from pellucid.nn.precision import autocast
from pellucid.training.job import Job
from pellucid.training.step import BadStep

FOLDER = "nonfinite"


def examine(job: Job, batch: dict[str, Tensor], bad: BadStep) -> Verdict:
    """Say which loss, layer and step it was, and write batch and weights to `nonfinite/` for replay."""
    folder = job.folder / FOLDER
    about = {"step": job.step, "epoch": job.epoch, "losses": {k: repr(v) for k, v in bad.losses.items()}}
    write_weights(folder / "batch.safetensors", batch, about)
    write_weights(folder / "model.safetensors", job.model.state_dict(), about)
    layer = first_bad_layer(job, batch)
    parts = ", ".join(f"{name} = {value:.4g}" for name, value in bad.losses.items())
    evidence = (
        f"at step {job.step} (epoch {job.epoch + 1}): {parts}, gradient norm {bad.gradient_norm:.4g}; "
        f"{layer}; the weights were not changed; batch and weights are in {FOLDER}/"
    )
    cause, cure = _cause(job, layer)
    return Verdict("non-finite", "fail", evidence, cause, cure)


def first_bad_layer(job: Job, batch: dict[str, Tensor]) -> str:
    """Where the first NaN or infinity stands: a weight, a layer's output, or else a weight's gradient."""
    for name, value in job.model.named_parameters():
        if not torch.isfinite(value).all():
            return f"weight {name} was already not finite"
    found: list[str] = []
    hooks = [
        module.register_forward_hook(_watch(name or type(module).__name__, found))
        for name, module in job.model.named_modules()
        if not list(module.children())
    ]
    buffers = {name: value.clone() for name, value in job.model.named_buffers()}
    try:
        with torch.no_grad(), autocast(job.device, job.precision):
            job.model(batch)
    finally:
        for hook in hooks:
            hook.remove()
        for name, buffer in job.model.named_buffers():  # the second forward pass must leave no trace
            buffer.copy_(buffers[name])
    if found:
        return f"first layer with a non-finite output: {found[0]}"
    gradients = [n for n, p in job.model.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
    if gradients:  # backward runs from the last layer to the first
        return f"all outputs are finite; first non-finite gradient: {gradients[-1]}"
    return "all layers are finite; the loss itself overflows"


def _watch(name: str, found: list[str]) -> Any:
    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        values = output.values() if isinstance(output, dict) else [output]
        if any(isinstance(v, Tensor) and v.is_floating_point() and not torch.isfinite(v).all() for v in values):
            found.append(f"{name} ({type(module).__name__})")

    return hook


def _cause(job: Job, layer: str) -> tuple[str, str]:
    largest = max((float(p.detach().abs().max()) for p in job.model.parameters() if p.numel()), default=0.0)
    if largest > 1e3 or job.step < job.total_steps // 2:
        lr = job.optimiser.param_groups[0]["lr"]
        cause = f"the learning rate is too high (now {lr:.3g}; largest weight {largest:.3g})"
        return cause, "train again with a tenth of --lr, a longer --warmup-epochs, or --clip-norm 1"
    if job.precision == "bf16":
        return "bf16 has too few digits for this model", "train again with --precision fp32"
    return f"an operation without a finite value ({layer})", "look at the stored batch; a log or division by 0 is usual"
