"""Detectors: `(N, C, H, W)` standardised pixels -> boxes, classes and scores, some with masks or keypoints."""

from collections.abc import Callable

from torch import nn

# name -> (n_classes, channels, image_size, backbone="") -> network, see `detector.Detector`. The backbone is a network
# of the zoo whose feature maps are used, "" is the detector's usual one; those made of one piece take no such argument.
MODELS: dict[str, Callable[..., nn.Module]] = {}

# name -> the backbone it has unless told; "" is an encoder of its own. Only these take one
BACKBONES: dict[str, str] = {}

# networks that learn outlines or keypoints, and so need data that has them
MASKS: tuple[str, ...] = ()
KEYPOINTS: tuple[str, ...] = ()  # these take `n_keypoints` too

# networks that look only where they are told: their data brings proposals
PROPOSED: tuple[str, ...] = ()


def build(
    name: str,
    n_classes: int,
    channels: int,
    image_size: tuple[int, int],
    backbone: str = "",
    n_keypoints: int = 0,
) -> nn.Module:
    """A fresh detector on a backbone of the zoo; "" is its usual one, and what all others have."""
    more = {"backbone": backbone} if backbone else {}
    points = {"n_keypoints": n_keypoints} if name in KEYPOINTS else {}
    return MODELS[name](n_classes, channels, image_size, **more, **points)
