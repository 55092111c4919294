"""R-CNN: proposed regions, each cut out, warped and shown to a network, and a support vector machine for every class.

Girshick, Donahue, Darrell and Malik 2014 (https://arxiv.org/abs/1311.2524). The network was trained to classify and is
not trained here; what is fitted are the machines that read its features, and a linear map from features to how the box
should be moved (appendix C). The network looks at every region anew, for which VGG-16 needs 47 seconds a picture on a
GPU (https://arxiv.org/abs/1504.08083, section 1.1), and which `fast_rcnn` does away with.

Of the paper's 227 pixels a region fills 195, the rest is what lies around it; so it is here, at another size. What lies
beyond the picture has the mean colour. The features are the mean and the largest value of each of the network's last
maps, brought to mean 0 and variance 1 over the training regions.

Letters: N pictures, C channels, H x W pixels, K classes, R regions of a picture, B regions in all, F features.
"""

import torch
from torch import Tensor, nn

from pellucid.models.backbones import Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.detect.detector import Outputs
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.pick import pick
from pellucid.models.detect.region_sampling import Matching, match
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.coding import decode_boxes
from pellucid.ops.boxes.convert import cxcywh_to_xyxy, xyxy_to_cxcywh
from pellucid.ops.regions.roi_align import roi_align

USUAL_BACKBONE = "convnet"
SIDE = 64  # px that a region is warped to
AROUND = 227 / 195  # the window that is cut out, by the region
TOGETHER = 256  # regions that the network sees at once
# Regions between the two are neither a class's own nor clearly another thing's, and no machine learns from them.
MATCHING = Matching(low=0.3, high=0.5)


class RCNN(nn.Module):
    """See above. Its buffers are filled by `tasks.detect.fit`; until then it finds nothing but doubt.

    Outputs: `proposals_xyxy` (N, R, 4), zeros where there are fewer; `scores` (N, R, K), distances from the machines'
    planes in units of their margins; `moves` (N, R, K, 4); `image_hw` (2,).

    Args:
        n_classes: K.
        backbone: the network whose features are read.
    """

    feature_mean: Tensor
    feature_scale: Tensor
    class_weight: Tensor
    class_bias: Tensor
    box_weight: Tensor
    box_bias: Tensor

    def __init__(self, n_classes: int, backbone: Backbone) -> None:
        super().__init__()
        self.n_classes, self.backbone = n_classes, backbone
        self.n_features = 2 * backbone.widths[max(backbone.widths)]
        for name, shape in {
            "feature_mean": (self.n_features,),
            "class_weight": (n_classes, self.n_features),
            "class_bias": (n_classes,),
            "box_weight": (n_classes, 4, self.n_features),
            "box_bias": (n_classes, 4),
        }.items():
            self.register_buffer(name, torch.zeros(shape))
        self.register_buffer("feature_scale", torch.ones(self.n_features))
        self.initial_losses = {"class": float(n_classes)}
        self.notes = (*backbone.notes, f"every proposed region is warped to {SIDE}x{SIDE} px and looked at by itself")

    def forward(self, x: Tensor, truth: Truth | None = None, proposals_xyxy: Tensor | None = None) -> Outputs:
        """(N, C, H, W) standardised pixels and (N, R, 4) proposals, its own or the truth's, -> see above."""
        given = proposals_xyxy if proposals_xyxy is not None or truth is None else truth.proposals_xyxy
        boxes = x.new_zeros(len(x), 0, 4) if given is None else given
        picture, place = _solid(boxes).nonzero(as_tuple=True)  # (B,), (B,)
        regions = boxes[picture, place]
        features = (self.features(x, regions, picture) - self.feature_mean) * self.feature_scale
        scores = features @ self.class_weight.T + self.class_bias  # (B, K)
        moves = torch.einsum("bf,kmf->bkm", features, self.box_weight) + self.box_bias
        return {
            "proposals_xyxy": boxes,
            "scores": scores.new_zeros(*boxes.shape[:2], self.n_classes).index_put((picture, place), scores),
            "moves": moves.new_zeros(*boxes.shape[:2], self.n_classes, 4).index_put((picture, place), moves),
            "image_hw": torch.tensor(x.shape[-2:]),
        }

    def features(self, x: Tensor, regions_xyxy: Tensor, picture: Tensor) -> Tensor:
        """(N, C, H, W), (B, 4), (B,) -> (B, F) float32 as they come from the network, once a region."""
        centre = xyxy_to_cxcywh(regions_xyxy)
        wide = cxcywh_to_xyxy(torch.cat([centre[:, :2], centre[:, 2:] * AROUND], 1))
        parts = [x.new_zeros(0, self.n_features, dtype=torch.float32)]
        for start in range(0, len(wide), TOGETHER):
            some = slice(start, start + TOGETHER)
            warped = roi_align(x, wide[some], picture[some], SIDE, 1.0)
            maps = self.backbone(warped.contiguous(memory_format=torch.channels_last))
            last = maps[max(maps)].float()  # (B, F / 2, h, w)
            parts.append(torch.cat([last.mean((2, 3)), last.amax((2, 3))], 1))
        return torch.cat(parts)

    def losses(self, outputs: Outputs, truth: Truth) -> dict[str, Tensor]:
        """`class` (N,): the squared hinge of all machines, max(0, 1 ∓ score)² added up, a picture's mean over regions.

        A region is of the class of the thing that it shares half with, and of none below 0.3.
        """
        boxes, scores = outputs["proposals_xyxy"], outputs["scores"]
        matched = torch.where(_solid(boxes), match(boxes, truth, MATCHING), -2)  # (N, R)
        labels = truth.labels.gather(1, matched.clamp(min=0))
        own = (labels[..., None] == torch.arange(self.n_classes, device=scores.device)) & (matched >= 0)[..., None]
        hinge = (1 - torch.where(own, scores, -scores)).clamp(min=0).square().sum(-1)  # (N, R)
        asked = matched >= -1
        return {"class": (hinge * asked).sum(1) / asked.sum(1).clamp(min=1)}

    def found(self, outputs: Outputs, limits: Limits) -> Found:
        """The surest regions, moved as the class asks; a score is the logistic function of the distance."""
        boxes, scores = outputs["proposals_xyxy"], outputs["scores"].sigmoid()
        moved = decode_boxes(outputs["moves"], boxes[:, :, None])  # (N, R, K, 4)
        solid = _solid(boxes)
        height, width = outputs["image_hw"].tolist()
        return pick(moved * solid[..., None, None], scores * solid[..., None], limits, (height, width))


def _solid(boxes_xyxy: Tensor) -> Tensor:
    """(...): whether there is a box; places without one hold zeros."""
    return (boxes_xyxy[..., 2:] > boxes_xyxy[..., :2]).all(-1)


def rcnn(n_classes: int, channels: int, image_size: tuple[int, int], backbone: str = "") -> nn.Module:
    """R-CNN on features of a network that has learned to classify; regions come as `proposals_xyxy`."""
    net = RCNN(n_classes, zoo_backbone(backbone or USUAL_BACKBONE, channels, (SIDE, SIDE)))
    return net.requires_grad_(False)
