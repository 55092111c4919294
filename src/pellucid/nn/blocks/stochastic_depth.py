"""Stochastic depth: a residual branch is left out at random in training.

Huang et al. 2016, "Deep Networks with Stochastic Depth" (https://arxiv.org/abs/1603.09382).
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import ConfigError


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


class ResidualBranch(nn.Module):
    """What a residual block inherits, so that stochastic depth finds it: x + `kept(F(x))`.

    Attributes:
        drop: what F passes last, if anything; it holds no tensors, so the names of all tensors stay.
        shortcut: whether x goes round F at all; some blocks have a way round only where the shape stays.
    """

    shortcut = True

    def __init__(self) -> None:
        super().__init__()
        self.drop: nn.Module | None = None

    def kept(self, branch: Tensor) -> Tensor:
        """(N, ...) -> (N, ...): in training, with stochastic depth, sometimes 0; else the branch itself."""
        return branch if self.drop is None else self.drop(branch)


def let_branches_drop(net: nn.Module, last_survival: float = 0.5) -> int:
    """Give every residual block its probability of being dropped in training, by the linear decay rule (equation 4).

    Of L blocks, block l survives with probability 1 - (l / L) (1 - p_L).

    Args:
        last_survival: p_L, the probability with which the last block survives, in (0, 1].

    Returns:
        L.

    Raises:
        ConfigError: `last_survival` is out of range, or there are no residual blocks.
    """
    require(0 < last_survival <= 1, "last_survival", "above 0 and at most 1", last_survival)
    blocks = [module for module in net.modules() if isinstance(module, ResidualBranch) and module.shortcut]
    if not blocks:
        raise ConfigError("Stochastic depth leaves residual blocks out, and this network has none.")
    for number, block in enumerate(blocks, start=1):
        block.drop = StochasticDepth(number / len(blocks) * (1 - last_survival)).train(block.training)
    return len(blocks)
