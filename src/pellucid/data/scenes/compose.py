"""One scene, drawn from the back to the front. Letters: H, W the scene."""

import numpy as np

from pellucid.core.config import require
from pellucid.core.shapes import parse_size
from pellucid.data.scenes.backgrounds.photographs import photograph
from pellucid.data.scenes.backgrounds.textures import texture
from pellucid.data.scenes.colours import COLOURS
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.difficulty import DIFFICULTIES, Difficulty
from pellucid.data.scenes.drawing.light import FULL, darken, shine
from pellucid.data.scenes.drawing.paste import beneath, paste, tint
from pellucid.data.scenes.drawing.turn import ONE, Turned, turn
from pellucid.data.scenes.scene import HIDDEN, VISIBLE, Scene, Thing
from pellucid.data.scenes.sprites.cutouts import Sprites
from pellucid.data.scenes.sprites.shapes import shapes

SMALLEST = 8  # side of a scene
TRIES = 8  # to find a place where a thing covers not too much of others
ALL, VIVID = tuple(COLOURS), tuple(name for name, colour in COLOURS.items() if colour.vivid)


def make_scene(
    dice: Dice,
    sprites: Sprites,
    size: int | tuple[int, int],
    difficulty: Difficulty = DIFFICULTIES["medium"],
) -> Scene:
    """One scene.

    Args:
        dice: fixes everything that is left to chance.
        sprites: what there is to be shown. Which of them, and in what colour, is drawn independently.
        size: side, or (height, width), in pixels; at least 8.
        difficulty: the ranges.

    Raises:
        ConfigError: the picture is too small.
    """
    height, width = parse_size(size)
    require(min(height, width) >= SMALLEST, "size", f"at least {SMALLEST}", size)
    image = _background(dice, difficulty, height, width)
    instances = np.zeros((height, width), dtype=np.uint8)
    _add_clutter(dice, difficulty, image)
    shadow = _shadow(dice, difficulty, min(height, width))
    things: list[Thing] = []
    boxes: list[tuple[int, int, int, int]] = []
    for number in range(1, dice.between(difficulty.things) + 1):
        row = dice.integers(len(sprites.labels))
        drawn = turn(
            sprites,
            row,
            _side(dice, difficulty, min(height, width)),
            dice.between((-difficulty.rotation, difficulty.rotation)),
            bool(dice.integers(2)),
        )
        top, left = _place(dice, difficulty, (height, width), drawn.coverage.shape, boxes)
        name, rgb = _colour(dice, difficulty)
        if shadow is not None:
            darken(image, drawn.coverage, top + shadow[0], left + shadow[1], *shadow[2:])
        colour = tint(drawn.shade, drawn.coverage, rgb) if sprites.tintable else drawn.shade
        label, named = int(sprites.labels[row]) - 1, name if sprites.tintable else ""
        things.append(_thing(drawn, label, named, top, left, beneath(instances, drawn.coverage, top, left)))
        paste(image, instances, colour, drawn.coverage, number, top, left)
        boxes.append((top, left, top + drawn.coverage.shape[0], left + drawn.coverage.shape[1]))
    image = _grain(dice, difficulty, _light(dice, difficulty, image))
    return Scene(image, instances, tuple(_seen(thing, instances, number + 1) for number, thing in enumerate(things)))


def _background(dice: Dice, difficulty: Difficulty, height: int, width: int) -> np.ndarray:
    kind = photograph if dice.chance(difficulty.photographs) else texture
    return kind(dice, height, width, difficulty.contrast)


