"""Update rules by name: all of them take weights, gradient and settings, and return the next weights.

Formula:
    (w, dw, config) → (next w, config)

Derivation:
    A rule's memory (velocity, running means, count) lies in `config`, one dictionary for each array of weights. What
    calls the rules keeps these dictionaries and needs to know nothing about them, so that rules can be exchanged by
    name. A rule changes neither `w` nor `dw`.

Source: CS231n, assignment 2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.scratch.optimisers.adadelta import adadelta
from pellucid.scratch.optimisers.adagrad import adagrad
from pellucid.scratch.optimisers.adam import adam, adam_uncorrected
from pellucid.scratch.optimisers.adamw import adamw
from pellucid.scratch.optimisers.momentum import sgd_momentum, sgd_momentum_unscaled
from pellucid.scratch.optimisers.nesterov import sgd_nesterov
from pellucid.scratch.optimisers.rmsprop import rmsprop
from pellucid.scratch.optimisers.sgd import sgd

Rule = Callable[[np.ndarray, np.ndarray, dict[str, Any] | None], tuple[np.ndarray, dict[str, Any]]]

RULES: dict[str, Rule] = {
    "sgd": sgd,
    "sgd_momentum": sgd_momentum,
    "sgd_momentum_unscaled": sgd_momentum_unscaled,
    "sgd_nesterov": sgd_nesterov,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "adam": adam,
    "adam_uncorrected": adam_uncorrected,
    "adamw": adamw,
}
