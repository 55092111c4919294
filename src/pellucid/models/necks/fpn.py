"""A feature pyramid: maps of every stride that all know what the coarsest knows.

Lin et al. 2017, "Feature Pyramid Networks for Object Detection" (https://arxiv.org/abs/1612.03144). Fine maps of a
classifier know where and hardly what; coarse ones the reverse. Each map is narrowed by a 1x1 convolution, the coarser
result is repeated to its size and added, and a 3x3 convolution smooths the steps of the repetition. Parameters have
torchvision's names.

Letters: N pictures, s a stride, M feature maps, h x w cells of a map.
"""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

Extra = Literal["", "pool", "p6p7"]


class FeaturePyramid(nn.Module):
    """Maps of one width, one for each given stride, and perhaps coarser ones made from the last.

    Args:
        widths: stride -> M of the maps that come in, see `Backbone.widths`. Choose what is wanted of a backbone:
            `{s: m for s, m in backbone.widths.items() if s >= 4}`.
        width: M of all maps that come out.
        extra: "pool" adds a map at twice the last stride, every second cell of the last (Faster R-CNN); "p6p7" adds
            two, by convolutions that step over every second cell (RetinaNet); "" none.
        norm: a batch norm after each convolution of the pyramid, which then has no bias. Fresh pyramids on small
            batches learn several times faster with it; published ones have none.

    Attributes:
        widths: stride -> M of the maps that come out, finest first.
    """

    def __init__(self, widths: Mapping[int, int], width: int, extra: Extra = "", norm: bool = False) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(_block(widths[stride], width, 1, norm) for stride in sorted(widths))
        self.layer_blocks = nn.ModuleList(_block(width, width, 3, norm) for _ in widths)
        self.extra = extra
        last = max(widths)
        coarser = {"": (), "pool": (2 * last,), "p6p7": (2 * last, 4 * last)}[extra]
        if extra == "p6p7":
            self.extra_blocks = _TwoCoarser(width)
        self.widths = dict.fromkeys((*sorted(widths), *coarser), width)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Stride -> (N, M_s, h, w), more strides than wanted do no harm -> stride -> (N, M, h, w), finest first."""
        strides = tuple(self.widths)[: len(self.inner_blocks)]
        summed: dict[int, Tensor] = {}
        above: Tensor | None = None
        for stride, narrow in zip(reversed(strides), reversed(self.inner_blocks), strict=True):
            here = narrow(maps[stride])
            above = here if above is None else here + F.interpolate(above, size=here.shape[-2:])
            summed[stride] = above
        out = {stride: smooth(summed[stride]) for stride, smooth in zip(strides, self.layer_blocks, strict=True)}
        coarser = tuple(self.widths)[len(strides) :]
        if self.extra == "pool":
            out[coarser[0]] = out[strides[-1]][..., ::2, ::2]
        elif self.extra == "p6p7":
            out |= dict(zip(coarser, self.extra_blocks(out[strides[-1]]), strict=True))
        return out


class _TwoCoarser(nn.Module):
    """Lin et al. 2017, "Focal Loss" (https://arxiv.org/abs/1708.02002), footnote 2; from the pyramid's last map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(width, width, 3, 2, 1)
        self.p7 = nn.Conv2d(width, width, 3, 2, 1)

    def forward(self, last: Tensor) -> tuple[Tensor, Tensor]:
        p6 = self.p6(last)
        return p6, self.p7(F.relu(p6))


def _block(c_in: int, c_out: int, kernel: int, norm: bool) -> nn.Sequential:
    """Named as torchvision does: 0 the convolution, 1 the norm."""
    conv = nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=not norm)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out)) if norm else nn.Sequential(conv)
