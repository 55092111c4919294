"""Convolution, batch norm, activation: the unit most networks since 2015 are made of."""

from collections.abc import Callable

from torch import nn


def conv_norm(
    c_in: int,
    c_out: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    activation: Callable[[], nn.Module] | None = nn.ReLU,
    eps: float = 1e-5,
    momentum: float = 0.1,
) -> nn.Sequential:
    """A convolution without bias that keeps the size (at stride 1, odd kernel), its norm, and an activation.

    Parts are named 0 (convolution), 1 (norm) and 2 (activation, which has no weights).

    Args:
        activation: makes the last part; None leaves it out.
        eps, momentum: of the norm.
    """
    parts: list[nn.Module] = [
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(c_out, eps=eps, momentum=momentum),
    ]
    return nn.Sequential(*parts, *([activation()] if activation else []))
