"""How a picture becomes the numbers a network sees. Travels with the weights."""

import base64
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pellucid.core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np  # else with the first mean image: settings and `--help` are there sooner without it

Fit = Literal["crop", "pad", "stretch", "short-side", "own"]
Interpolation = Literal["bilinear", "bicubic"]
INTERPOLATIONS: tuple[Interpolation, ...] = ("bilinear", "bicubic")
MODES = ("standardise", "centre", "mean-image", "unit", "signed", "minmax", "none")


@dataclass(frozen=True)
class Resize:
    """How a picture is resized once its pixels are numbers: bilinear, without antialiasing, as published detectors do.

    Attributes:
        short_side, long_side: as large as it can be with its shorter side at most `short_side` pixels and its longer
            one at most `long_side`; sides are rounded down. Both 0 where `to` is given.
        to: height and width whatever the shape is.
    """

    short_side: int = 0
    long_side: int = 0
    to: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not (min(self.to) > 0 if self.to else 0 < self.short_side <= self.long_side):
            raise ConfigError(
                "A resize rule needs a height and a width, or a shorter side above 0 and a longer one not below it; "
                f"got {self.to or (self.short_side, self.long_side)}."
            )

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that a picture gets, each at least 1."""
        if self.to:
            return self.to
        scale = min(self.short_side / min(height, width), self.long_side / max(height, width))
        return max(1, math.floor(height * scale)), max(1, math.floor(width * scale))


@dataclass(frozen=True)
class Preprocess:
    """Everything between a decoded picture and the network, as plain numbers.

    A pixel p (0..255) of channel c becomes `(p - shift[c]) * scale[c]`; in mode `mean-image` the
    shift is a whole picture instead of one number a channel. All numbers come from the training split.

    Attributes:
        size: height and width of the network's input, in pixels.
        canvas: height and width pictures are first brought to; its middle `size` is the input. None: `size`.
        channels: 1 (grey) or 3 (RGB).
        fit: how another shape gets there: `crop` (short side fits, centre kept), `pad` (whole
            picture, rest filled with `background`), `stretch`, `short-side` (as `crop`, to the pixel as published
            weights were trained: resized whole, then cut), `own` (as `pad`, but what is smaller stays as it is).
        mode: name of the rule the numbers were made by, one of `MODES`.
        shift, scale: one number a channel.
        mean_image: (C, H, W) float32, in mode `mean-image` only.
        background: RGB (0..255) that transparent pixels are laid on and padding is filled with.
        interpolation: how pictures are resized, with antialiasing: `bilinear`, or `bicubic` as some published
            weights were trained with.
        resize: for networks that take pictures of any size, one at a time: cut to the picture, made to numbers, and
            resized so. `size` is then the side of their tiles, and stored data has room for its largest picture, up to
            `long_side` or `size`.
    """

    size: tuple[int, int]
    canvas: tuple[int, int] | None = None
    channels: int = 3
    fit: Fit = "crop"
    mode: str = "standardise"
    shift: tuple[float, ...] = (0.0, 0.0, 0.0)
    scale: tuple[float, ...] = (1 / 255, 1 / 255, 1 / 255)
    mean_image: "np.ndarray | None" = field(default=None, compare=False)
    background: tuple[int, int, int] = (255, 255, 255)
    interpolation: Interpolation = "bilinear"
    resize: Resize | None = None

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ConfigError(f"Preprocessing knows 1 or 3 channels, got {self.channels}.")
        if self.mode not in MODES:
            raise ConfigError(f"Unknown preprocessing {self.mode!r}: use {', '.join(MODES)}.")
        if self.interpolation not in INTERPOLATIONS:
            raise ConfigError(f"Unknown interpolation {self.interpolation!r}: use {' or '.join(INTERPOLATIONS)}.")
        if not len(self.shift) == len(self.scale) == self.channels:
            raise ConfigError(
                f"Preprocessing needs {self.channels} shifts and scales, one a channel; "
                f"got {len(self.shift)} and {len(self.scale)}."
            )

    @property
    def canvas_size(self) -> tuple[int, int]:
        return self.canvas or self.size

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON; the mean image as base64 of its float32 bytes."""
        content = asdict(self)
        if self.mean_image is not None:
            import numpy as np

            raw = np.ascontiguousarray(self.mean_image, dtype="<f4").tobytes()
            content["mean_image"] = base64.b64encode(raw).decode("ascii")
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Preprocess":
        """The inverse of `as_dict`."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        if values.get("resize") is not None:
            rule: dict[str, Any] = values["resize"]
            to = rule["to"]
            values["resize"] = Resize(rule["short_side"], rule["long_side"], tuple(to) if to else None)
        if values.get("mean_image") is not None:
            import numpy as np

            flat = np.frombuffer(base64.b64decode(values["mean_image"]), dtype="<f4")
            values["mean_image"] = flat.reshape(values["channels"], *values["size"])
        return cls(**values)


@dataclass(frozen=True)
class Numbers:
    """What of a preprocessing travels with weights where the size of the pictures is left to the data.

    Attributes:
        of: the preprocessing they were trained with. Its colours, numbers and interpolation count.
    """

    of: Preprocess

    def on(self, geometry: Preprocess) -> Preprocess:
        """The same numbers for pictures of another size and fit.

        Raises:
            ConfigError: the mean is a picture of one size, and the pictures have another.
        """
        theirs = self.of
        if theirs.mean_image is not None and theirs.size != geometry.size:
            raise ConfigError(
                f"The weights were trained less a mean image of {theirs.size[0]}x{theirs.size[1]} px, and pictures "
                f"here have {geometry.size[0]}x{geometry.size[1]}. Say --image-size {theirs.size[0]}x{theirs.size[1]}."
            )
        return replace(
            geometry,
            channels=theirs.channels,
            mode=theirs.mode,
            shift=theirs.shift,
            scale=theirs.scale,
            mean_image=theirs.mean_image,
            interpolation=theirs.interpolation,
        )
