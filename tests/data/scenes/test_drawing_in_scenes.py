"""Drawing in whole numbers: resizing, turning, pasting, shadows and light, each against a plain computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid.data.scenes.drawing.light import FULL, darken, shine
from pellucid.data.scenes.drawing.paste import paste, tint
from pellucid.data.scenes.drawing.resize import resize
from pellucid.data.scenes.drawing.turn import ONE, turn
from pellucid.data.scenes.sprites.cutouts import Sprites


def sprite(coverage: np.ndarray, shade: np.ndarray | None = None) -> Sprites:
    """One sprite of class 1."""
    shade = coverage if shade is None else shade
    return Sprites(shade[None], coverage[None], np.array([1]))


def test_paste_blends_by_coverage_and_cuts_at_the_border() -> None:
    image, mask = np.zeros((3, 3, 3), dtype=np.uint8), np.zeros((3, 3), dtype=np.uint8)
    colour = np.full((2, 2, 3), 255)
    coverage = np.array([[255, 255], [127, 128]])
    paste(image, mask, colour, coverage, 7, top=1, left=-1)
    assert image[1, 0].tolist() == [255] * 3 and mask[1, 0] == 7
    assert abs(int(image[2, 0, 0]) - 128) <= 1 and mask[2, 0] == 7  # 128 of 255 is above one half
    assert mask.sum() == 14 and not image[:, 1:].any() and not image[0].any()
    paste(image, mask, colour, coverage, 3, top=0, left=1)
    assert mask.tolist() == [[0, 3, 3], [7, 0, 3], [7, 0, 0]]  # 127 of 255 is below
    before = image.copy()
    paste(image, mask, colour, coverage, 9, top=3, left=0)
    paste(image, mask, colour, coverage, 9, top=0, left=-2)
    assert np.array_equal(image, before) and 9 not in mask


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_pasting_never_overflows(under: int, over: int, coverage: int) -> None:
    image, mask = np.full((1, 1, 3), under, dtype=np.uint8), np.zeros((1, 1), dtype=np.uint8)
    paste(image, mask, np.full((1, 1, 3), over), np.full((1, 1), coverage), 1, 0, 0)
    assert abs(int(image[0, 0, 0]) - (under * (255 - coverage) + over * coverage) / 255) <= 1.5


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 99))
def test_enlarging_agrees_with_pillow(old: int, grow: int, seed: int) -> None:
    """Pillow's bilinear filter is the same interpolation wherever it does not shrink."""
    plane = np.random.default_rng(seed).integers(256, size=(old, old), dtype=np.uint8)
    new = old + grow
    ours = resize(plane, new, new + 3)
    theirs = np.asarray(Image.fromarray(plane).resize((new + 3, new), Image.Resampling.BILINEAR), dtype=np.int32)
    assert ours.shape == (new, new + 3) and np.abs(ours - theirs).max() <= 2


def test_resizing_keeps_a_constant_a_ramp_and_the_leading_axes() -> None:
    assert (resize(np.full((2, 3, 5), 255, dtype=np.uint8), 11, 2) == 255).all()
    assert resize(np.zeros((2, 3, 5), dtype=np.uint8), 11, 2).shape == (2, 11, 2)
    ramp = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (4, 1))  # 10 a pixel, so 5 a half pixel
    assert np.array_equal(resize(ramp, 4, 32)[0, 1:-1], np.round(np.arange(2.5, 152, 5) + 1e-6))
    assert np.array_equal(resize(ramp, 4, 16), ramp)


