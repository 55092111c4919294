"""Segmenters: `(N, C, H, W)` standardised pixels -> `(N, K, H, W)` logits, one a pixel and class."""

from collections.abc import Callable

from torch import nn

from pellucid.models.segment.fcn_small import fcn_small

# name -> (n_classes, channels, image_size, backbone="") -> network. The backbone is a network of the zoo whose feature
# maps are used, "" is the segmenter's usual one; networks that are made of one piece take no such argument.
MODELS: dict[str, Callable[..., nn.Module]] = {
    "fcn_small": fcn_small,
}
