"""Networks of the zoo as feature extractors: what segmenters and detectors are built on."""

from torch import nn

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.models.backbones.backbone import Backbone
from pellucid.models.backbones.dilate import dilate_stages
from pellucid.models.backbones.layouts import DILATING, LAYOUTS
from pellucid.models.classify import MODELS
from pellucid.models.classify.vgg import DEPTHS, conv_stages
from pellucid.nn.initialise import initialise

__all__ = ["DILATING", "LAYOUTS", "Backbone", "backbone"]

OUTPUT_STRIDES = (8, 16, 32)


def backbone(name: str, channels: int, image_size: tuple[int, int], output_stride: int = 32) -> Backbone:
    """A fresh network of the zoo without its head, in training mode.

    Its tensors keep their names, so that what a classifier has learned loads once its head is taken off.

    Args:
        name: of a network in `LAYOUTS`.
        channels: C of the pictures.
        image_size: height and width of the pictures in pixels. As in the zoo, small ones get a stem that keeps their
            resolution: then every stride is less than it is called, see `Backbone.strides`.
        output_stride: 8 and 16 let the last stages dilate instead of halving the size, in the networks `DILATING`.
            Their maps keep the names 16 and 32, and lie at this stride (at a quarter of it with a small stem).

    Raises:
        ConfigError: no network of that name has maps to give, it cannot be built for this size, or cannot dilate.
    """
    layout = choose(name, LAYOUTS, "backbone")
    require(output_stride in OUTPUT_STRIDES, "output_stride", "8, 16 or 32", output_stride)
    if output_stride < 32 and name not in DILATING:
        raise ConfigError(
            f"{name} cannot dilate, so its output stride is 32, got {output_stride}. Networks that can: "
            f"{', '.join(DILATING)}."
        )
    net = _vgg(name, channels) if name.startswith("vgg") else MODELS[name](1, channels, image_size)
    if output_stride < 32:
        late = [layout[stride] for stride in layout if stride > output_stride]
        dilate_stages([[net.get_submodule(layer) for layer in layers] for layers in late])
    for module in net.modules():
        if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)) and module.padding in (0, (0, 0)):
            module.ceil_mode = True  # convolutions round sides up, so let poolings do it, too
    return Backbone(name, net, layout, channels, getattr(net, "notes", ()))


def _vgg(name: str, channels: int) -> nn.Module:
    """VGG's convolutions alone: drawing the weights of a head of 120 million would take seconds."""
    net = nn.Module()
    layers, _, norm = name.removeprefix("vgg").partition("_")
    net.features = conv_stages(channels, DEPTHS[int(layers)], norm=bool(norm))
    initialise(net, "fan_in")
    return net
