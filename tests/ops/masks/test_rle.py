"""Run lengths against counting pixel by pixel, against pycocotools' own output, and there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as pycocotools

from pellucid.core.errors import DataError
from pellucid.ops.masks.rle import (
    Rle,
    decode,
    decode_columns,
    encode,
    encode_each,
    encode_part,
    from_coco,
    from_text,
    paint,
    to_coco,
    to_text,
)

MASKS = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def counted(mask: np.ndarray) -> list[int]:
    """The definition, pixel by pixel."""
    runs, now = [0], False
    for value in mask.T.ravel().tolist():
        if bool(value) != now:
            runs.append(0)
            now = not now
        runs[-1] += 1
    return runs


def spelled(counts: list[int]) -> str:
    """The published algorithm (maskApi.c, rleToString), letter by letter."""
    letters = []
    for i, count in enumerate(counts):
        x = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            five = x & 31
            x >>= 5
            more = x != -1 if five & 16 else x != 0
            letters.append(chr(48 + five + (32 if more else 0)))
    return "".join(letters)


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_masks_are_counted_column_by_column_and_come_back(mask):
    rle = encode(mask)
    assert rle.counts.tolist() == counted(mask)
    assert np.array_equal(decode(rle), mask)
    text = to_text(rle)
    assert text == spelled(rle.counts.tolist())
    assert from_text(text, *mask.shape) == rle
    assert from_coco(to_coco(rle)) == rle
    assert from_coco({"size": list(mask.shape), "counts": rle.counts.tolist()}) == rle


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_area_and_box_are_those_of_the_pixels(mask):
    rle = encode(mask)
    assert rle.area == mask.sum()
    rows, columns = np.nonzero(mask)
    expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if mask.any() else (0, 0, 0, 0)
    assert rle.box_xyxy == expected


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=12))
def test_long_runs_and_falling_ones_are_spelled_as_published(counts):
    rle = Rle(sum(counts), 1, np.array(counts))
    assert to_text(rle) == spelled(counts)
    assert from_text(to_text(rle), rle.height, 1) == rle


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # its own, with numpy 2
def test_pycocotools_reads_and_writes_the_same():
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (7, 5), (64, 48), (480, 640)):
        for density in (0.0, 0.02, 0.5, 1.0):
            mask = rng.random(shape) < density
            theirs = pycocotools.encode(np.asfortranarray(mask.astype(np.uint8)))
            ours = to_coco(encode(mask))
            assert ours == {"size": theirs["size"], "counts": theirs["counts"].decode()}
            assert np.array_equal(pycocotools.decode(ours), mask)
            left, top, wide, tall = pycocotools.toBbox(theirs).tolist()
            assert encode(mask).box_xyxy == (left, top, left + wide, top + tall)
            assert encode(mask).area == pycocotools.area(theirs)


@settings(deadline=None, max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(0, 7), st.integers(0, 7)), elements=st.integers(0, 4)))
def test_many_masks_at_once_are_each_of_them(ids):
    assert encode_each(ids, 4) == [encode(ids == i) for i in range(1, 5)]
    assert [one.counts.tolist() for one in encode_each(ids, 2)] == [encode(ids == i).counts.tolist() for i in (1, 2)]


def test_a_map_of_masks_holds_whole_numbers():
    with pytest.raises(DataError, match="holds whole numbers, got float64"):
        encode_each(np.zeros((2, 2)), 1)
    with pytest.raises(DataError, match="ids must have shape"):
        encode_each(np.zeros(2, dtype=int), 1)


def test_empty_and_full_masks():
    assert encode(np.zeros((3, 2))).counts.tolist() == [6]
    assert encode(np.ones((3, 2))).counts.tolist() == [0, 6]
    assert encode(np.zeros((0, 4))).counts.tolist() == [0]
    assert decode(encode(np.zeros((0, 4)))).shape == (0, 4)


def test_empty_runs_in_the_middle_change_nothing():
    rle = Rle(4, 3, np.array([2, 0, 1, 3, 0, 2, 4]))
    assert rle.area == 5
    assert rle.box_xyxy == encode(decode(rle)).box_xyxy == (0, 0, 2, 4)


@pytest.mark.parametrize("text", ["", "P", "1 2", "é2", "0o", "`" * 14 + "1"])
def test_damaged_text_is_refused(text):
    with pytest.raises(DataError, match=r"compressed run-length code of COCO|sum to 12, got the sum"):
        from_text(text, 3, 4)


def test_runs_that_do_not_fill_the_mask_are_refused():
    with pytest.raises(DataError, match=r"mask of 3x4 \(height x width\) are 0 or more and sum to 12, got the sum 11"):
        Rle(3, 4, np.array([5, 6]))
    with pytest.raises(DataError, match="sum to 12, got one of -1"):
        Rle(3, 4, np.array([12, 1, -1]))
    with pytest.raises(DataError, match="sum to 12, got one of 4611686018427387904"):
        Rle(3, 4, np.array([2**62, 2**62, 2**62, 2**62, 12]))  # which would sum to 12 in 64 bits
    with pytest.raises(DataError, match="list of whole numbers, got float64"):
        Rle(3, 4, np.array([12.0]))
    with pytest.raises(DataError, match="sum to 20, got the sum 12"):
        from_text(to_text(encode(np.eye(3, 4))), 4, 5)


@pytest.mark.parametrize(
    "content",
    [{}, {"size": [3, 4]}, {"size": 3, "counts": "<"}, {"size": [3], "counts": [1]}, {"size": [1.5, 2], "counts": [3]}],
)
def test_other_content_is_refused(content):
    with pytest.raises(DataError, match="A run-length code of COCO is"):
        from_coco(content)


def test_a_mask_has_two_axes():
    with pytest.raises(DataError, match="mask must have shape"):
        encode(np.zeros(3))


@pytest.mark.parametrize(("top", "left", "height", "width"), [(0, 0, 5, 7), (2, 3, 3, 4), (1, 0, 2, 7), (4, 6, 1, 1)])
def test_a_part_of_a_picture_is_coded_as_the_whole_is(top, left, height, width):
    random = np.random.default_rng(0)
    for share in (0.0, 0.5, 0.9, 1.0):  # columns that are full go on in the next one where the part is as high
        part = random.random((height, width)) < share
        whole = np.zeros((5, 7), dtype=bool)
        whole[top : top + height, left : left + width] = part
        assert encode_part(part, top, left, (5, 7)) == encode(whole)


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_columns_are_those_of_the_mask_and_painting_sets_its_pixels(mask):
    rle = encode(mask)
    part, left = decode_columns(rle)
    columns = np.flatnonzero(mask.any(axis=0))
    assert part.shape == (mask.shape[0], columns[-1] + 1 - columns[0] if len(columns) else 0)
    assert np.array_equal(part, mask[:, left : left + part.shape[1]])
    on = np.arange(mask.size).reshape(mask.shape)
    expected = np.where(mask, -3, on)
    paint(on, rle, -3)
    assert np.array_equal(on, expected)


def test_columns_of_runs_with_empty_ones_between():
    rle = Rle(2, 4, np.array([1, 0, 2, 3, 0, 0, 2]))
    part, left = decode_columns(rle)
    assert left == 1 and part.tolist() == [[False, True], [True, True]]
    assert np.array_equal(part, decode(rle)[:, 1:3])
