"""One scene: what its map of instances says is what was drawn, and its things stay within the ranges asked for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import ConfigError
from pellucid.data.scenes import COLOURS, DIFFICULTIES, Dice, Difficulty, Sprites, catalogue, make_scene
from pellucid.data.scenes import compose as module
from pellucid.data.scenes.difficulty import filling
from pellucid.data.scenes.drawing.paste import paste
from pellucid.data.scenes.scene import HIDDEN, VISIBLE

PLAIN = replace(
    DIFFICULTIES["medium"], clutter=(0, 0), shadows=0, gain=(100, 100), cast=0, slope=0, grain=(0, 0), photographs=0
)


def squares(side: int = 8) -> Sprites:
    """Ten full squares: sprite i has class i."""
    full = np.full((10, side, side), 255, dtype=np.uint8)
    return Sprites(full, full, np.arange(1, 11))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(8, 60), st.integers(8, 60), st.sampled_from(list(DIFFICULTIES)))
def test_every_pixel_has_the_number_of_what_is_drawn_there(seed: int, height: int, width: int, how: str) -> None:
    """The scene is drawn again, pixel by pixel, from what make_scene pastes."""
    drawn = []
    difficulty = replace(PLAIN, **{name: getattr(DIFFICULTIES[how], name) for name in ("things", "size", "cut")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "paste", lambda *args: drawn.append(args[3:]) or paste(*args))
        patch.setattr(module, "texture", lambda dice, h, w, contrast: np.zeros((h, w, 3), dtype=np.uint8))
        scene = make_scene(Dice(seed), squares(), (height, width), difficulty)
    assert difficulty.things[0] <= len(scene.things) == len(drawn) <= difficulty.things[1]
    expected, touched = np.zeros((height, width), dtype=np.uint8), np.zeros((height, width), dtype=bool)
    for coverage, number, top, left in drawn:
        for y in range(max(0, -top), min(len(coverage), height - top)):
            for x in range(max(0, -left), min(coverage.shape[1], width - left)):
                touched[top + y, left + x] |= coverage[y, x] > 0
                if coverage[y, x] / 255 > 0.5:
                    expected[top + y, left + x] = number
    assert np.array_equal(scene.instances, expected)
    assert not scene.image[~touched].any()  # nothing but the background where nothing was pasted
    assert [number for _, number, _, _ in drawn] == list(range(1, len(drawn) + 1))
    for thing, (coverage, _, top, left) in zip(scene.things, drawn, strict=True):
        assert thing.area == (coverage >= 128).sum()
        for x, y, mark in thing.keypoints:
            row, column = int(np.floor(y)) - top, int(np.floor(x)) - left
            near = coverage[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            assert near.size and near.max() >= 128  # the point lies on the thing, to the pixel
            inside = 0 <= x < width and 0 <= y < height
            assert (mark > 0) == inside


@pytest.mark.parametrize("how", list(DIFFICULTIES))
def test_a_point_is_hidden_where_something_in_front_is_seen(how: str) -> None:
    marks = set()
    for i in range(40):
        scene = make_scene(Dice(3, i), catalogue("fashion").sprites("train"), (72, 96), DIFFICULTIES[how])
        for number, thing in enumerate(scene.things, start=1):
            assert thing.keypoints.shape == (4, 3) and thing.keypoints.dtype == np.float32
            for x, y, mark in thing.keypoints.tolist():
                marks.add(mark)
                if mark:
                    shown = scene.instances[int(y), int(x)]
                    assert (mark == HIDDEN) == (shown > number) and (mark == VISIBLE) == (shown <= number)
                else:
                    assert not (0 <= x < 96 and 0 <= y < 72)
    assert marks == {0, HIDDEN, VISIBLE}


@pytest.mark.parametrize("how", list(DIFFICULTIES))
def test_things_stay_within_the_ranges(how: str) -> None:
    difficulty = DIFFICULTIES[how]
    counts = []
    for i in range(80):
        scene = make_scene(Dice(i), squares(), 100, replace(difficulty, rotation=0))
        counts.append(len(scene.things))
        for thing in scene.things:
            low, high = difficulty.size
            assert (low - 1) ** 2 <= thing.area <= high**2  # corners are soft
            assert (thing.colour in COLOURS) and (not difficulty.vivid or COLOURS[thing.colour].vivid)
    assert set(counts) == set(range(difficulty.things[0], difficulty.things[1] + 1))


def test_the_colour_says_nothing_about_the_class() -> None:
    """Chi-squared of colour against class, with 9 x 11 degrees of freedom, stays below what chance allows."""
    sprites = catalogue("fashion").sprites("train")
    table = np.zeros((10, len(COLOURS)))
    for i in range(500):
        for thing in make_scene(Dice(5, i), sprites, 8, PLAIN).things:
            table[thing.label, list(COLOURS).index(thing.colour)] += 1
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    assert ((table - expected) ** 2 / expected).sum() < 99 + 5 * np.sqrt(2 * 99)


def test_a_thing_is_drawn_in_the_colour_that_is_named() -> None:
    plain = replace(PLAIN, things=(1, 1), cut=0, rotation=0)
    for i in range(60):
        scene = make_scene(Dice(i), squares(), 64, plain)
        drawn = np.median(scene.image[scene.instances == 1], axis=0)
        distances = {name: np.abs(drawn - colour.rgb).max() for name, colour in COLOURS.items()}
        assert min(distances, key=distances.__getitem__) == scene.things[0].colour
        assert distances[scene.things[0].colour] <= plain.tint + 1


def test_named_colours_stay_apart_however_they_are_changed() -> None:
    """Changed by 20 in each channel, each is nearer to itself than to any other."""
    corners = np.array(np.meshgrid([-20, 20], [-20, 20], [-20, 20])).reshape(3, -1).T
    prototypes = np.array([colour.rgb for colour in COLOURS.values()])
    for number, prototype in enumerate(prototypes):
        for changed in np.clip(prototype + corners, 0, 255):
            assert ((prototypes - changed) ** 2).sum(axis=1).argmin() == number


def test_overlap_is_kept_low_where_it_is_asked_for() -> None:
    def hidden(overlap: int) -> float:
        """The share of things' pixels that others hide."""
        difficulty = replace(PLAIN, things=(4, 4), size=(30, 30), cut=0, rotation=0, overlap=overlap)
        scenes = [make_scene(Dice(i), squares(), 64, difficulty) for i in range(60)]
        return 1 - sum((s.instances > 0).sum() for s in scenes) / sum(t.area for s in scenes for t in s.things)

    assert hidden(0) < 0.05 < hidden(100)


