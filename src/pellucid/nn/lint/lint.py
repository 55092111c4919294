"""All rules, run on one network."""

from collections.abc import Callable

from torch import nn

from pellucid.core.config import require
from pellucid.core.verdict import Verdict
from pellucid.nn.geometry.describe import describe
from pellucid.nn.lint.about import About
from pellucid.nn.lint.checkerboard import checkerboard
from pellucid.nn.lint.ending import activation_at_the_end, double_softmax
from pellucid.nn.lint.graph import record
from pellucid.nn.lint.gridding import gridding
from pellucid.nn.lint.parameters import frozen, unused_parameters
from pellucid.nn.lint.placement import bias_before_norm, norm_after_activation
from pellucid.nn.lint.sizes import sizes
from pellucid.nn.lint.small_batch import small_batch

RULES: dict[str, Callable[[About], list[Verdict]]] = {
    "sizes": sizes,
    "bias-before-norm": bias_before_norm,
    "norm-after-activation": norm_after_activation,
    "gridding": gridding,
    "checkerboard": checkerboard,
    "double-softmax": double_softmax,
    "activation-at-the-end": activation_at_the_end,
    "frozen": frozen,
    "unused-parameters": unused_parameters,
    "small-batch": small_batch,
}


def lint(model: nn.Module, channels: int, image_size: tuple[int, int], batch: int | None = None) -> list[Verdict]:
    """Look for traps before a batch is run.

    `fail` is what cannot learn or answer rightly; `warn` what works, and worse or dearer than it could.

    Args:
        model: any network (N, C, H, W) -> tensors; it stays as it is.
        channels, image_size: of the pictures.
        batch: pictures a training step will have.

    Returns:
        One or more verdicts a rule, in the order of `RULES`; a rule with nothing to say gives `pass`.

    Raises:
        ConfigError: the picture does not fit through the network, or `batch` is below 1.
    """
    require(batch is None or batch >= 1, "batch", "1 or more", batch)
    geometry = describe(model, channels, image_size, training=True)
    about = About(model, geometry, record(model, channels, image_size), batch)
    return [verdict for rule in RULES.values() for verdict in rule(about)]
