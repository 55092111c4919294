"""Mistakes about the classic networks: who was first, which strides, how many feature maps and parameters.

Counted from the layers' settings, as the papers print them.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pellucid.proof.errata.erratum import Erratum
from pellucid.scratch.convolution.size import conv_parameters, output_size

# -------------------------------------------------------------------------------------------------------- who was first

PUBLISHED = {  # (year, month)
    "AlexNet (Krizhevsky et al., NIPS 2012)": (2012, 12),
    "ReLU (Nair and Hinton, ICML 2010)": (2010, 6),
    "dropout (Hinton et al., arXiv:1207.0580)": (2012, 7),
    "ResNet (He et al., arXiv:1512.03385)": (2015, 12),
    "batch norm (Ioffe and Szegedy, arXiv:1502.03167)": (2015, 2),
}


def _months_behind(named: str, first: str) -> int:
    (year, month), (first_year, first_month) = PUBLISHED[named], PUBLISHED[first]
    return 12 * (year - first_year) + month - first_month


FIRST_RELU = Erratum(
    title="The first net with ReLU",
    printed="The notes on AlexNet: the first use of ReLU as the activation of a neural network.",
    right="It made ReLU known. Nair and Hinton had used it two years before, and they were not the first either.",
    measure="months by which what is named came later than Nair and Hinton, ICML 2010",
    error=lambda named: _months_behind(named, "ReLU (Nair and Hinton, ICML 2010)"),
    printed_version="AlexNet (Krizhevsky et al., NIPS 2012)",
    right_version="ReLU (Nair and Hinton, ICML 2010)",
)
FIRST_DROPOUT = Erratum(
    title="The first net with dropout",
    printed="The notes on AlexNet: the first proposal of dropout.",
    right="The same group had proposed it in a preprint before (arXiv:1207.0580); AlexNet made it known.",
    measure="months by which what is named came later than that preprint",
    error=lambda named: _months_behind(named, "dropout (Hinton et al., arXiv:1207.0580)"),
    printed_version="AlexNet (Krizhevsky et al., NIPS 2012)",
    right_version="dropout (Hinton et al., arXiv:1207.0580)",
)
FIRST_BATCH_NORM = Erratum(
    title="Who proposed batch norm",
    printed="The notes on ResNet count batch norm among the things it proposed.",
    right="Ioffe and Szegedy proposed it; ResNet has it behind every convolution.",
    measure="months by which what is named came later than arXiv:1502.03167",
    error=lambda named: _months_behind(named, "batch norm (Ioffe and Szegedy, arXiv:1502.03167)"),
    printed_version="ResNet (He et al., arXiv:1512.03385)",
    right_version="batch norm (Ioffe and Szegedy, arXiv:1502.03167)",
)

# ---------------------------------------------------------------------------------------------------------------- ZFNet

ZFNET_SIDES = [110, 55, 26, 13, 13, 13, 13, 6]  # of its figure 3: conv, pool, conv, pool, conv, conv, conv, pool


def _off_sides(strides: Sequence[int]) -> int:
    """The largest difference in rows from figure 3, for the strides of the five convolutions, 224 px."""
    layers = [(7, 1), (3, 1), (5, 0), (3, 1), (3, 1), (3, 1), (3, 1), (3, 0)]  # kernel, padding
    steps = [strides[0], 2, strides[1], 2, *strides[2:], 2]
    side, sides = 224, list[int]()
    for (kernel, pad), stride in zip(layers, steps, strict=True):
        side = output_size(side, kernel, stride, pad)
        sides.append(side)
    return max(abs(ours - theirs) for ours, theirs in zip(sides, ZFNET_SIDES, strict=True))


ZFNET_STRIDES = Erratum(
    title="The strides of ZFNet",
    printed="The notes on ZFNet: AlexNet with a first kernel of 7 × 7, and stride 2 in the second and third"
    " convolution.",
    right="Stride 2 in the first and second convolution: the first goes from 11 × 11 at stride 4 to 7 × 7 at stride 2."
    " The third has stride 1.",
    measure="largest difference in rows from the sizes in figure 3 of the paper",
    error=_off_sides,
    printed_version=(4, 2, 2, 1, 1),
    right_version=(2, 2, 1, 1, 1),
)

ALEXNET_MAPS, WIDE_MAPS = (96, 256, 384, 384, 256), (96, 256, 512, 1024, 512)
ZFNET_WIDTHS = Erratum(
    title="Which layers of ZFNet are wider",
    printed="The notes on ZFNet: more kernels in the third and fourth convolution than AlexNet has.",
    right="In the third, fourth and fifth: 512, 1024, 512 for 384, 384, 256. That is the paper's wider variant; the net"
    " in its figure has AlexNet's numbers.",
    measure="layers named wrongly or not at all",
    error=lambda named: len(
        set(named) ^ {k for k, (a, b) in enumerate(zip(ALEXNET_MAPS, WIDE_MAPS, strict=True), 1) if b > a}
    ),
    printed_version=(3, 4),
    right_version=(3, 4, 5),
)

# ------------------------------------------------------------------------------------------------------------------ VGG

VGG16_PARAMETERS = 138_357_544  # of the published weights
VGG16_DEPTHS = (2, 2, 3, 3, 3)


def _vgg16(maps: Sequence[int]) -> int:
    """Parameters of VGG-16 whose five stages have so many feature maps; 7 × 7 cells are left of 224 px."""
    each = [3, *(width for width, depth in zip(maps, VGG16_DEPTHS, strict=True) for _ in range(depth))]
    convolutions = sum(conv_parameters(c_out, c_in, (3, 3)) for c_in, c_out in pairwise(each))
    linear = [7 * 7 * maps[-1], 4096, 4096, 1000]
    return convolutions + sum((n_in + 1) * n_out for n_in, n_out in pairwise(linear))


VGG_DOUBLING = Erratum(
    title="How the feature maps of VGG grow",
    printed="The notes on VGG: with every pooling the number of kernels doubles.",
    right="After the first three: 64, 128, 256, 512, and then 512 again. Behind the fifth comes no convolution.",
    measure="difference from the parameters of the published VGG-16, as a share",
    error=lambda maps: abs(_vgg16(maps) / VGG16_PARAMETERS - 1),
    printed_version=(64, 128, 256, 512, 1024),
    right_version=(64, 128, 256, 512, 512),
)

# ------------------------------------------------------------------------------------------------------------ GoogLeNet

# table 1 of the paper: 1x1; 3x3 reduced, 3x3; 5x5 reduced, 5x5; behind the pooling
GOOGLENET: Mapping[str, tuple[int, int, int, int, int, int]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet_parameters() -> tuple[int, int]:
    """Weights and biases of all convolutions, and of the classifier; without the auxiliary heads."""
    total = conv_parameters(64, 3, (7, 7)) + conv_parameters(64, 64, (1, 1)) + conv_parameters(192, 64, (3, 3))
    c_in = 192
    for one, small, three, smaller, five, pooled in GOOGLENET.values():
        total += sum(conv_parameters(c_out, c_in, (1, 1)) for c_out in (one, small, smaller, pooled))
        total += conv_parameters(three, small, (3, 3)) + conv_parameters(five, smaller, (5, 5))
        c_in = one + three + five + pooled
    return total, (c_in + 1) * 1000


GOOGLENET_PARAMETERS = Erratum(
    title="How many parameters GoogLeNet has",
    printed="The notes on GoogLeNet: fewer than 5 million parameters in all.",
    right=f"{googlenet_parameters()[0]:,} in its convolutions and {googlenet_parameters()[1]:,} in the classifier,"
    f" {sum(googlenet_parameters()):,} together; the auxiliary heads, used in training alone, come on top.",
    measure="how far the number from table 1 of the paper is above the claim, as a share of it",
    error=lambda limit: max(0.0, sum(googlenet_parameters()) / limit - 1),
    printed_version=5_000_000,
    right_version=7_000_000,
)
GOOGLENET_DROPOUT = Erratum(
    title="Dropout in GoogLeNet",
    printed="The same notes: it needs no dropout.",
    right="Table 1 of the paper has dropout of 40 % before the classifier, and the auxiliary heads have 70 %.",
    measure="difference from the share in table 1",
    error=lambda share: abs(share - 0.4),
    printed_version=0.0,
    right_version=0.4,
)

ERRATA = (
    FIRST_RELU,
    FIRST_DROPOUT,
    ZFNET_STRIDES,
    ZFNET_WIDTHS,
    VGG_DOUBLING,
    GOOGLENET_PARAMETERS,
    GOOGLENET_DROPOUT,
    FIRST_BATCH_NORM,
)
