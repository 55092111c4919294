"""Step 6: what reaches the first layer has mean about 0 and deviation about 1, in every channel."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from pellucid.core.verdict import Verdict
from pellucid.training.health.preflight.samples import first_batch, outputs_of, train_mode
from pellucid.training.job import Job

RULE = "input-normalised"
NEAR_MEAN, NEAR_STD = 0.5, (0.5, 2.0)  # what standardised pictures of one batch keep to
FAR_MEAN, FAR_STD = 3.0, (0.02, 10.0)  # beyond, first layers start where they were not made for
CONSTANT = 1e-3  # deviation of a channel, as a share of the largest one's, that is none
RAW = 30.0  # a deviation that only pixel values of 0..255 have
SHOWN = 4  # channels that are named


def check_inputs(job: Job) -> Verdict:
    """Look at the numbers that the first layer with parameters is given, after all preprocessing."""
    train_mode(job)
    found: list[tuple[nn.Module, Tensor]] = []

    def catch(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if found and not _is_constant(found[0][1]):
            return
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].is_floating_point():
            x = inputs[0].detach().float()
            if not found or not _is_constant(x):  # a first state or place of 0 is no picture
                found[:] = [(module, x)]

    layers = [module for module in job.model.modules() if next(module.parameters(recurse=False), None) is not None]
    hooks = [layer.register_forward_pre_hook(catch) for layer in layers]
    try:
        with torch.no_grad():
            outputs_of(job, first_batch(job))
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        return Verdict(RULE, "info", "the first layer takes no real numbers, so there is nothing to normalise")
    layer, x = found[0]
    if isinstance(layer, _NormBase):
        return Verdict(RULE, "pass", f"the first layer is {type(layer).__name__}, which normalises whatever comes")
    return _judge(x)


def _is_constant(x: Tensor) -> bool:
    return bool((x == x.flatten()[:1]).all())


def _judge(x: Tensor) -> Verdict:
    """(N, C, H, W) by channel, anything else as a whole."""
    channels = x.transpose(0, 1).flatten(1) if x.dim() == 4 else x.flatten()[None]  # (C, numbers)
    means, deviations = channels.mean(1), channels.std(1, correction=0)
    evidence = (
        f"the first layer gets mean {_listed(means)} and deviation {_listed(deviations)}, from {x.min():.3g} to "
        f"{x.max():.3g}"
    )
    still = (deviations <= CONSTANT * deviations.max()).nonzero()[:, 0].tolist()
    if len(still) == len(deviations) or not torch.isfinite(channels).all():
        cause = "every picture is the same, or has numbers that are not finite"
        return Verdict(RULE, "fail", evidence, cause, "look at the pictures: `pellucid check DATA`")
    worst_mean, low, high = float(means.abs().max()), float(deviations.min()), float(deviations.max())
    if worst_mean > FAR_MEAN or low < FAR_STD[0] * (not still) or high > FAR_STD[1]:
        raw = high > RAW and float(x.min()) >= -1
        cause = "pixel values 0..255 reach the network as they are" if raw else "the preprocessing has wrong numbers"
        return Verdict(RULE, "fail", evidence, cause, "train with --preprocess standardise")
    if still:
        names = ", ".join(str(channel) for channel in still[:SHOWN])
        cause = f"channel {names} is the same in every pixel of every picture"
        return Verdict(RULE, "warn", evidence, cause, "read the pictures in grey (--colour grey), or mend their files")
    near = worst_mean <= NEAR_MEAN and low >= NEAR_STD[0] and high <= NEAR_STD[1]
    return Verdict(RULE, "pass" if near else "info", evidence + ("" if near else "; 0 and 1 are the usual"))


def _listed(values: Tensor) -> str:
    shown = ", ".join(f"{float(value):.2f}" for value in values[:SHOWN])
    return shown + ", ..." * (len(values) > SHOWN)
