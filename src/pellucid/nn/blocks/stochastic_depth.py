"""Stochastic depth: a residual branch is left out at random in training.

Huang et al. 2016, "Deep Networks with Stochastic Depth" (https://arxiv.org/abs/1603.09382).
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require


class StochasticDepth(nn.Module):
    """A branch F is dropped for a whole picture (or the whole batch) with probability `p`, and scaled by 1 / (1 - p).

    The scaling keeps the mean, so that nothing changes in evaluation, where the layer is the identity. The paper
    scales by 1 - p in evaluation instead; the means agree.

    Args:
        p: probability of dropping, in [0, 1).
        each: `picture` draws for every picture, `batch` once for all, as in the paper.
    """

    def __init__(self, p: float, each: str = "picture") -> None:
        super().__init__()
        require(0 <= p < 1, "p", "in [0, 1)", p)
        require(each in ("picture", "batch"), "each", "picture or batch", each)
        self.p, self.each = p, each

    def forward(self, branch: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or self.p == 0:
            return branch
        n = branch.shape[0] if self.each == "picture" else 1
        kept = torch.rand(n, *[1] * (branch.dim() - 1), device=branch.device) >= self.p
        return branch * (kept / (1 - self.p)).to(branch.dtype)

    def extra_repr(self) -> str:
        return f"p={self.p}, each={self.each!r}"