def test_one_thing_fills_the_picture_when_asked() -> None:
    for i in range(20):
        scene = make_scene(Dice(i), squares(), 60, filling(replace(DIFFICULTIES["hard"], rotation=0)))
        assert len(scene.things) == 1 and set(np.unique(scene.instances)) <= {0, 1}
        assert scene.things[0].area >= (60 * 70 // 100) ** 2
        assert (scene.instances == 1).sum() >= 0.8 * scene.things[0].area


def test_clutter_has_no_class_and_lies_behind() -> None:
    cluttered = replace(PLAIN, clutter=(6, 6), things=(1, 1), rotation=0)
    for i in range(10):
        scene = make_scene(Dice(i), squares(), 64, cluttered)
        assert set(np.unique(scene.instances)) <= {0, 1}
        seen = np.pad(scene.instances == 1, 1)
        whole = seen[1:-1, 1:-1] & seen[:-2, 1:-1] & seen[2:, 1:-1] & seen[1:-1, :-2] & seen[1:-1, 2:]
        inside = scene.image[whole].astype(int)
        assert np.ptp(inside, axis=0).max() <= 1  # of one colour: nothing lies over it


def test_no_texture_and_no_label_changes_with_the_light() -> None:
    """Light, shadows and grain change the picture only, and are drawn without disturbing what is where."""
    sprites = catalogue("fashion").sprites("test")
    lit = replace(PLAIN, gain=(60, 60), slope=40)
    one, other = (make_scene(Dice(8), sprites, 48, difficulty) for difficulty in (PLAIN, lit))
    assert np.array_equal(one.instances, other.instances) and not np.array_equal(one.image, other.image)


@pytest.mark.parametrize(
    ("size", "difficulty", "message"),
    [
        (7, PLAIN, r"^size must be at least 8, got 7\.$"),
        ((64, 4), PLAIN, r"^size must be at least 8, got \(64, 4\)\.$"),
    ],
)
def test_what_cannot_be_drawn_is_refused(size: int, difficulty: Difficulty, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_scene(Dice(0), squares(), size, difficulty)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"things": (1, 255)}, r"^things must be a range from 0 to 254, got \(1, 255\)\.$"),
        ({"things": (3, 2)}, r"^things must be a range from 0 to 254, got \(3, 2\)\.$"),
        ({"size": (0, 9)}, r"^size must be a range from 1 to 400, got \(0, 9\)\.$"),
        ({"slope": 46}, r"^slope must be from 0 to 45, got 46\.$"),
        ({"tint": -1}, r"^tint must be from 0 to 20, got -1\.$"),
    ],
)
def test_ranges_that_cannot_be_drawn_are_refused(ranges: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(PLAIN, **ranges)


def test_the_ends_of_all_ranges_can_be_drawn() -> None:
    """Nothing wraps around: a white square in the brightest light stays white, and in the dimmest is dark."""
    widest = replace(
        DIFFICULTIES["hard"],
        things=(0, 2),
        size=(1, 400),
        rotation=360,
        cut=100,
        cast=30,
        slope=45,
        shadows=100,
        strength=(100, 100),
        contrast=255,
        grain=(0, 127),
    )
    for i in range(20):
        assert make_scene(Dice(i), squares(), (20, 31), widest).image.shape == (20, 31, 3)
    for gain, fits in (((160, 160), lambda v: v >= 200), ((1, 1), lambda v: v <= 80)):
        lit = replace(PLAIN, things=(1, 1), size=(50, 50), gain=gain, cast=30, slope=45, tint=0, cut=0)
        made = [make_scene(Dice(i), squares(), 16, lit) for i in range(80)]
        shown = [scene.image[scene.instances == 1] for scene in made if scene.things[0].colour == "white"]
        assert len(shown) > 3 and all(fits(np.median(pixels)) for pixels in shown)


def test_as_many_things_as_can_be_counted() -> None:
    scene = make_scene(Dice(0), squares(), 40, replace(PLAIN, things=(254, 254), size=(5, 10)))
    assert len(scene.things) == 254 and scene.instances.max() <= 254


@pytest.mark.parametrize("size", [(8, 8), (8, 61), (61, 8), (33, 17)])
@pytest.mark.parametrize("how", list(DIFFICULTIES))
def test_any_size_and_shape(size: tuple[int, int], how: str) -> None:
    for i in range(4):
        scene = make_scene(Dice(i), catalogue("fashion").sprites("train"), size, DIFFICULTIES[how])
        assert scene.image.shape == (*size, 3) and scene.instances.shape == size
        assert scene.image.dtype == scene.instances.dtype == np.uint8
