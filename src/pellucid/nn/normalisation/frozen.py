"""Batch norm whose numbers stand still: a scale and a shift a channel.

Detectors learn from one or two large pictures at a time, of which no mean is worth taking; those that start from a
classifier keep its statistics and its affine numbers as they are (He et al. 2017, "Mask R-CNN",
https://arxiv.org/abs/1703.06870, and the published COCO weights). Tensors have the names of `nn.BatchNorm2d`, without
the counter.

Letters: N pictures, M feature maps, h x w cells.
"""

import torch
from torch import Tensor, nn


class FrozenBatchNorm2d(nn.Module):
    """`(x - running_mean) / sqrt(running_var + eps) * weight + bias`, all of them fixed, in training too.

    Args:
        width: M.
        eps: added to the variance; 0 where published weights were trained so.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(width))
        self.register_buffer("bias", torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, h, w) -> (N, M, h, w)."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.to(x.dtype)[:, None, None] + shift.to(x.dtype)[:, None, None]

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


def freeze_norms(net: nn.Module, eps: float | None = None) -> nn.Module:
    """Every `nn.BatchNorm2d` within becomes a frozen one with its numbers. Changes the network in place.

    Args:
        eps: of all of them; None keeps that of each.
    """
    for name, module in net.named_children():
        if isinstance(module, nn.BatchNorm2d):
            frozen = FrozenBatchNorm2d(module.num_features, module.eps if eps is None else eps)
            frozen.load_state_dict({key: value for key, value in module.state_dict().items() if value.dim()})
            setattr(net, name, frozen.train(module.training))
        else:
            freeze_norms(module, eps)
    return net
