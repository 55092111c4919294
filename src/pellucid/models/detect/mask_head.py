"""The outline of the thing in a region: a small fully convolutional network on its pooled features.

He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870). A mask for each class, each with a sigmoid of its own,
so that classes do not compete for pixels: which class it is, the box head says. Names are torchvision's.

Letters: N pictures, R regions of all pictures, M feature maps, S cells along a side of the pooled features, K classes,
T = 2S cells along a side of a mask, P regions that hold a thing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaskHead(nn.Sequential):
    """3x3 convolutions with ReLU that keep the size.

    Args:
        width: M of what comes in.
        widths: M after each convolution.
    """

    def __init__(self, width: int, widths: tuple[int, ...]) -> None:
        pairs = zip((width, *widths), widths, strict=False)
        super().__init__(*(nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU()) for a, b in pairs))
        start_he(self)


class MaskPredictor(nn.Module):
    """Twice the size by a transposed convolution, then a logit of each place for each class and (unused) background.

    Args:
        width: M.
        n_classes: K.
    """

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(width, width, 2, 2)
        self.mask_fcn_logits = nn.Conv2d(width, n_classes + 1, 1)
        start_he(self)
        nn.init.normal_(self.mask_fcn_logits.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(R, M, S, S) -> (R, K + 1, T, T); class k is map k + 1."""
        return self.mask_fcn_logits(F.relu(self.conv5_mask(x)))


def start_he(net: nn.Module) -> None:
    """He's normal start by outputs and zero biases, for both kinds of convolution."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def mask_targets(masks: Tensor, boxes_xyxy: Tensor, picture: Tensor, thing: Tensor, side: int) -> Tensor:
    """(P, T, T) float32 in 0..1: the part of each box's mask in a grid of T x T cells, interpolated at their middles.

    What lies outside the picture counts as what is at its border.

    Args:
        masks: (N, M, H, W) bool, of the M things of each picture.
        boxes_xyxy: (P, 4) pixels.
        picture, thing: (P,) int64, whose mask.
        side: T.
    """
    height, width = masks.shape[-2:]
    middles = (torch.arange(side, device=masks.device) + 0.5) / side
    low, size = boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    x0, x1, along = _between(low[:, :1] + middles * size[:, :1], width)  # (P, T) each
    y0, y1, down = _between(low[:, 1:] + middles * size[:, 1:], height)
    n, m = picture[:, None, None], thing[:, None, None]

    def row(y: Tensor) -> Tensor:
        left, right = masks[n, m, y[:, :, None], x0[:, None, :]], masks[n, m, y[:, :, None], x1[:, None, :]]
        return left.float() * (1 - along[:, None, :]) + right.float() * along[:, None, :]  # (P, T, T)

    return row(y0) * (1 - down[:, :, None]) + row(y1) * down[:, :, None]


def _between(at: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels whose middles lie before and after a place, and how far it is from the first to the second, in 0..1."""
    at = (at - 0.5).clamp(0, size - 1)  # pixel i has its middle at i + 0.5
    first = at.floor()
    return first.long(), (first.long() + 1).clamp_max(size - 1), at - first


def mask_loss(logits: Tensor, targets: Tensor, picture: Tensor, n_pictures: int) -> Tensor:
    """(N,): cross-entropy of every place of the right class's mask, the mean over the regions of a picture.

    Args:
        logits: (P, T, T), of the class that the region holds.
        targets: (P, T, T) in 0..1.
        picture: (P,) int64.
    """
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((1, 2))  # (P,)
    return mean_by_picture(each, picture, n_pictures)


def mean_by_picture(each: Tensor, picture: Tensor, n_pictures: int) -> Tensor:
    """(P,) -> (N,): the mean over those of each picture; 0 with a gradient path where there are none."""
    zeros = each.new_zeros(n_pictures)
    count = zeros.index_add(0, picture, torch.ones_like(each)).clamp_min(1)
    return zeros.index_add(0, picture, each) / count
