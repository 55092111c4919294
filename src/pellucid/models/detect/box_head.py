"""The second stage of Fast and Faster R-CNN: what is in a region, and how its box should move.

Girshick 2015, "Fast R-CNN" (https://arxiv.org/abs/1504.08083): of the pooled features of a region two hidden layers,
and of these a score for each class and for background, and four moves for each class. Names are torchvision's; class 0
inside is background, so class k outside is k + 1 here.

Letters: N pictures, R regions of all pictures, M feature maps, S cells along a side of the pooled maps, K classes
without background, B places for regions of one picture, T sets of moves (K + 1, or 1 for all classes), D hidden.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.detect.region_sampling import Asked
from pellucid.models.detect.truth import Truth
from pellucid.nn.initialise import initialise
from pellucid.ops.boxes.coding import Weights, encode_boxes

BETA = 1 / 9  # of smooth L1, where the square ends
START_STD = 0.001  # of the last weights. Scores have 0.01 in section 2.3; then the first loss would miss ln(K + 1)


class BoxHead(nn.Module):
    """Two hidden layers over all pooled features.

    Args:
        width: M.
        side: S.
        hidden: D.
    """

    def __init__(self, width: int, side: int, hidden: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(width * side**2, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        initialise(self, "fan_in")

    def forward(self, pooled: Tensor) -> Tensor:
        """(R, M, S, S) -> (R, D)."""
        return F.relu(self.fc7(F.relu(self.fc6(pooled.flatten(1)))))


class BoxPredictor(nn.Module):
    """Scores of all classes and background, and moves for each.

    Args:
        hidden: D.
        n_classes: K.
    """

    def __init__(self, hidden: int, n_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(hidden, n_classes + 1)
        self.bbox_pred = nn.Linear(hidden, 4 * (n_classes + 1))
        for layer in (self.cls_score, self.bbox_pred):
            nn.init.normal_(layer.weight, std=START_STD)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(R, D) -> logits (R, K + 1), the first of background, and moves (R, K + 1, 4)."""
        return self.cls_score(features), self.bbox_pred(features).unflatten(1, (-1, 4))


def region_losses(logits: Tensor, deltas: Tensor, asked: Asked, truth: Truth, weights: Weights) -> dict[str, Tensor]:
    """`class` and `box`, (N,) each: means over the regions of a picture that are asked; background moves no box.

    Args:
        logits: (N, B, K + 1).
        deltas: (N, B, T, 4).
        weights: of the four moves.
    """
    there, positive = asked.thing >= -1, asked.thing >= 0  # (N, B)
    count = there.sum(1).clamp_min(1)
    n, b = positive.nonzero(as_tuple=True)
    target = torch.zeros_like(asked.thing)  # background
    target[n, b] = truth.labels[n, asked.thing[n, b]] + 1
    surprise = F.cross_entropy(logits.transpose(1, 2), target, reduction="none")  # (N, B)
    one_for_all = deltas.shape[2] == 1
    moves = deltas[n, b, torch.zeros_like(b) if one_for_all else target[n, b]]  # (P, 4)
    wanted = encode_boxes(truth.boxes_xyxy[n, asked.thing[n, b]], asked.boxes_xyxy[n, b], weights)
    box = F.smooth_l1_loss(moves, wanted, reduction="none", beta=BETA).sum(1)
    return {
        "class": torch.where(there, surprise, 0).sum(1) / count,
        "box": box.new_zeros(len(count)).index_add(0, n, box) / count,
    }
