"""What two-stage detectors read: a network of the zoo, or a small encoder, under a pyramid or by itself.

Letters: N pictures, C channels, H x W pixels, s a stride, M feature maps, h x w cells of a map.
"""

from torch import Tensor, nn

from pellucid.models.backbones import LAYOUTS, Backbone
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.backbones.small import SmallEncoder
from pellucid.models.detect.fill_up import fill_up
from pellucid.models.necks.fpn import FeaturePyramid
from pellucid.nn.blocks.conv_norm import conv_norm
from pellucid.nn.initialise import initialise

SMALL_WIDTHS = {2: 16, 4: 48, 8: 96, 16: 160}  # stride -> M of the encoder of our own
LEAST_STRIDE = 4  # pixels between cells of the finest map that is read; finer ones cost more than they tell
LEAST_CELLS = 2  # along the short side of the coarsest map of the small encoder


class PyramidMaps(nn.Module):
    """A backbone and a pyramid on its maps: all of one width, all of which know what the coarsest knows.

    Args:
        body: gives the maps.
        width: M of all maps that come out.
        norm: see `FeaturePyramid`; without it names and shapes of all tensors are torchvision's.
        coarser: add a map at twice the last stride, for the first stage alone.
        whole: fill pictures up to a multiple of so many pixels, see `fill_up`.

    Attributes:
        width: as given.
        strides: pixels between the cells of each map that comes out, finest first.
        pooled: those of them that regions are pooled from.
    """

    def __init__(self, body: SmallEncoder | Backbone, width: int, norm: bool, coarser: bool, whole: int = 1) -> None:
        super().__init__()
        self.body, self.whole = body, whole
        self.notes = body.notes
        names = [name for name in sorted(body.widths) if body.strides[name] >= LEAST_STRIDE]
        names = names or [max(body.widths)]  # a stem for small pictures may have no map that is coarse enough
        self.fpn = FeaturePyramid({name: body.widths[name] for name in names}, width, "pool" if coarser else "", norm)
        self.width = width
        self.pooled = tuple(body.strides[name] for name in names)
        self.strides = (*self.pooled, *([2 * self.pooled[-1]] if coarser else []))

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """(N, C, H, W) standardised pixels -> true stride -> (N, M, h, w), finest first; any H and W."""
        return dict(zip(self.strides, self.fpn(self.body(fill_up(x, self.whole))).values(), strict=True))


class OneMap(nn.Module):
    """A backbone's coarsest map, as detectors before pyramids had it; a 1x1 convolution brings it to a width.

    Args:
        body: gives the maps, see `body_upto`.
        width: M of the map that comes out.

    Attributes:
        width, strides, pooled: see `PyramidMaps`.
    """

    def __init__(self, body: SmallEncoder | Backbone, width: int) -> None:
        super().__init__()
        self.body = body
        self.notes = body.notes
        last = max(body.widths)
        self.narrow = conv_norm(body.widths[last], width, 1)
        initialise(self.narrow)
        self.width = width
        self.strides = self.pooled = (body.strides[last],)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """(N, C, H, W) standardised pixels -> true stride -> (N, M, h, w), of the one map."""
        maps = self.body(x)
        return {self.strides[0]: self.narrow(maps[max(maps)])}


Maps = PyramidMaps | OneMap


def body(
    name: str, channels: int, image_size: tuple[int, int], coarsest: int = max(SMALL_WIDTHS)
) -> SmallEncoder | Backbone:
    """A network of the zoo; "" is a small encoder.

    Args:
        coarsest: stride at which the small encoder ends; small pictures end it before.
    """
    if name:
        return zoo_backbone(name, channels, image_size)
    deepest = max(LEAST_STRIDE, min(coarsest, min(image_size) // LEAST_CELLS))
    return SmallEncoder(channels, {stride: width for stride, width in SMALL_WIDTHS.items() if stride <= deepest})


def body_upto(name: str, channels: int, image_size: tuple[int, int], stride: int) -> SmallEncoder | Backbone:
    """As `body`, but what comes after the map of this stride is left out."""
    full = body(name, channels, image_size, stride)
    if isinstance(full, SmallEncoder):
        return full
    last = min((own for own, true in full.strides.items() if true >= stride), default=max(full.strides))
    layout = {own: layers for own, layers in LAYOUTS[name].items() if own <= last}
    return Backbone(full.name, full, layout, channels, full.notes)
