"""Swish: x times its own sigmoid. Ramachandran et al. 2017 (https://arxiv.org/abs/1710.05941)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def swish(x: Tensor, beta: Tensor | float = 1.0) -> Tensor:
    """Compute x σ(β x), any shape; β one number or (1,). Slope 1/2 at β = 0, SiLU at 1, the ReLU in the limit."""
    if isinstance(beta, float) and beta == 1.0:
        return F.silu(x)  # the same, in one pass
    return x * torch.sigmoid(beta * x)


class Swish(nn.Module):
    """`swish` as a layer.

    Args:
        beta: β, or where it starts.
        learnable: β is a parameter, shared by all entries; else a plain number.
    """

    def __init__(self, beta: float = 1.0, learnable: bool = False) -> None:
        super().__init__()
        self.beta: nn.Parameter | float = nn.Parameter(torch.tensor([float(beta)])) if learnable else float(beta)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same shape."""
        return swish(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={float(torch.as_tensor(self.beta).detach()):g}, learnable={isinstance(self.beta, nn.Parameter)}"
