"""What torchvision's segmenters have in common: a dilated ResNet, a head on its last map, and one half-way up.

Names, shapes and order of all tensors are torchvision's, so that published weights load with `strict=True`. The
auxiliary head, after Zhao et al. 2017 (https://arxiv.org/abs/1612.01105), section 3.2, helps training and plays no part
in answers. Difference: the first loss is ln K, as the last layers start small, and pictures up to 64 px get the stem
that keeps their resolution.

Letters: N pictures, C channels, H x W pixels, K classes, M maps, h x w cells of a map.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.backbones import backbone
from pellucid.nn.initialise import initialise, start_small

OUTPUT_STRIDE = 8


class ResNetSegmenter(nn.Module):
    """Scores of the last map, or in training also of the one before it, resized to the picture.

    Args:
        name: of the residual network.
        n_classes: K.
        channels: C.
        image_size: height and width of the pictures.
        classifier: makes (N, K, h, w) scores of the last map; a sequence that ends with a 1x1 convolution.
    """

    def __init__(
        self, name: str, n_classes: int, channels: int, image_size: tuple[int, int], classifier: nn.Sequential
    ) -> None:
        super().__init__()
        self.backbone = backbone(name, channels, image_size, OUTPUT_STRIDE)
        self.notes = self.backbone.notes
        self.classifier = classifier
        self.aux_classifier = fcn_head(self.backbone.widths[16], n_classes)
        for head in (self.classifier, self.aux_classifier):
            initialise(head)
            start_small(head[-1])  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        return _resize(self.classifier(self.backbone(x)[32]), x)

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """(N, C, H, W) -> `logits` and `auxiliary`, both (N, K, H, W)."""
        maps = self.backbone(x)
        return {
            "logits": _resize(self.classifier(maps[32]), x),
            "auxiliary": _resize(self.aux_classifier(maps[16]), x),
        }


def fcn_head(c_in: int, n_classes: int) -> nn.Sequential:
    """3x3 convolution to a quarter of the maps, norm, ReLU, dropout, and a score of each place: (N, M, h, w) -> K."""
    width = c_in // 4
    return nn.Sequential(
        nn.Conv2d(c_in, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Conv2d(width, n_classes, 1),
    )


def _resize(scores: Tensor, x: Tensor) -> Tensor:
    return F.interpolate(scores, size=x.shape[-2:], mode="bilinear", align_corners=False)
