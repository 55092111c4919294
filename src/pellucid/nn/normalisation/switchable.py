"""Switchable norm: a learnt mixture of instance, layer and batch statistics.

Luo et al. 2018, "Differentiable Learning-to-Normalize via Switchable Normalization"
(https://arxiv.org/abs/1806.10779), equations 3 to 5.

Letters: N samples, C channels, S places of a map, k = instance, layer, batch.
"""

import torch
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.errors import DataError

KINDS = ("instance", "layer", "batch")

Moments = tuple[Tensor, Tensor]


class SwitchableNorm(nn.Module):
    """γ (x - Σ p_k μ_k) / √(Σ q_k σ²_k + ε) + β, with p = softmax(mean_weight) and q = softmax(var_weight).

    The mixture of means and that of variances are learnt apart. In evaluation the batch's part comes from running
    statistics, kept as by torch's batch norm: their variance is the unbiased one.

    Args:
        channels: C.
        eps: ε.
        momentum: how much of the running statistics a batch replaces.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        require(channels >= 1, "channels", "1 or more", channels)
        require(0 <= momentum <= 1, "momentum", "in [0, 1]", momentum)
        self.channels, self.eps, self.momentum = channels, eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # γ
        self.bias = nn.Parameter(torch.zeros(channels))  # β
        self.mean_weight = nn.Parameter(torch.ones(len(KINDS)))  # equal shares, as the paper starts
        self.var_weight = nn.Parameter(torch.ones(len(KINDS)))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) with at least one axis of places -> the same shape.

        Raises:
            DataError: another number of channels, or no places; in training, one number a channel.
        """
        if x.dim() < 3 or x.shape[1] != self.channels:
            raise DataError(f"switchable norm: x must be (N, {self.channels}, ...), got {tuple(x.shape)}.")
        rows = x.flatten(2)  # (N, C, S)
        var, mean = torch.var_mean(rows, dim=2, keepdim=True, correction=0)  # (N, C, 1)
        moments = ((mean, var), _pool(mean, var, 1), self._batch_moments(mean, var, rows.shape[0] * rows.shape[2]))
        p, q = self.mean_weight.softmax(0), self.var_weight.softmax(0)
        mu = sum((p[k] * moments[k][0] for k in range(len(KINDS))), torch.zeros_like(mean))  # (N, C, 1)
        mixed = sum((q[k] * moments[k][1] for k in range(len(KINDS))), torch.zeros_like(mean))
        scale = self.weight[:, None] * (mixed + self.eps).rsqrt()  # (N, C, 1)
        return ((rows - mu) * scale + self.bias[:, None]).reshape(x.shape)

    def shares(self) -> dict[str, tuple[float, float]]:
        """Kind -> its share in the mean and in the variance: what the layer has chosen."""
        pairs = zip(self.mean_weight.softmax(0).tolist(), self.var_weight.softmax(0).tolist(), strict=True)
        return dict(zip(KINDS, pairs, strict=True))

    def _batch_moments(self, mean: Tensor, var: Tensor, count: int) -> Moments:
        """Mean and variance (1, C, 1) over samples and places: the batch's own in training, else the running ones."""
        if not self.training:
            return self.running_mean[None, :, None], self.running_var[None, :, None]
        if count == 1:
            raise DataError("switchable norm: one number a channel has no variance. Use a larger batch, or .eval().")
        pooled = _pool(mean, var, 0)
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(pooled[0].flatten().to(self.running_mean.dtype), self.momentum)
            unbiased = pooled[1].flatten().to(self.running_var.dtype) * (count / (count - 1))
            self.running_var.lerp_(unbiased, self.momentum)
        return pooled

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={self.eps}, momentum={self.momentum}"


def _pool(mean: Tensor, var: Tensor, axis: int) -> Moments:
    """Moments of equally long rows taken together: the mean of variances, and the variance of means."""
    pooled = mean.mean(axis, keepdim=True)
    return pooled, (var + (mean - pooled).square()).mean(axis, keepdim=True)
