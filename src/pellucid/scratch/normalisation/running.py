"""Running statistics: what batch norm remembers of its batches, and uses in their place in test mode.

Formula:
    running ← (1 - w) running + w batch,  for the mean and for the variance
        course    w = 1 - momentum, momentum 0.9, variance Σ (x - μ)² / m, both start at 0
        torch     w = momentum, momentum 0.1, variance Σ (x - μ)² / (m - 1), the variance starts at 1
        momentum None    w = 1 / batches seen: the plain mean over all of them

Derivation:
    At test time a prediction must not depend on what else is in the batch, and a batch may hold one sample. So the
    statistics are constants there, estimated while training. Unrolled, running = Σ_k w (1 - w)^k batch_k, k batches
    ago: the weights fall geometrically, by half in about 0.69 / w batches, so the estimate follows the network as it
    changes. A start at 0 is still visible in it with the weight (1 - w)^batches. With w = 1 / n the sum becomes
    (batch_1 + ... + batch_n) / n. The factor m / (m - 1) makes the mean of the variances unbiased; within a batch the
    biased one is used by both.

Source: Ioffe and Szegedy, "Batch Normalization", 2015, section 3.1; CS231n, assignment 2; PyTorch, `BatchNorm1d`.
"""

from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, DataError

MODES = {"train": True, "test": False}
COURSE_MOMENTUM = 0.9
TORCH_MOMENTUM = 0.1


def uses_batch(layer: str, bn_param: dict[str, Any]) -> bool:
    """Whether the batch's own statistics are used: in mode "train", and always if none are tracked.

    Args:
        layer: for messages: "batchnorm".
        bn_param: "mode" ("train" or "test"), and "track_running_stats" (True).

    Raises:
        ConfigError: the mode is missing or unknown.
    """
    if "mode" not in bn_param:
        raise ConfigError(f"{layer}: the settings need 'mode', one of: {', '.join(MODES)}.")
    training = choose(bn_param["mode"], MODES, "mode")
    return training or not bn_param.get("track_running_stats", True)


def running_statistics(
    layer: str, bn_param: dict[str, Any], channels: int, dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (channels,) so far, of type `dtype`; those of the start if there are none.

    Raises:
        ConfigError: the convention is unknown.
        DataError: they belong to another number of channels.
    """
    first = {"running_mean": np.zeros(channels), "running_var": np.full(channels, float(_by_torch(bn_param)))}
    found = {name: np.asarray(bn_param.get(name, start), dtype=dtype) for name, start in first.items()}
    for name, value in found.items():
        if value.shape != (channels,):
            raise DataError(f"{layer}: {channels} channels need {name} ({channels},), got {value.shape}.")
    return found["running_mean"], found["running_var"]


def update_running(layer: str, bn_param: dict[str, Any], mean: np.ndarray, var: np.ndarray, count: int) -> None:
    """Take one batch into the running statistics, in `bn_param` itself.

    Args:
        layer: for messages.
        bn_param: "convention" ("course", or "torch"), "momentum" (None for the plain mean) and "track_running_stats"
            (True) are read; "running_mean", "running_var" and "num_batches_tracked" are set.
        mean, var: (channels,) of the batch, the variance biased.
        count: numbers a channel, m.

    Raises:
        ConfigError: the convention is unknown.
        DataError: one number a channel has no unbiased variance; or the shapes differ.
    """
    by_torch = _by_torch(bn_param)
    if by_torch and count == 1:
        raise DataError(
            f"{layer}: one value a channel has no variance by convention 'torch'. Use a larger batch, or mode 'test'."
        )
    if count == 0 or not bn_param.get("track_running_stats", True):
        return
    old_mean, old_var = running_statistics(layer, bn_param, len(mean), mean.dtype)
    batches = bn_param.get("num_batches_tracked", 0) + 1
    momentum = bn_param.get("momentum", TORCH_MOMENTUM if by_torch else COURSE_MOMENTUM)
    w = 1 / batches if momentum is None else float(momentum) if by_torch else 1 - float(momentum)
    if by_torch:
        var = var * (count / (count - 1))
    bn_param["running_mean"] = (1 - w) * old_mean + w * mean
    bn_param["running_var"] = (1 - w) * old_var + w * var
    bn_param["num_batches_tracked"] = batches


def _by_torch(bn_param: dict[str, Any]) -> bool:
    return choose(bn_param.get("convention", "course"), {"course": False, "torch": True}, "convention")
