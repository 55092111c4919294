"""Networks, by family. Every network is a plain `nn.Module` that takes and gives tensors."""

from collections.abc import Callable

from torch import nn

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.models import classify, detect, segment
from pellucid.models.published.load import Published, load_published

__all__ = ["FAMILIES", "Published", "create", "load_published"]

# family -> name -> builder; no name is in two families
FAMILIES: dict[str, dict[str, Callable[[int, int, tuple[int, int]], nn.Module]]] = {
    "classify": classify.MODELS,
    "segment": segment.MODELS,
    "detect": detect.MODELS,
}


def create(name: str, n_classes: int = 1000, channels: int = 3, image_size: tuple[int, int] = (224, 224)) -> nn.Module:
    """A fresh network of any family, in training mode, weights drawn from torch's global generator.

    Args:
        name: a key of one of the tables in `FAMILIES`.
        n_classes: K, without background.
        channels: C of the pictures, 1 (grey) or 3 (RGB).
        image_size: height and width of the pictures in pixels. Some networks choose their stem by it;
            the attribute `notes` of the network says what was chosen, and why.

    Raises:
        ConfigError: no network has that name, or it cannot be built for these numbers.
    """
    require(n_classes >= 1, "n_classes", "1 or more", n_classes)
    require(channels >= 1, "channels", "1 or more", channels)
    require(len(image_size) == 2 and min(image_size) >= 1, "image_size", "two numbers of 1 or more", image_size)
    builders = {entry: builder for family in FAMILIES.values() for entry, builder in family.items()}
    return choose(name, builders, "model")(n_classes, channels, image_size)
