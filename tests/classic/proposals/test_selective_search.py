"""Boxes that may hold a thing: what they are by hand, and how many things they hold."""

import tracemalloc

import numpy as np
import pytest

from pellucid.classic.proposals.grouping import ALIKE, grouped_boxes
from pellucid.classic.proposals.selective_search import selective_search
from pellucid.core.errors import ConfigError, DataError
from pellucid.data.scenes import scenes
from pellucid.ops import compiled

BARS = np.repeat(np.arange(3), 4)[None].repeat(6, 0)  # three pieces side by side, (6, 12)


def picture(*values: float) -> np.ndarray:
    """(6, 12, 1): a colour for every bar."""
    return np.asarray(values, dtype=float)[BARS][..., None]


def test_pieces_come_first_and_the_picture_last() -> None:
    boxes = grouped_boxes(picture(0, 100, 250), BARS)
    assert boxes[:3].tolist() == [[0, 0, 4, 6], [4, 0, 8, 6], [8, 0, 12, 6]]
    assert boxes[-1].tolist() == [0, 0, 12, 6] and len(boxes) == 5


@pytest.mark.parametrize(("values", "joined"), [((100, 100, 250), [0, 0, 8, 6]), ((0, 100, 100), [4, 0, 12, 6])])
def test_neighbours_of_one_colour_are_joined_first(values: tuple[float, ...], joined: list[int]) -> None:
    assert grouped_boxes(picture(*values), BARS, ("colour",))[3].tolist() == joined


def test_what_does_not_touch_is_not_joined() -> None:
    """The outer bars are of one colour, but the middle one lies between them."""
    assert grouped_boxes(picture(100, 0, 100), BARS, ("colour",))[3].tolist() in ([0, 0, 8, 6], [4, 0, 12, 6])


def test_small_ones_are_joined_first_by_size_and_what_fills_a_box_by_fill() -> None:
    pieces = np.zeros((10, 10), dtype=np.int64)
    pieces[0, 0] = 1
    pieces[0, 1:3] = 2  # 1 and 2 are small neighbours
    assert grouped_boxes(np.zeros((10, 10, 1)), pieces, ("size",))[3].tolist() == [0, 0, 3, 1]
    pieces = np.zeros((10, 10), dtype=np.int64)
    pieces[:, 5:] = 1
    pieces[4:6, 5:7] = 2  # a hole in 1, where nothing of the box is left over
    assert grouped_boxes(np.zeros((10, 10, 1)), pieces, ("fill",))[3].tolist() == [5, 0, 10, 10]


def box_of(mask: np.ndarray) -> list[int]:
    y, x = np.nonzero(mask)
    return [x.min(), y.min(), x.max() + 1, y.max() + 1]


