"""Settings of data and augmentation that every task shares. Imports no torch."""

from dataclasses import dataclass, fields
from typing import Literal

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import MODES
from pellucid.core.shapes import parse_size
from pellucid.data.policy.read import read_policy, resolve_policy
from pellucid.data.policy.steps import STEPS


@dataclass(frozen=True)
class DataConfig:
    image_size: str = "auto"
    """N or HxW, in pixels; auto takes the data's own size up to 64, else 224."""
    fit: Literal["auto", "crop", "pad", "stretch", "short-side", "own"] = "auto"
    """How other shapes get there: keep the centre, keep all with a border, distort, keep the centre of the resized
    picture, to the pixel as published weights had it, or keep all at its own size with a border, if it fits."""
    colour: Literal["auto", "rgb", "grey"] = "auto"
    """auto is grey for arrays with one channel, else rgb."""
    preprocess: str = "standardise"
    """standardise, centre, mean-image, unit, signed, minmax or none; numbers from the training split only."""
    background: tuple[int, int, int] = (255, 255, 255)
    """RGB that transparent pixels are laid on and borders are filled with."""
    val_fraction: float = 0.1
    """Share held out for validation, where the data names no such split."""
    test_fraction: float = 0.1
    """Share kept for the one final test, where the data names no such split."""
    stratify: bool = True
    """Give every split the same share of each class."""
    split_seed: int = -1
    """Seed of the split and of --fraction alone, so that runs of other seeds share both; -1 takes --seed."""
    group: str = ""
    """CSV column, or `folder` for the parent folder: records of one group never lie on two sides."""
    fraction: float = 1.0
    """Use only this share of the training split (the same records for the same seed)."""
    strict: bool = False
    """Refuse the data set when any file in it is broken, instead of skipping and counting."""
    allow_leaks: bool = False
    """Train even though copies of a picture, or a group, lie in two splits."""

    def __post_init__(self) -> None:
        if self.image_size != "auto":
            parse_size(self.image_size)
        choose(self.preprocess, dict.fromkeys(MODES), "preprocessing")
        fits = len(self.background) == 3 and all(0 <= value <= 255 for value in self.background)
        require(fits, "background", "three numbers from 0 to 255", self.background)
        require(0 <= self.val_fraction < 1, "val_fraction", "in [0, 1)", self.val_fraction)
        require(0 <= self.test_fraction < 1, "test_fraction", "in [0, 1)", self.test_fraction)
        held_out = self.val_fraction + self.test_fraction
        require(held_out < 1, "val_fraction + test_fraction", "below 1", held_out)
        require(self.split_seed >= -1, "split_seed", "-1 (that of --seed), 0 or positive", self.split_seed)
        require(0 < self.fraction <= 1, "fraction", "in (0, 1]", self.fraction)


