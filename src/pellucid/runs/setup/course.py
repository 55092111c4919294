"""`--defaults`: which of the course's recommendations a run really uses, looked up in its network and settings."""

import math
from typing import Any

from torch import Tensor, nn

from pellucid.core import config as settings
from pellucid.core.verdict import Verdict
from pellucid.training.config import COURSE_DEFAULTS

NEAR = 0.2  # relative; the spread of a layer with few weights differs from what it was drawn with


def course_verdict(cfg: Any, net: nn.Module) -> list[Verdict]:
    """Say which recommended defaults are in use, and which are not, when they were asked for."""
    if not cfg.train.defaults:
        return []
    values = settings.flat(cfg)
    used = {f"{name} {wanted}": values[name] == wanted for name, wanted in COURSE_DEFAULTS.items()}
    used |= {
        "ReLU": any(isinstance(module, nn.ReLU) for module in net.modules()),
        "batch norm": any(isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) for module in net.modules()),
        "He initialisation": starts_as_he(net),
    }
    yes, no = ([name for name, is_used in used.items() if is_used == wanted] for wanted in (True, False))
    evidence = f"recommended defaults in use: {', '.join(yes) or 'none'}; not in use: {', '.join(no) or 'none'}"
    return [Verdict("course-defaults", "info", evidence)]


def starts_as_he(net: nn.Module) -> bool:
    """Whether every hidden layer of a fresh network has weights of standard deviation sqrt(2 / fan), fan in or out.

    He et al. 2015, arXiv:1502.01852. The last layer is left out: small logits need it smaller.
    """
    layers = [module for module in net.modules() if isinstance(module, (nn.Conv2d, nn.Linear))][:-1]
    return bool(layers) and all(_is_he(layer.weight) for layer in layers)


def _is_he(weight: Tensor) -> bool:
    fans = (weight[0].numel(), weight.shape[0] * weight[0, 0].numel())
    spread = float(weight.detach().std())
    return any(abs(spread * math.sqrt(fan / 2) - 1) < NEAR for fan in fans)