def touch(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(
        (one[1:] & other[:-1]).any()
        or (one[:-1] & other[1:]).any()
        or (one[:, 1:] & other[:, :-1]).any()
        or (one[:, :-1] & other[:, 1:]).any()
    )


def likeness(image: np.ndarray, one: np.ndarray, other: np.ndarray, alike: tuple[str, ...]) -> float:
    """Of two regions, counted anew from their pixels (section 3.2 of the paper)."""
    left, top, right, bottom = box_of(one | other)
    size, all_pixels = one.sum() + other.sum(), one.size
    counts = [
        np.concatenate([np.histogram(plane[mask], 25, (0, 256))[0] for plane in np.moveaxis(image, 2, 0)])
        for mask in (one, other)
    ]
    found = {
        "colour": float(np.minimum(*(each / each.sum() for each in counts)).sum()),
        "size": 1 - size / all_pixels,
        "fill": 1 - ((right - left) * (bottom - top) - size) / all_pixels,
    }
    return sum(found[name] for name in alike)


@pytest.mark.parametrize("alike", [("colour",), ("fill",), ("colour", "size", "fill")])
@pytest.mark.parametrize("seed", range(3))
def test_regions_are_those_of_a_program_that_measures_all_anew_each_time(alike: tuple[str, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.random((11, 14, 3)) * 256
    y, x = np.mgrid[:11, :14]
    seeds = random.random((9, 2)) * (11, 14)
    nearest = ((y[..., None] - seeds[:, 0]) ** 2 + 2 * (x[..., None] - seeds[:, 1]) ** 2).argmin(2)
    pieces = np.unique(nearest, return_inverse=True)[1].reshape(nearest.shape)
    regions = {number: pieces == number for number in range(pieces.max() + 1)}
    boxes = [box_of(region) for region in regions.values()]
    while len(regions) > 1:
        pairs = [(a, b) for a in regions for b in regions if a < b and touch(regions[a], regions[b])]
        a, b = max(pairs, key=lambda pair: likeness(image, regions[pair[0]], regions[pair[1]], alike))
        regions[len(boxes)] = regions.pop(a) | regions.pop(b)
        boxes.append(box_of(regions[len(boxes)]))
    assert grouped_boxes(image, pieces, alike).tolist() == boxes


def test_memory_grows_with_the_pieces_and_not_with_their_pairs() -> None:
    pieces = np.arange(900).reshape(30, 30)
    image = np.random.default_rng(0).random((30, 30, 3)) * 256
    tracemalloc.start()
    try:
        assert grouped_boxes(image, pieces)[-1].tolist() == [0, 0, 30, 30]
        assert tracemalloc.get_traced_memory()[1] < 1799 * 8 * 1799  # one number for each two regions
    finally:
        tracemalloc.stop()


def test_likenesses_have_names() -> None:
    with pytest.raises(ConfigError, match="colour, fill, size, texture"):
        grouped_boxes(picture(0, 100, 250), BARS, ("shape",))
    assert tuple(ALIKE) == ("colour", "texture", "size", "fill")


def test_what_was_joined_last_comes_first_by_and_large() -> None:
    """Places are drawn below a region's number, counted from the last: 0 to 1 for the picture, 0 to n for a piece."""
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (3, 4, 4)).astype(np.uint8).repeat(10, 1).repeat(10, 2)
    places, shares = [], []
    for seed in range(12):
        boxes = selective_search(image, "single", seed=seed)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        places.append(int(areas.argmax()) / (len(boxes) - 1))
        shares.append(areas[: len(boxes) // 2].mean() / areas.mean())
    assert len(boxes) >= 8 and areas.max() == 40 * 40
    assert np.mean(places) < 0.2 and np.mean(shares) > 1.2


def test_nearly_every_thing_is_proposed() -> None:
    source = scenes(train=12, val=0, test=0, size=96, difficulty="medium", purpose="detect")
    assert source.objects is not None
    held, things, boxes = 0, 0, 0
    for image, truth in zip(source.images, source.objects, strict=True):
        found = selective_search(np.moveaxis(np.asarray(image), 2, 0), "single", smallest=5)
        boxes += len(found)
        a, b = found[:, None], truth.boxes_xyxy[None]
        sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
        shared = sides.prod(2)
        iou = shared / ((a[..., 2:] - a[..., :2]).prod(2) + (b[..., 2:] - b[..., :2]).prod(2) - shared)
        held += int((iou.max(0) >= 0.5).sum())
        things += len(truth)
    assert held / things > 0.85 and boxes / 12 < 100


@pytest.mark.parametrize("kind", ["scene", "grey", "few colours", "row"])
def test_compiled_loops_propose_the_same_boxes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, in the same order; where many edges weigh the same as well."""
    if not compiled.has_numba():
        pytest.skip("numba is not installed")
    random = np.random.default_rng(1)
    image = {
        "scene": np.asarray(scenes(train=1, val=0, test=0, size=64, difficulty="medium").images[0]).transpose(2, 0, 1),
        "grey": random.random((37, 41)).astype(np.float32),
        "few colours": random.integers(0, 2, (3, 9, 11)).astype(np.uint8).repeat(4, 1).repeat(4, 2) * 200,
        "row": random.integers(0, 256, (3, 1, 60)).astype(np.uint8),
    }[kind]
    quick = selective_search(image, "fast", least=5)
    monkeypatch.setattr(compiled, "has_numba", lambda: False)
    assert np.array_equal(quick, selective_search(image, "fast", least=5)) and len(quick) > 1


def test_same_seed_same_boxes_each_once_and_no_more_than_asked_for() -> None:
    image = np.asarray(scenes(train=1, val=0, test=0, size=64, difficulty="medium").images[0]).transpose(2, 0, 1)
    every = selective_search(image, seed=3)
    assert np.array_equal(every, selective_search(image, seed=3))
    assert not np.array_equal(every, selective_search(image, seed=4))
    assert len(np.unique(every, axis=0)) == len(every) and every.dtype == np.float32
    assert every.min() >= 0 and every.max() <= 64 and bool((every[:, 2:] > every[:, :2]).all())
    assert np.array_equal(selective_search(image, most=7, seed=3), every[:7])
    assert (selective_search(image, smallest=10)[:, 2:] - selective_search(image, smallest=10)[:, :2]).min() >= 10
    assert np.array_equal(selective_search(image.astype(np.float32) / 255, seed=3), every)


def test_an_even_picture_is_one_box_and_grey_ones_work() -> None:
    assert selective_search(np.zeros((3, 16, 20), dtype=np.uint8)).tolist() == [[0, 0, 20, 16]]
    grey = np.zeros((24, 24), dtype=np.uint8)
    grey[6:18, 4:20] = 255
    assert [4, 6, 20, 18] in selective_search(grey).tolist()


def test_wrong_questions_are_refused() -> None:
    image = np.zeros((3, 8, 8), dtype=np.uint8)
    with pytest.raises(ConfigError, match="fast, quality, single"):
        selective_search(image, "slow")
    with pytest.raises(ConfigError, match="most"):
        selective_search(image, most=-1)
    with pytest.raises(DataError):
        selective_search(np.zeros((2, 8, 8), dtype=np.uint8))