@dataclass(frozen=True)
class AugmentConfig:
    flip: float = 0.5
    """Probability of a left-right mirror image."""
    vflip: float = 0.0
    """Probability of an upside-down image."""
    shift: float = 0.07
    """Move by up to this share of the side, in whole pixels, both ways."""
    crop: float = 1.0
    """Smallest share of the area that a random crop keeps before it is scaled back; 1 crops nothing."""
    rotate: float = 0.0
    """Turn by up to this many degrees, both ways."""
    shear: float = 0.0
    """Shear by up to this many degrees, both ways."""
    stretch: float = 0.0
    """Change the aspect ratio by up to this share."""
    jitter: float = 0.0
    """Change brightness, contrast and saturation by up to this share."""
    noise: float = 0.0
    """Add Gaussian noise of this standard deviation, in pixel values (0..255)."""
    cutout: float = 0.0
    """Blank one square whose side is this share of the picture's."""
    pca_colour: float = 0.0
    """Add a colour along the principal ones of ImageNet, with this deviation (AlexNet: 0.1)."""
    short_side: tuple[int, int] = (0, 0)
    """Resize so that the shorter side is drawn from these two, then cut a random window (ResNet at 224: 256 480)."""
    zoom: tuple[float, float] = (0.0, 0.0)
    """Show pictures larger or smaller by a factor drawn between these two (0.8 1.25); 0 0 is 1 1, which does nothing,
    but in detection 0.8 1.25."""
    radial: float = 0.0
    """Bow straight lines as a lens does, by a k up to this, both ways (0.1 is well visible)."""
    blur: float = 0.0
    """Smooth with a Gaussian whose deviation, in pixels, is up to this."""
    erase: float = 0.0
    """Probability of painting a random rectangle over with noise (random erasing)."""
    mixup: float = 0.0
    """Lay pairs of pictures over each other, the share drawn from Beta(a, a) with this a (usual: 0.2)."""
    cutmix: float = 0.0
    """Paste a rectangle of another picture, its area drawn from Beta(a, a) with this a (usual: 1); beside --mixup each
    batch gets one of the two."""
    mosaic: float = 0.0
    """Probability of putting parts of four pictures together into one; in detection and segmentation."""
    policy: str = ""
    """FILE.toml with one [[step]] table a transform, in order, in place of all of the above."""
    augment: bool = True
    """--no-augment switches all of the above off."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "policy", resolve_policy(self.policy))  # from here on it is its own text
        if self.policy:
            self._refuse_others()
        for name in ("flip", "vflip", "shift", "jitter", "cutout", "stretch", "erase", "mosaic"):
            require(0 <= getattr(self, name) <= 1, name, "in [0, 1]", getattr(self, name))
        require(0 < self.crop <= 1, "crop", "in (0, 1]", self.crop)
        require(0 <= self.rotate <= 180, "rotate", "from 0 to 180 degrees", self.rotate)
        require(0 <= self.shear < 80, "shear", "from 0 to 80 degrees", self.shear)
        require(0 <= self.pca_colour <= 10, "pca_colour", "from 0 to 10", self.pca_colour)
        require(0 <= self.noise <= 255, "noise", "from 0 to 255", self.noise)
        require(0 <= self.radial <= 0.3, "radial", "from 0 to 0.3", self.radial)
        require(0 <= self.blur <= 20, "blur", "from 0 to 20 pixels", self.blur)
        for name in ("mixup", "cutmix"):
            alpha = getattr(self, name)
            require(alpha == 0 or 0.01 <= alpha <= 100, name, "0 (off) or from 0.01 to 100", alpha)
        low, high = self.short_side
        ordered = (low, high) == (0, 0) or 0 < low <= high <= 10_000
        require(ordered, "short_side", "two numbers of pixels, the smaller first, or 0 0", self.short_side)
        near, far = self.zoom
        ordered = (near, far) == (0, 0) or 0.1 <= near <= far <= 10
        require(ordered, "zoom", "two factors from 0.1 to 10, the smaller first, or 0 0", self.zoom)
        cuts = [name for name, on in (("short_side", low), ("crop", self.crop < 1), ("zoom", self.zooms)) if on]
        if len(cuts) > 1:
            raise ConfigError(f"{cuts[0]} and {cuts[1]} both cut the input out of the picture. Leave one of them out.")

    @property
    def zooms(self) -> bool:
        """Whether `zoom` does something."""
        return self.zoom not in ((0, 0), (1, 1))

    @property
    def collects(self) -> bool:
        """Whether some pictures show the things of four."""
        if not (self.augment and self.policy):
            return self.augment and self.mosaic > 0
        return any(step.name == "mosaic" for step in read_policy(self.policy, "policy"))

    @property
    def mixes(self) -> tuple[str, ...]:
        """Names of the steps that make one picture of two."""
        if not self.augment:
            return ()
        if self.policy:
            return tuple(step.name for step in read_policy(self.policy, "policy") if STEPS[step.name].mixes)
        return tuple(name for name in ("mixup", "cutmix") if getattr(self, name))

    def _refuse_others(self) -> None:
        for each in fields(self):
            if each.name not in ("policy", "augment") and getattr(self, each.name) != each.default:
                raise ConfigError(
                    f"policy says all that is done, so {each.name} = {getattr(self, each.name)!r} beside it would do "
                    "nothing. Leave one of the two out."
                )
