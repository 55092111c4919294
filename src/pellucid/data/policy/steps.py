"""The steps a policy may have, their parameters, ranges and defaults.

`data.transforms.compose.MAKERS` makes a transform of each; a test holds the two tables together.
"""

from dataclasses import dataclass, field

from pellucid.data.policy.values import Number, Paint, Pair, Parameter


@dataclass(frozen=True)
class Kind:
    """What a step does.

    Attributes:
        about: in words, for lists.
        parameters: name -> what it may be.
        cuts: it takes the network's input out of the larger canvas; only the first step may.
        mixes: it makes one picture of two; only the last step may.
    """

    about: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    cuts: bool = False
    mixes: bool = False


def _share(default: float) -> Number:
    return Number(default, 0, 1)


AREA = Pair((0.25, 1.0), 0.01, 1)
ASPECT = Pair((3 / 4, 4 / 3), 0.1, 10)

STEPS: dict[str, Kind] = {
    "window": Kind("a window of the canvas, moved from its middle", {"shift": _share(1.0)}, cuts=True),
    "crop": Kind("a random part of the canvas, scaled", {"area": AREA, "aspect": ASPECT}, cuts=True),
    "scale_crop": Kind(
        "the short side resized to a random length, then a random window",
        {"short_side": Pair((256, 480), 1, 10_000, whole=True)},
        cuts=True,
    ),
    "zoom": Kind(
        "larger or smaller by a random factor, with a border where it is smaller",
        {"factor": Pair((0.8, 1.25), 0.1, 10)},
        cuts=True,
    ),
    "mosaic": Kind("four pictures in one; not for classes of whole pictures", {"scale": Pair((0.5, 1.0), 0.1, 2)}),
    "flip": Kind("mirror left and right"),
    "vflip": Kind("turn upside down"),
    "rotate": Kind("turn, both ways", {"degrees": Number(15, 0, 180)}),
    "shear": Kind("slant, both ways", {"degrees": Number(10, 0, 79)}),
    "stretch": Kind("change the ratio of width to height, at equal area", {"share": _share(0.2)}),
    "translate": Kind("move by any part of a pixel", {"share": _share(0.1)}),
    "affine": Kind(
        "turn, slant, stretch and move, in one resampling",
        {"rotate": Number(15, 0, 180), "shear": Number(10, 0, 79), "stretch": _share(0.2), "shift": _share(0.1)},
    ),
    "shift": Kind("move by whole pixels", {"share": _share(0.07)}),
    "radial": Kind("bow straight lines, as a lens does", {"k": Number(0.1, 0, 0.3)}),
    "elastic": Kind("move the points of a lattice softly", {"amount": Number(0.03, 0, 0.05)}),
    "jitter": Kind("change brightness, contrast and saturation", {"share": _share(0.4)}),
    "brightness": Kind("change brightness", {"share": _share(0.4)}),
    "contrast": Kind("change contrast", {"share": _share(0.4)}),
    "saturation": Kind("change saturation", {"share": _share(0.4)}),
    "pca_colour": Kind("add a principal colour of ImageNet", {"std": Number(0.1, 0, 10)}),
    "blur": Kind("smooth with a Gaussian", {"sigma": Number(1.0, 0, 20)}),
    "noise": Kind("add Gaussian noise, in pixel values", {"std": Number(8, 0, 255)}),
    "cutout": Kind("blank a square", {"share": _share(0.25), "fill": Paint(128)}),
    "erase": Kind(
        "paint over a rectangle",
        {
            "area": Pair((0.02, 0.4), 0, 1),
            "aspect": Pair((0.3, 1 / 0.3), 0.01, 100),
            "fill": Paint("noise", ("noise", "mean")),
        },
    ),
    "mixup": Kind("lay two pictures over each other", {"alpha": Number(0.2, 0.01, 100)}, mixes=True),
    "cutmix": Kind("paste a rectangle of another picture", {"alpha": Number(1.0, 0.01, 100)}, mixes=True),
}
