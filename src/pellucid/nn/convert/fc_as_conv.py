"""A linear layer as a convolution, and a whole classifier as one that slides over larger pictures.

A linear layer that reads a map of h x w cells and n channels, flattened, is a convolution with kernels of h x w over
n channels, without padding: at the native size it fits in one place and gives the same numbers; over a larger map it
gives them at every place, and shares all work where places overlap. Sermanet et al. 2014, "OverFeat"
(https://arxiv.org/abs/1312.6229), section 3.5; Long et al. 2015 (https://arxiv.org/abs/1411.4038), section 3.1.

Letters: N pictures, n channels of a map of h x w cells, K classes, H x W pixels, h' x w' places.
"""

import copy

import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, DataError


def fc_as_conv(linear: nn.Linear, channels: int, size: tuple[int, int] = (1, 1)) -> nn.Conv2d:
    """The convolution whose output at its one place is that of the linear layer on the flattened map.

    Args:
        linear: of n · h · w inputs, read channel by channel and row by row, as `flatten(1)` lays them out.
        channels: n.
        size: (h, w).

    Raises:
        DataError: the layer takes another number of inputs.
    """
    height, width = size
    if linear.in_features != channels * height * width:
        raise DataError(
            f"fc as conv: a map of {channels} channels and {height}x{width} cells has {channels * height * width}"
            f" numbers, the linear layer takes {linear.in_features}."
        )
    weight = linear.weight.detach()
    conv = nn.Conv2d(channels, linear.out_features, size, bias=linear.bias is not None)
    conv = conv.to(device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(weight.reshape(linear.out_features, channels, height, width))
        if linear.bias is not None and conv.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv.train(linear.training)


class FullyConvolutional(nn.Module):
    """A classifier of larger pictures: a score for each class at each place. Made by `fully_convolutional`.

    Args:
        features: pictures to maps.
        classifier: maps to scores, layers that work at every place.
    """

    def __init__(self, features: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), at least the native size -> (N, K, h', w') scores; h' = w' = 1 at the native size."""
        return self.classifier(self.features(x))


def fully_convolutional(model: nn.Module, image_size: tuple[int, int], channels: int = 3) -> FullyConvolutional:
    """A copy of a network of `features`, an optional `avgpool`, and a `classifier` of linear layers, made to slide.

    AlexNet, ZFNet and VGG are such networks. At `image_size` the one place holds the network's own logits; a
    picture larger by the network's stride has one place more. What a place sees is the crop there, but for the
    zeros that its convolutions pad with: inside a larger picture they find the picture's own pixels instead.

    Args:
        model: its adaptive pooling, if any, would shrink a larger map back. One that has nothing to do at
            `image_size` is left out, and the mean over the whole map becomes one over windows of its size.
        image_size: the native height and width in pixels.
        channels: of the pictures.

    Raises:
        ConfigError: the network is not made of these parts.
        DataError: its pooling does something else at `image_size`, or the classifier takes another number of inputs.
    """
    features, classifier = getattr(model, "features", None), getattr(model, "classifier", None)
    if not isinstance(features, nn.Module) or not isinstance(classifier, (nn.Linear, nn.Sequential)):
        raise ConfigError(
            f"fully convolutional: the network must have `features` and a `classifier`, a linear layer or a sequence;"
            f" {type(model).__name__} has {', '.join(name for name, _ in model.named_children()) or 'no parts'}."
        )
    features = copy.deepcopy(features)
    was_training = features.training
    parameter = next(model.parameters())
    with torch.no_grad():
        size = features.eval()(parameter.new_zeros(1, channels, *image_size)).shape[1:]
    features.train(was_training)
    cells = (int(size[1]), int(size[2]))
    sliding = _sliding(getattr(model, "avgpool", None), cells, image_size)
    layers = list(classifier) if isinstance(classifier, nn.Sequential) else [classifier]
    converted: list[nn.Module] = [] if sliding is None else [sliding]
    width, cells = int(size[0]), cells if sliding is None else (1, 1)
    for layer in layers:
        if isinstance(layer, nn.Linear):
            converted.append(fc_as_conv(layer, width, cells))
            width, cells = layer.out_features, (1, 1)
        elif not isinstance(layer, nn.Flatten):
            converted.append(copy.deepcopy(layer))
    return FullyConvolutional(features, nn.Sequential(*converted))


def _sliding(pool: nn.Module | None, cells: tuple[int, int], image_size: tuple[int, int]) -> nn.Module | None:
    """The pooling that slides as `pool` stands at the native size; None if that does nothing."""
    if pool is None or isinstance(pool, nn.Identity):
        return None
    wanted = getattr(pool, "output_size", None)
    wanted = (wanted, wanted) if isinstance(wanted, int) else wanted
    if isinstance(pool, nn.AdaptiveAvgPool2d) and wanted is not None:
        if tuple(wanted) == cells:
            return None
        if tuple(wanted) == (1, 1):
            return nn.AvgPool2d(cells, stride=1)
    raise DataError(
        f"fully convolutional: pictures of {image_size[0]}x{image_size[1]} px become {cells[0]}x{cells[1]} cells,"
        f" which {pool} would change. Take the size at which it has nothing to do."
    )