def test_tint_is_dark_but_never_black_and_ignores_soft_edges() -> None:
    colour = np.array([255, 128, 0])
    drawn = tint(np.array([[0, 255, 64]]), np.array([[255, 255, 64]]), colour)
    assert drawn[0, 1].tolist() == [255, 128, 0]
    assert drawn[0, 0].tolist() == [80, 80 * 128 // 255, 0]
    assert np.array_equal(drawn[0, 2], drawn[0, 1])  # a quarter covered by the brightest cloth


@settings(max_examples=60)
@given(st.integers(2, 14), st.integers(2, 14), st.integers(5, 40), st.integers(-360, 720), st.booleans())
def test_turning_is_a_bilinear_lookup_along_the_turned_axes(
    height: int, width: int, side: int, degrees: int, mirrored: bool
) -> None:
    """Drawn again in floating point, one pixel after another."""
    rng = np.random.default_rng([height, width, side])
    coverage = rng.integers(1, 256, size=(height, width), dtype=np.uint8)
    shade = (coverage // 2).astype(np.uint8)
    side = max(side, max(height, width) // 2 + 1)  # no halvings
    drawn = turn(sprite(coverage, shade), 0, side, degrees, mirrored)
    wide = np.pad(coverage[:, ::-1] if mirrored else coverage, 1).astype(float)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    scale = max(height, width) / side
    rows, columns = drawn.coverage.shape
    for y, x in rng.integers((rows, columns), size=(25, 2)):
        right, down = (x + 0.5 - columns / 2) * scale, (y + 0.5 - rows / 2) * scale
        u = np.clip(cosine * right + sine * down + width / 2 + 0.5, 0, width + 1 - 1e-3)
        v = np.clip(-sine * right + cosine * down + height / 2 + 0.5, 0, height + 1 - 1e-3)
        i, j, a, b = int(v), int(u), v % 1, u % 1
        expected = (1 - a) * ((1 - b) * wide[i, j] + b * wide[i, j + 1]) + a * (
            (1 - b) * wide[i + 1, j] + b * wide[i + 1, j + 1]
        )
        assert abs(float(drawn.coverage[y, x]) - expected) <= 6  # places are in 1/256 pixel
        assert abs(int(drawn.shade[y, x]) - int(drawn.coverage[y, x]) / 2) <= 2


@pytest.mark.parametrize("side", [3, 8, 9, 30, 64])
@pytest.mark.parametrize("degrees", [0, 37, 90])
def test_a_full_square_keeps_its_area_whatever_its_size_and_turn(side: int, degrees: int) -> None:
    full = np.full((33, 33), 255, dtype=np.uint8)
    covered = turn(sprite(full), 0, side, degrees).coverage.sum() / 255
    assert covered == pytest.approx(side**2, rel=0.05 if side > 3 else 0.3)


def test_the_longer_side_of_what_is_covered_is_what_is_asked_for() -> None:
    coverage = np.zeros((28, 28), dtype=np.uint8)
    coverage[4:24, 10:15] = 255  # 20 high, 5 wide, anywhere in its frame
    drawn = turn(sprite(coverage), 0, 40).coverage >= 128
    assert np.flatnonzero(drawn.any(axis=1)).size == 40 and np.flatnonzero(drawn.any(axis=0)).size == 10


@pytest.mark.parametrize("degrees", [0, 20, 90, 180, 250])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_points_move_along_with_the_silhouette(degrees: int, mirrored: bool) -> None:
    """A kite: only at its four corners is it as far out."""
    y, x = np.mgrid[:33, :33] - 16
    coverage = np.where(abs(y) + abs(x + (x > 0) * x) <= 16, 255, 0).astype(np.uint8)  # twice as steep to the right
    drawn = turn(sprite(coverage), 0, 66, degrees, mirrored)
    middle = np.array([drawn.coverage.shape[1], drawn.coverage.shape[0]]) / 2
    points = np.array(drawn.points) / ONE - middle
    box = 66 * 25 / 33 / 2  # half of how wide it is, of which the wide side is 33 and the other 25
    upright = np.array([[0, -32], [box, 0], [0, 32], [-box, 0]])
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = points @ np.array([[cosine, -sine], [sine, cosine]])  # turned back
    assert np.allclose(back[[1, 3]], upright[[1, 3]], atol=1.5)
    assert np.allclose(back[[0, 2], 1], upright[[0, 2], 1], atol=1.5)
    off = 66 / 33 * (16 - 12)  # top and bottom are as far from the middle as the steep side is shorter
    assert np.allclose(back[[0, 2], 0], -off if mirrored else off, atol=1.5)


def test_light_is_a_gain_that_grows_from_one_side_to_the_other() -> None:
    image = np.full((64, 48, 3), 100, dtype=np.uint8)
    assert np.array_equal(shine(image, np.array([FULL] * 3), (0, 0)), image)
    half = shine(image, np.array([FULL, FULL // 2, 0]), (0, 0))
    assert half[0, 0].tolist() == [100, 50, 0]
    sloped = shine(image, np.array([FULL] * 3), (40, -20)).astype(int)[..., 0]
    assert (np.diff(sloped, axis=0) >= 0).all() and (np.diff(sloped, axis=1) <= 0).all()
    expected = 100 * (1 + (40 * 63 / 64 + 20 * 47 / 48) / 128)
    assert abs(sloped[-1, 0] - expected) <= 2
    assert (shine(np.full((4, 4, 3), 255, dtype=np.uint8), np.array([255] * 3), (63, 63)) <= 255).all()


def test_light_never_wraps_around() -> None:
    image = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (8, 1, 3))
    lit = shine(image, np.array([255, 200, 128]), (60, 60)).astype(int)
    assert (lit[-1, -1] == 255).all()
    assert (np.diff(lit[4], axis=0) >= 0).all()


def test_a_shadow_darkens_what_lies_under_it_and_fades() -> None:
    image = np.full((40, 40, 3), 200, dtype=np.uint8)
    darken(image, np.full((16, 16), 255, dtype=np.uint8), 12, 12, 128, 4)
    row = image[20, :, 0].astype(int)
    assert abs(row[20] - 100) <= 2 and (row[:8] == 200).all() and (row[32:] == 200).all()
    assert (np.diff(row[:20]) <= 0).all() and np.abs(np.diff(row)).max() < 40  # no hard edge
    before = image.copy()
    darken(image, np.full((4, 4), 255, dtype=np.uint8), -30, 0, 255, 2)
    assert np.array_equal(image, before)
    darken(image, np.full((4, 4), 255, dtype=np.uint8), -2, -2, 256, 2)  # half outside
    assert image[0, 0, 0] < 60
