"""Random mask: what is kept and what is dropped, drawn anew in every step of training.

Formula:
    m_i ~ Bernoulli(p): 1 with probability p (keep), else 0
    E[m_i] = p,  Var[m_i] = p (1 - p)

Derivation:
    For u uniform in [0, 1), P(u < p) = p. So E[m x] = p x: after dropping, outputs are smaller by p on average.
    Either the whole layer is scaled by p in use, or what was kept is divided by p in training: E[m x / p] = x.
    The noise that this adds has variance x² (1 - p) / p, large for a small p.

Source: Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors", 2012,
arXiv:1207.0580.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError

Param = Mapping[str, Any]
MODES = {"train": True, "test": False}


def read_param(param: Param, name: str) -> tuple[bool, float]:
    """Whether the mode is "train", and p, the probability to keep.

    Args:
        param: `{"mode": "train" or "test", "p": ...}`; other keys are left alone.
        name: what the messages call `param`.

    Raises:
        ConfigError: a key is missing, the mode is unknown, or p is not in [0, 1].
    """
    for key, what in (("mode", '"train" or "test"'), ("p", "the probability to keep")):
        if key not in param:
            raise ConfigError(f"{name} needs {key!r}, {what}; it has {', '.join(map(repr, param)) or 'nothing'}.")
    training, p = choose(param["mode"], MODES, f"mode in {name}"), param["p"]
    if not 0 <= p <= 1:
        raise ConfigError(f"p in {name} is the probability to keep, so in [0, 1], got {p:g}.")
    return training, float(p)


def require_some_kept(p: float, name: str) -> None:
    """Refuse p = 0 where outputs are divided by p.

    Raises:
        ConfigError: p is 0.
    """
    if p == 0:
        raise ConfigError(f"p in {name} must be above 0: it is the probability to keep, and with 0 nothing is left.")


def keep_mask(shape: tuple[int, ...], param: Param) -> np.ndarray:
    """Booleans of the given shape, each True with probability `param["p"]`.

    They are drawn from a generator of `param["seed"]`, if there is one, so that every call gives the same mask (a
    gradient check needs that); else from `param["rng"]`, a `np.random.Generator`; else from NumPy's global state,
    which `np.random.seed` sets. The generator of a seed is NumPy's older one: its numbers never change between
    versions, and equal those of the course, which seeds the global state; that is left alone here.
    """
    if param.get("seed") is not None:
        draws = np.random.RandomState(param["seed"]).random_sample(shape)
    elif param.get("rng") is not None:
        draws = param["rng"].random(shape)
    else:
        draws = np.random.random_sample(shape)  # noqa: NPY002 - as the course
    return np.asarray(draws < param["p"])
