"""Scenes a second on one core, by difficulty, sprites and size, beside drawing the same kind of scene with Pillow.

Writes `benchmarks/results/scenes.md`. Run it with `python benchmarks/scenes.py`, or with `--quick` to try it.
"""

import argparse
import statistics
import sys
from collections.abc import Callable

import numpy as np
from PIL import Image
from timing import Timed, interleave, ratio, table, use_one_core, write_result

from pellucid.core.errors import DataError
from pellucid.data.scenes import DIFFICULTIES, Dice, Scene, Sprites, catalogue, make_scene
from pellucid.data.scenes.backgrounds.textures import texture
from pellucid.data.scenes.colours import COLOURS

AIM = 500  # scenes of 128 pixels a second
RGB = [colour.rgb for colour in COLOURS.values()]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="few scenes, and no page")
    quick = options.parse_args().quick
    use_one_core()
    n, rounds = (20, 2) if quick else (100, 7)
    variants: dict[str, Callable[[], int]] = {}
    rows: list[tuple[str, str, int]] = [("fashion", how, 128) for how in DIFFICULTIES]
    rows += [("fashion", "easy", 64), ("fashion", "medium", 256), ("emoji", "medium", 128)]
    for kind, how, side in rows:
        try:
            sprites = catalogue(kind).sprites("train")
        except DataError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        variants[f"{kind} {how} {side}"] = drawer(sprites, how, side, n)
    fashion = catalogue("fashion").sprites("train")
    variants["Pillow"] = lambda: sum(draw_with_pillow(i, fashion, 128)[1].any() for i in range(n))
    times = interleave(variants, rounds=rounds)
    lines = [[name, *numbers(taken, n)] for name, taken in times.items() if name != "Pillow"]
    medium = times["fashion medium 128"]
    told = (
        f"{n} scenes a round, {rounds} rounds that count. The aim, {AIM} scenes of 128 pixels and medium difficulty a "
        f"second on one core, is {'reached' if rate(medium, n) >= AIM else 'NOT reached'}: {rate(medium, n):.0f} by "
        "the processor's clock."
    )
    peer = (
        "The same kind of scene (a texture, one to six tinted, turned clothes, an instance mask; no shadows, light, "
        f"clutter or keypoints) drawn with Pillow's own resizing, turning and pasting: {rate(times['Pillow'], n):.0f} "
        f"a second. Median ratio of the rounds: {ratio(times['Pillow'], medium):.2f} (above 1 is faster than Pillow)."
    )
    made = table(["sprites, difficulty, side", "scenes / CPU s", "ms a scene", "disturbed rounds"], lines)
    if quick:
        print("\n\n".join([made, told, peer]))
    else:
        command = "python benchmarks/scenes.py"
        write_result("scenes", "Generated scenes a second", command, ["numpy", "pillow"], [made, told, peer])


def drawer(sprites: Sprites, how: str, side: int, n: int) -> Callable[[], int]:
    """Draws n scenes, others in every round, so that nothing is found in a cache that would not be there in use."""
    start = iter(range(0, 1 << 30, n))

    def draw() -> int:
        first = next(start)
        scenes: list[Scene] = [
            make_scene(Dice(0, 0, i), sprites, side, DIFFICULTIES[how]) for i in range(first, first + n)
        ]
        return sum(len(scene.things) for scene in scenes)

    return draw


def draw_with_pillow(seed: int, sprites: Sprites, side: int) -> tuple[np.ndarray, np.ndarray]:
    """What a user would write: picture (side, side, 3) and instances (side, side), both uint8."""
    rng = np.random.default_rng(seed)
    picture, instances = Image.fromarray(texture(rng, side, side)), Image.new("L", (side, side))
    low, high = (side * share // 100 for share in DIFFICULTIES["medium"].size)
    for number in range(1, rng.integers(1, 7) + 1):
        row, size, degrees = rng.integers(len(sprites.labels)), int(rng.integers(low, high + 1)), rng.integers(-10, 11)
        shade, alpha = (Image.fromarray(planes[row]) for planes in (sprites.shade, sprites.coverage))
        shade, alpha = (
            plane.resize((size, size), Image.Resampling.BILINEAR).rotate(degrees, Image.Resampling.BILINEAR, True)
            for plane in (shade, alpha)
        )
        rgb = RGB[rng.integers(len(RGB))]
        colour = Image.merge("RGB", [shade.point([grey * part // 255 for grey in range(256)]) for part in rgb])
        place = (int(rng.integers(side - size + 1)), int(rng.integers(side - size + 1)))
        picture.paste(colour, place, alpha)
        instances.paste(number, place, alpha.point([255 * (grey >= 128) for grey in range(256)]))
    return np.asarray(picture), np.asarray(instances)


def rate(taken: Timed, n: int) -> float:
    """Scenes a processor second, from the median round."""
    return n / taken.median()


def numbers(taken: Timed, n: int) -> tuple[str, str, str]:
    return (
        f"{rate(taken, n):.0f}",
        f"{statistics.median(taken.cpu) / n * 1000:.2f}",
        f"{taken.disturbed} of {len(taken.cpu)}",
    )


if __name__ == "__main__":
    main()
