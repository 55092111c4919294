"""Hard sigmoid and hard swish, of straight pieces: h(x) = relu6(x + 3) / 6, and x h(x).

Howard et al. 2019, "Searching for MobileNetV3" (https://arxiv.org/abs/1905.02244), section 5.2. torch has both as
`nn.Hardsigmoid` and `nn.Hardswish`, each one pass over the numbers; those are what runs here.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def hard_sigmoid(x: Tensor) -> Tensor:
    """Compute relu6(x + 3) / 6: 0 up to -3, 1/2 at 0, 1 from 3 on. Any shape."""
    return F.hardsigmoid(x)


def hard_swish(x: Tensor) -> Tensor:
    """Compute x relu6(x + 3) / 6: 0 up to -3, x from 3 on, a parabola between. Any shape."""
    return F.hardswish(x)


class HardSigmoid(nn.Module):
    """`hard_sigmoid` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same shape."""
        return hard_sigmoid(x)


class HardSwish(nn.Module):
    """`hard_swish` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same shape."""
        return hard_swish(x)
