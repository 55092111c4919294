"""The second stage of R-FCN: a look at maps of scores, one for each class and each cell of a region.

Dai et al. 2016, "R-FCN" (https://arxiv.org/abs/1605.06409), section 2.

Letters: N pictures, M feature maps, h x w cells, R regions of all pictures, K classes, S cells along a side of
a region.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pellucid.models.detect.roi_heads import Judging
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise
from pellucid.ops.regions import position_sensitive_pool


class PositionSensitiveHeads(nn.Module):
    """Maps of scores and of moves for each cell of a region, and the mean of what a region finds in them.

    Args:
        n_classes: K.
        width: M.
        judging: what the stage learns from; `pooling.side` is S.
    """

    def __init__(self, n_classes: int, width: int, judging: Judging) -> None:
        super().__init__()
        self.judging, self.n_scores = judging, n_classes + 1
        self.conv = conv_norm(width, width)
        initialise(self)
        cells = judging.pooling.side**2
        self.cls_maps = nn.Conv2d(width, cells * self.n_scores, 1)
        self.bbox_maps = nn.Conv2d(width, cells * 4, 1)
        for layer in (self.cls_maps, self.bbox_maps):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def shared(self, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Stride -> (N, M, h, w) -> stride -> (N, S * S * (K + 1 + 4), h, w): all there is to compute."""
        out = {}
        for stride, each in maps.items():
            x = self.conv(each)
            out[stride] = torch.cat([self.cls_maps(x), self.bbox_maps(x)], 1)
        return out

    def forward(self, maps: Mapping[int, Tensor], boxes_xyxy: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Once a region, nothing but means: logits (R, K + 1), the first of background, and moves (R, 1, 4)."""
        ((stride, scores),) = maps.items()
        pooled = position_sensitive_pool(scores.float(), boxes_xyxy, picture, self.judging.pooling.side, 1 / stride)
        votes = pooled.mean((2, 3))  # (R, K + 1 + 4)
        return votes[:, : self.n_scores], votes[:, None, self.n_scores :]
