"""Stages that keep the size and dilate instead of halving it.

The "à trous" algorithm, in Chen et al. 2017, "DeepLab" (https://arxiv.org/abs/1606.00915), section 3.1, and Yu and
Koltun 2016 (https://arxiv.org/abs/1511.07122): where a convolution no longer steps over every second cell, the
convolutions after it look twice as far apart, so that at the cells which were there before they see what they saw
before. The weights stay.

Letter: D dilation.
"""

from collections.abc import Sequence

from torch import nn


def dilate_stages(stages: Sequence[Sequence[nn.Module]]) -> None:
    """Let stages that halve once each keep the size instead. Changes their convolutions in place.

    The convolution that would have halved sees as far apart as the stage before; those after it, twice as far.

    Args:
        stages: of each the modules, in the order in which they run; neighbours in the network.
    """
    dilation = 1
    for stage in stages:
        halved = 1
        for module in (inner for outer in stage for inner in outer.modules()):
            if not isinstance(module, nn.Conv2d):
                continue
            if module.stride == (2, 2):
                _spread(module, dilation)
                halved = 2
            else:
                _spread(module, dilation * halved)
        dilation *= halved


def _spread(conv: nn.Conv2d, dilation: int) -> None:
    """Stride 1 and taps `dilation` times as far apart; the padding keeps the size."""
    conv.stride = (1, 1)
    if conv.kernel_size == (1, 1):
        return
    conv.dilation = (conv.dilation[0] * dilation, conv.dilation[1] * dilation)
    conv.padding = tuple(d * (k // 2) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
