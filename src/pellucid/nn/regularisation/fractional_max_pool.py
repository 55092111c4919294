"""Fractional max pooling: max pooling by a ratio that is no whole number, over regions drawn at random.

Graham 2014, "Fractional Max-Pooling" (https://arxiv.org/abs/1412.6071). The regions of a row of n inputs step by
floor(a) or ceil(a), with a = n / out: in an order that hangs on a single number (pseudo-random), or in any order
(random), which distorts more. Regions are disjoint, or windows of one size that overlap. How the formulas come about
stands in `scratch/pooling/fractional.py`, which has the pseudo-random ones.

In the paper a network answers with the mean over several draws. Here evaluation takes one fixed draw (u = 1/2), so
that it repeats; `averaged_out.monte_carlo` gives the mean.

Letters: N samples, C channels, H x W inputs, n inputs of a side, `out` outputs of it.
"""

from math import ceil, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import DataError

Regions = tuple[Tensor, Tensor]


def disjoint_regions(steps: Tensor, n: int) -> Regions:
    """Regions that are a partition of 0 ... n - 1, from steps (..., out) with sum n: first inputs and sizes, int64."""
    return steps.cumsum(-1) - steps, steps


def overlapping_regions(steps: Tensor, n: int, kernel: int) -> Regions:
    """Windows of `kernel` inputs, from steps (..., out - 1) with sum n - kernel: first inputs and sizes (..., out)."""
    starts = F.pad(steps.cumsum(-1), (1, 0)) if steps.shape[-1] else steps.new_full((*steps.shape[:-1], 1), n - kernel)
    return starts, torch.full_like(starts, kernel)


def pseudo_random_steps(u: Tensor, total: int, number: int) -> Tensor:
    """floor((i + 1 + u) a) - floor((i + u) a) for i < number, a = total / number: (...,) in [0, 1) -> (..., number)."""
    places = torch.arange(number + 1, device=u.device, dtype=torch.float64) + u.double()[..., None]
    steps = (places * (total / max(number, 1))).floor().long().diff(dim=-1)
    if number:
        steps[..., -1] += total - steps.sum(-1)  # what rounding could miss
    return steps


def random_steps(keys: Tensor, total: int) -> Tensor:
    """The same steps in an order drawn at random: (..., number) of any random numbers -> (..., number), sum total."""
    number = keys.shape[-1]
    rank = keys.argsort(-1).argsort(-1)
    return total // max(number, 1) + (rank < total % max(number, 1)).long()


def pool_regions(x: Tensor, rows: Regions, columns: Regions) -> Tensor:
    """The largest value of each region: (N, C, H, W), regions (N, C, out) -> (N, C, out_h, out_w)."""
    x = _pool_side(x, *rows)  # (N, C, out_h, W)
    return _pool_side(x.transpose(2, 3), *columns).transpose(2, 3)


def _pool_side(x: Tensor, starts: Tensor, sizes: Tensor) -> Tensor:
    """(N, C, n, W) -> (N, C, out, W); of equal values one alone gets the gradient."""
    widest = int(sizes.max()) if sizes.numel() else 1
    inside = torch.arange(widest, device=x.device)
    places = starts[..., None] + torch.minimum(inside, sizes[..., None] - 1)  # (N, C, out, widest): again the last one
    picked = x.gather(2, places.flatten(2)[..., None].expand(-1, -1, -1, x.shape[3]))  # (N, C, out * widest, W)
    return picked.unflatten(2, (places.shape[2], widest)).max(3).values


class FractionalMaxPool2d(nn.Module):
    """(N, C, H, W) -> (N, C, floor(H / ratio), floor(W / ratio)), over regions of every sample's and channel's own.

    Args:
        ratio: of the input to the output size, at least 1; sqrt(2) halves the area.
        overlapping: windows of `kernel` inputs that overlap; else disjoint regions of floor(a) or ceil(a).
        pseudo_random: a step sequence from a single number, as PyTorch's layer; else steps in random order.
        kernel: size of overlapping windows; None takes the smallest that skips no input.
    """

    def __init__(
        self, ratio: float = sqrt(2), overlapping: bool = True, pseudo_random: bool = True, kernel: int | None = None
    ) -> None:
        super().__init__()
        require(ratio >= 1, "ratio", "1 or more", ratio)
        kernel = max(2, ceil(ratio)) if kernel is None else kernel
        require(kernel >= 1, "kernel", "1 or more", kernel)
        self.ratio, self.overlapping, self.pseudo_random, self.kernel = ratio, overlapping, pseudo_random, kernel

    def forward(self, x: Tensor, u: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N, C, floor(H / ratio), floor(W / ratio)).

        Args:
            u: (N, C, 2) in [0, 1), the draws for columns and rows, in PyTorch's order; None draws in training, and
                is 1/2 in evaluation.

        Raises:
            DataError: a side of x is smaller than the ratio or the kernel.
        """
        smallest = max(self.ratio, self.kernel if self.overlapping else 1)
        if x.dim() != 4 or min(x.shape[2:]) < smallest:
            raise DataError(
                f"fractional max pooling by {self.ratio:.3g} needs (N, C, H, W), sides {ceil(smallest)} or more, "
                f"got {tuple(x.shape)}."
            )
        if u is None:
            shape = (*x.shape[:2], 2)
            u = torch.rand(shape, device=x.device) if self.training else torch.full(shape, 0.5, device=x.device)
        sizes = [int(n / self.ratio) for n in x.shape[2:]]
        rows, columns = (self._regions(u[..., 1 - side], x.shape[2 + side], sizes[side]) for side in (0, 1))
        return pool_regions(x, rows, columns)

    def _regions(self, u: Tensor, n: int, out: int) -> Regions:
        """(N, C, out) each."""
        total, number = (n - self.kernel, out - 1) if self.overlapping else (n, out)
        if self.pseudo_random or not self.training:
            steps = pseudo_random_steps(u, total, number)
        else:
            steps = random_steps(torch.rand(*u.shape, number, device=u.device), total)
        return overlapping_regions(steps, n, self.kernel) if self.overlapping else disjoint_regions(steps, n)

    def extra_repr(self) -> str:
        kind = f"kernel={self.kernel}" if self.overlapping else "disjoint"
        return f"ratio={self.ratio:.4g}, {kind}, {'pseudo-random' if self.pseudo_random else 'random'}"
