"""Segmenters: `(N, C, H, W)` standardised pixels -> `(N, K, H, W)` logits, one a pixel and class."""

from collections.abc import Callable

from torch import nn

from pellucid.models.segment.fcn_small import fcn_small

# name -> (n_classes, channels, image_size) -> network
MODELS: dict[str, Callable[[int, int, tuple[int, int]], nn.Module]] = {
    "fcn_small": fcn_small,
}
