"""DropConnect: single weights are left out at random in training. Wan et al. 2013, proceedings of ICML, 28(3).

One mask serves the batch, biases are never dropped, and evaluation uses the mean of the weights: as the layer in
`scratch/regularisation/dropconnect.py`, which says where this differs from the paper.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.config import require


def drop_weights(weight: Tensor, p: float, training: bool = True) -> Tensor:
    """W ∘ M / (1 - p) with M of zeros (probability p) and ones; W itself if not in training.

    The mean over masks is W. A weight that is left out gets no gradient.

    Raises:
        ConfigError: p is not in [0, 1).
    """
    require(0 <= p < 1, "p", "in [0, 1)", p)
    return F.dropout(weight, p, training)


class DropConnectLinear(nn.Linear):
    """A linear layer, each of whose weights is left out with probability `p`; the state is that of `nn.Linear`.

    Args:
        d_in, d_out: inputs and outputs.
        p: probability to leave out, in [0, 1). The NumPy layers count the other way: they take that to keep.
        bias: whether there is one; it is never left out.
    """

    def __init__(self, d_in: int, d_out: int, p: float = 0.5, bias: bool = True) -> None:
        require(0 <= p < 1, "p", "in [0, 1)", p)
        super().__init__(d_in, d_out, bias)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(N, ..., d_in) -> (N, ..., d_out)."""
        return F.linear(x, drop_weights(self.weight, self.p, self.training), self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"


class DropConnectConv2d(nn.Conv2d):
    """A convolution, each of whose weights is left out with probability `p`, at all places of all pictures alike.

    Args:
        c_in, c_out, kernel, stride, padding, groups, bias: as of `nn.Conv2d`.
        p: probability to leave out, in [0, 1).
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        p: float = 0.5,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        require(0 <= p < 1, "p", "in [0, 1)", p)
        super().__init__(c_in, c_out, kernel, stride, padding, groups=groups, bias=bias)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, h, w) -> (N, c_out, h', w')."""
        return self._conv_forward(x, drop_weights(self.weight, self.p, self.training), self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"


def dropping_weights(layer: nn.Linear | nn.Conv2d, p: float) -> nn.Module:
    """The same layer, with the very same parameters under the same names, but with weights left out in training.

    Raises:
        ConfigError: p is not in [0, 1).
    """
    require(0 <= p < 1, "p", "in [0, 1)", p)
    kind: type[DropConnectLinear | DropConnectConv2d]
    kind = DropConnectLinear if isinstance(layer, nn.Linear) else DropConnectConv2d
    twin: Any = kind.__new__(kind)
    twin.__dict__.update(layer.__dict__)  # a new layer would need new parameters, and lose hooks
    twin.p = p
    return twin
