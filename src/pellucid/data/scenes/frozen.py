"""Sets of scenes that the seed fixes to the byte, and scenes without end. Letters: N scenes, H, W their size."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from typing import Protocol

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.shapes import parse_size
from pellucid.data.objects import Objects, ObjectsOnDemand
from pellucid.data.scenes.compose import make_scene
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.difficulty import DIFFICULTIES, Difficulty
from pellucid.data.scenes.labels import objects, semantic_mask
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.scene import KEYPOINTS, Scene
from pellucid.data.scenes.sprites.cutouts import Catalogue
from pellucid.data.scenes.sprites.fashion import FASHION
from pellucid.data.scenes.sprites.kinds import catalogue
from pellucid.data.source import ROLES, Card, Role, Source

NUMBERS: dict[str, int] = {"train": 0, "val": 2, "test": 1}  # by which a split's scenes differ from another's


class Rows(Protocol):
    """N arrays of one shape that can be set one by one: an array, or part of a file."""

    def __setitem__(self, row: int, values: np.ndarray) -> None: ...


def stream(
    size: int | tuple[int, int] = 64,
    difficulty: str | Difficulty = "easy",
    sprites: str = "fashion",
    split: Role = "train",
    seed: int = 0,
    start: int = 0,
) -> Iterator[Scene]:
    """Scenes without end; number i is scene i of the frozen set with the same arguments.

    Args:
        size: side, or (height, width), in pixels; at least 8.
        difficulty: easy, medium, hard, or ranges of your own; `filling` of ranges gives one thing a picture.
        sprites: fashion, emoji, emoji-each, or a folder of PNGs with alpha.
        split: whose sprites are shown.
        seed: fixes every byte.
        start: number of the first scene.

    Raises:
        ConfigError: an unknown name, or a number out of range.
        DataError: the sprites are not on this machine, or cannot be used.
    """
    require(seed >= 0, "seed", "0 or positive", seed)
    require(start >= 0, "start", "0 or positive", start)
    number, shown = choose(split, NUMBERS, "split"), catalogue(sprites).sprites(split)
    ranges = choose(difficulty, DIFFICULTIES, "difficulty") if isinstance(difficulty, str) else difficulty
    return (make_scene(Dice(seed, number, i), shown, size, ranges) for i in count(start))


def scenes(
    train: int = Options.train,
    val: int = Options.val,
    test: int = Options.test,
    size: int | str | tuple[int, int] = Options.size,
    difficulty: str = Options.difficulty,
    sprites: str = Options.sprites,
    seed: int = Options.seed,
    purpose: str = Options.purpose,
    things: str = Options.things,
) -> Source:
    """A frozen set, by the options of `Options`.

    Raises:
        ConfigError: a value is not allowed.
        DataError: the sprites are not on this machine, or cannot be used.
    """
    side = size if isinstance(size, str) else "x".join(map(str, dict.fromkeys(parse_size(size))))
    return frozen(Options(side, difficulty, sprites, train, val, test, seed, purpose, things))


def frozen(options: Options) -> Source:
    """A set of scenes: images (N, H, W, 3) uint8, and masks (N, H, W) uint8 with objects, objects, or labels (N,).

    Beside masks the objects are drawn when they are asked for, which takes as long as to draw their scenes.

    Scene i of a split depends on the seed, the split and i alone, not on how many there are. The splits share the
    textures and photographs; `Catalogue.shared` says whether they share sprites.

    Raises:
        DataError: the sprites are not on this machine, or cannot be used.
    """
    arrays = {name: np.empty(shape, dtype=np.uint8) for name, shape in shapes(options).items()}
    labels, told_apart = draw_into(options, arrays["images"], arrays.get("masks"))
    return as_source(options, arrays["images"], arrays.get("masks"), labels, told_apart)


def shapes(options: Options) -> dict[str, tuple[int, ...]]:
    """Shapes of the images of a frozen set, and of its masks if it has some; uint8."""
    n, size = options.train + options.val + options.test, parse_size(options.size)
    found: dict[str, tuple[int, ...]] = {"images": (n, *size, 3)}
    if options.purpose == "segment":
        found["masks"] = (n, *size)
    return found


def draw_into(options: Options, images: Rows, masks: Rows | None) -> tuple[np.ndarray, list[Objects]]:
    """Draw all scenes of a frozen set.

    Args:
        images, masks: of the shapes that `shapes` tells; their rows are set.

    Returns:
        (N,) int64, the class of the thing at the back of each scene, -1 where there is none; and N times the things,
        for detection only.
    """
    kind, numbers = catalogue(options.sprites), _numbers(options)
    labels, told_apart = np.empty(len(numbers), dtype=np.int64), []
    for row, (role, i) in enumerate(numbers):
        scene = _draw(options, kind, role, i)
        images[row] = scene.image
        labels[row] = scene.things[0].label if scene.things else -1
        if masks is not None:
            masks[row] = semantic_mask(scene)
        if options.purpose == "detect":
            told_apart.append(objects(scene))
    return labels, told_apart


def as_source(
    options: Options,
    images: np.ndarray,
    masks: np.ndarray | None,
    labels: np.ndarray,
    told_apart: Sequence[Objects],
) -> Source:
    """A frozen set of what was drawn; where that were no things, they are drawn when they are asked for."""
    kind, numbers, purpose = catalogue(options.sprites), _numbers(options), options.purpose
    told_apart = told_apart or ObjectsOnDemand(partial(_objects, options), np.arange(len(numbers)))
    return Source(
        name="scenes",
        images=images,
        names=[f"{role}/{i}" for role, i in numbers],
        classes=("background", *kind.classes) if purpose == "segment" else kind.classes,
        masks=masks,
        labels=labels if purpose == "classify" else None,
        objects=None if purpose == "classify" else told_apart,
        keypoints=() if purpose == "classify" else KEYPOINTS,
        roles=np.array([role for role, _ in numbers], dtype="<U5"),
        card=card(options, kind),
    )


def _numbers(options: Options) -> list[tuple[Role, int]]:
    return [(role, i) for role in ROLES for i in range(getattr(options, role))]


def scene_of(options: Options, split: Role, i: int) -> Scene:
    """Scene i of a split, drawn anew.

    Raises:
        DataError: the sprites are not on this machine, or cannot be used.
    """
    return _draw(options, catalogue(options.sprites), split, i)


def _objects(options: Options, row: int) -> Objects:
    """The things of one record of a frozen set, whose classes begin with the background where masks show it."""
    return objects(scene_of(options, *_numbers(options)[row]), first=int(options.purpose == "segment"))


def _draw(options: Options, kind: Catalogue, split: Role, i: int) -> Scene:
    dice = Dice(options.seed, NUMBERS[split], i)
    return make_scene(dice, kind.sprites(split), parse_size(options.size), options.ranges)


def card(options: Options, kind: Catalogue = FASHION) -> Card:
    """What a frozen set is, as far as its options tell."""
    low, high = options.ranges.things
    if options.purpose != "classify":
        told = "the class of every pixel" if options.purpose == "segment" else "box, class and outline of each"
        things = f"{low} to {high} things" if low < high else "1 thing" if low == 1 else f"{low} things"
        title = f"Scenes: {things} before a background, {options.difficulty}, with {told}"
    else:
        title = f"Scenes: one thing that fills the picture, {options.difficulty}, with its class"
    return Card(
        title=title,
        licence=f"{kind.licence}; the rest is generated",
        origin=f"drawn by pellucid.data.scenes with {kind.origin}",
    )
