"""Which layers of a network make the map of each stride."""

from itertools import pairwise

from pellucid.models.classify.resnet import VARIANTS as RESNETS
from pellucid.models.classify.se_resnet import VARIANTS as SE_RESNETS
from pellucid.models.classify.vgg import DEPTHS

Layout = dict[int, tuple[str, ...]]


def upto(sequence: str, ends: dict[int, int]) -> Layout:
    """Layers of one `nn.Sequential`, cut after the layer that ends each stride.

    Args:
        sequence: its name in the network.
        ends: stride -> number of the last layer that works at it.
    """
    cuts = [-1, *ends.values()]
    return {
        stride: tuple(f"{sequence}.{layer}" for layer in range(before + 1, last + 1))
        for stride, (before, last) in zip(ends, pairwise(cuts), strict=True)
    }


def pooled(depths: tuple[int, ...], norm: bool) -> Layout:
    """VGG's five stages; the map of a stride is what its pooling gives, as FCN takes it."""
    ends, last = {}, -1
    for number, depth in enumerate(depths, start=1):
        last += depth * (3 if norm else 2) + 1
        ends[2**number] = last
    return upto("features", ends)


RESIDUAL: Layout = {
    2: ("conv1", "bn1", "relu"),
    4: ("maxpool", "layer1"),
    8: ("layer2",),
    16: ("layer3",),
    32: ("layer4",),
}
PREACTIVATED: Layout = {**RESIDUAL, 32: ("layer4", "bn2", "relu")}  # the last sum is the one that gets its norm
DENSE: Layout = {
    2: ("features.conv0", "features.norm0", "features.relu0"),
    4: ("features.pool0", "features.denseblock1"),
    8: ("features.transition1", "features.denseblock2"),
    16: ("features.transition2", "features.denseblock3"),
    32: ("features.transition3", "features.denseblock4", "features.norm5", "relu"),
}


# Up to the last block: the 1x1 convolution to 1,280 maps after it is for the mean over a whole picture.
def lite(ends: dict[int, int]) -> Layout:
    """EfficientNet-Lite: the stem belongs to the first stage, which does not halve."""
    layout = upto("_blocks", ends)
    return {**layout, 2: ("_conv_stem", "_bn0", "_relu0", *layout[2])}


LITE0 = lite({2: 0, 4: 2, 8: 4, 16: 10, 32: 15})
LITE1_2 = lite({2: 0, 4: 3, 8: 6, 16: 14, 32: 20})
RESIDUALS = (
    *RESNETS,
    *SE_RESNETS,
    *(f"stochastic_depth_resnet{depth}" for depth in (18, 34, 50, 101, 152)),
)
PREACTIVATED_NAMES = tuple(f"preact_resnet{depth}" for depth in (18, 34, 50, 101, 152))

# name of a network of the zoo -> stride -> layers; the first is what segmenters take unless told
LAYOUTS: dict[str, Layout] = {
    "resnet18": RESIDUAL,
    **dict.fromkeys(RESIDUALS, RESIDUAL),
    **dict.fromkeys(PREACTIVATED_NAMES, PREACTIVATED),
    **{f"vgg{layers}": pooled(depths, norm=False) for layers, depths in DEPTHS.items()},
    **{f"vgg{layers}_bn": pooled(depths, norm=True) for layers, depths in DEPTHS.items()},
    **{f"densenet{depth}": DENSE for depth in (121, 161, 169, 201)},
    "mobilenet_v2": upto("features", {2: 1, 4: 3, 8: 6, 16: 13, 32: 17}),
    "mobilenet_v3_small": upto("features", {2: 0, 4: 1, 8: 3, 16: 8, 32: 11}),
    "mobilenet_v3_large": upto("features", {2: 1, 4: 3, 8: 6, 16: 12, 32: 15}),
    "efficientnet_lite0": LITE0,
    "efficientnet_lite1": LITE1_2,
    "efficientnet_lite2": LITE1_2,
    "convnet": {4: ("stem",), **upto("blocks", {8: 0, 16: 1, 32: 2})},
}

# networks all of whose halvings after the stem are convolutions padded alike on all sides, which can dilate instead
DILATING = (*RESIDUALS, *PREACTIVATED_NAMES, "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large")
