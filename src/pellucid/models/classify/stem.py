"""Which pictures are small, and which are too small.

A network for 224 px pictures halves them five times. A picture of 32 px would then be a single cell after the
last stage, so families that can have a stem for small pictures: it keeps the resolution that the ImageNet stem
gives up at once.
"""

from pellucid.core.errors import ConfigError

SMALL_IMAGE = 64  # px of the short side up to which the small-image stem is taken

# What several families do with small pictures, and what with ImageNet's, in the words of `stem_notes`.
RESIDUAL_STEMS = ("3x3, stride 1, no pooling", "7x7, stride 2, then pooling")
MOBILE_STEMS = ("stride 1, and stride 1 in the second stage: 8 in all", "stride 2: 32 in all stages")


def is_small(image_size: tuple[int, int]) -> bool:
    """Whether pictures of this height and width get the small-image stem."""
    return min(image_size) <= SMALL_IMAGE


def stem_notes(image_size: tuple[int, int], small: str, usual: str) -> tuple[str, ...]:
    """One sentence on the stem that was chosen, and why.

    Args:
        small: what the small-image stem is, such as `3x3, stride 1, no pooling`.
        usual: what the ImageNet stem is, such as `7x7, stride 2, then pooling`.
    """
    if is_small(image_size):
        stem, limit = f"small-image stem ({small})", f"{SMALL_IMAGE} or less"
    else:
        stem, limit = f"ImageNet stem ({usual})", f"above {SMALL_IMAGE}"
    return (f"{stem} because the short side is {min(image_size)} px ({limit})",)


def require_size(name: str, image_size: tuple[int, int], least: int, instead: str = "resnet18") -> None:
    """Refuse pictures that a network would shrink to nothing.

    Raises:
        ConfigError: a side is below `least` px.
    """
    if min(image_size) < least:
        raise ConfigError(
            f"{name} needs pictures of at least {least}x{least} px, got {image_size[0]}x{image_size[1]}. "
            f"Choose a larger --image-size, or --model {instead}."
        )