def _add_clutter(dice: Dice, difficulty: Difficulty, image: np.ndarray) -> None:
    nothing = np.zeros(image.shape[:2], dtype=np.uint8)
    for _ in range(dice.between(difficulty.clutter)):
        side = _side(dice, difficulty, min(image.shape[:2]))
        drawn = turn(shapes(), dice.integers(len(shapes().labels)), side, dice.integers(360))
        top, left = (dice.integers(-side // 2, n - side // 2) for n in image.shape[:2])
        _, rgb = _colour(dice, difficulty)
        paste(image, nothing, tint(drawn.shade, drawn.coverage, rgb), drawn.coverage, 0, top, left)


def _side(dice: Dice, difficulty: Difficulty, short: int) -> int:
    low, high = difficulty.size
    return max(4, dice.between((short * low // 100, short * high // 100)))


def _shadow(dice: Dice, difficulty: Difficulty, short: int) -> tuple[int, int, int, int] | None:
    """How far shadows fall down and to the right, their strength of 256, and their softness; None without."""
    if not dice.chance(difficulty.shadows):
        return None
    reach = max(1, short // 24)
    down, right = dice.between((0, reach)), dice.between((-reach, reach))
    return down, right, dice.between(difficulty.strength) * 256 // 100, dice.between((max(2, reach // 2), reach + 2))


def _place(
    dice: Dice,
    difficulty: Difficulty,
    picture: tuple[int, int],
    patch: tuple[int, ...],
    boxes: list[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Top and left of a thing: the first place tried that covers little enough of others, or else the best one."""
    ranges = []
    for whole, part in zip(picture, patch, strict=True):
        free, over = whole - part, part * difficulty.cut // 100
        ranges.append((min(-over, free + over), max(-over, free + over)))
    best, least = (0, 0), patch[0] * patch[1] * 101
    for _ in range(TRIES):
        top, left = dice.between(ranges[0]), dice.between(ranges[1])
        covered = 0
        for other in boxes:
            rows = min(top + patch[0], other[2]) - max(top, other[0])
            columns = min(left + patch[1], other[3]) - max(left, other[1])
            smaller = min(patch[0] * patch[1], (other[2] - other[0]) * (other[3] - other[1]))
            if rows > 0 and columns > 0:
                covered = max(covered, rows * columns * 100 // smaller)
        if covered < least:
            best, least = (top, left), covered
        if covered <= difficulty.overlap:
            break
    return best


def _colour(dice: Dice, difficulty: Difficulty) -> tuple[str, np.ndarray]:
    names = VIVID if difficulty.vivid else ALL
    name = names[dice.integers(len(names))]
    change = [dice.between((-difficulty.tint, difficulty.tint)) for _ in range(3)]
    return name, np.array([min(255, max(0, old + new)) for old, new in zip(COLOURS[name].rgb, change, strict=True)])


def _thing(drawn: Turned, label: int, colour: str, top: int, left: int, covers: tuple[int, ...]) -> Thing:
    """What was drawn, with its points in the scene; what of them is seen is known when all is drawn."""
    keypoints = [(left + x / ONE, top + y / ONE, VISIBLE) for x, y in drawn.points]
    area = int(np.count_nonzero(drawn.coverage >= 128))
    return Thing(label, colour, np.array(keypoints, dtype=np.float32), area, covers)


def _seen(thing: Thing, instances: np.ndarray, number: int) -> Thing:
    """The thing with its points marked: 0 outside of the picture, hidden where something in front covers it."""
    height, width = instances.shape
    for row, (x, y, _) in enumerate(thing.keypoints.tolist()):
        if not (0 <= x < width and 0 <= y < height):
            thing.keypoints[row, 2] = 0
        elif instances[int(y), int(x)] > number:  # whatever is pasted later has a higher number
            thing.keypoints[row, 2] = HIDDEN
    thing.keypoints.flags.writeable = False
    return thing


def _light(dice: Dice, difficulty: Difficulty, image: np.ndarray) -> np.ndarray:
    percent, cast = dice.between(difficulty.gain), (-difficulty.cast, difficulty.cast)
    gain = [max(0, percent + (dice.between(cast) if difficulty.cast else 0)) * FULL // 100 for _ in range(3)]
    slope = tuple(dice.between((-difficulty.slope, difficulty.slope)) * FULL // 100 for _ in range(2))
    return shine(image, np.array(gain), (slope[0], slope[1]))


def _grain(dice: Dice, difficulty: Difficulty, image: np.ndarray) -> np.ndarray:
    most = dice.between(difficulty.grain)
    if not most:
        return image
    noisy = dice.integers(-most, most + 1, size=image.shape[:2], dtype=np.int16).repeat(3, axis=1)  # (H, 3 W)
    noisy += image.reshape(noisy.shape)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8).reshape(image.shape)
