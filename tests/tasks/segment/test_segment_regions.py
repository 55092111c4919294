"""Regions are what an independent labelling finds, and their pixels come back from either form."""

import json

import numpy as np
import pytest
from skimage import measure

from pellucid.ops.masks import rle
from pellucid.ops.masks.polygons import fill
from pellucid.tasks.segment.prediction.regions import coco, regions


def speckled(height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 3, (height // 3 + 1, width // 3 + 1)).astype(np.uint8)
    return np.kron(coarse, np.ones((3, 3), np.uint8))[:height, :width]


@pytest.mark.parametrize("size", [(17, 23), (1, 40), (40, 1), (1, 1), (30, 30)])
@pytest.mark.parametrize("form", ["rle", "polygons"])
def test_regions_are_those_of_scikit_image(size: tuple[int, int], form: str) -> None:
    mask = speckled(*size, seed=size[0])
    found = list(regions(mask, (1, 2), form))  # type: ignore[arg-type]
    expected = []
    for label in (1, 2):
        for each in measure.regionprops(measure.label(mask == label, connectivity=1)):
            top, left, bottom, right = each.bbox
            expected.append((label, int(each.area), (left, top, right - left, bottom - top)))
    assert sorted((each.label, each.area, each.box_xywh) for each in found) == sorted(expected)


@pytest.mark.parametrize("size", [(17, 23), (1, 40), (40, 1), (1, 1), (12, 12)])
def test_pixels_come_back_from_either_form(size: tuple[int, int]) -> None:
    mask = speckled(*size, seed=3)
    back = {"rle": np.zeros(size, np.uint8), "polygons": np.zeros(size, np.uint8)}
    for each in regions(mask, (1, 2), "rle"):
        assert isinstance(each.segmentation, dict)
        runs = rle.from_coco(each.segmentation)
        pixels = rle.decode(runs)
        assert pixels.sum() == each.area
        assert runs == rle.encode(pixels)  # the one form of a mask, not another that decodes to it
        back["rle"][pixels] = each.label
    for each in regions(mask, (1, 2), "polygons"):
        assert isinstance(each.segmentation, list)
        pixels = fill([np.array(ring).reshape(-1, 2) for ring in each.segmentation], *size)
        assert pixels.sum() == each.area
        back["polygons"][pixels] = each.label
    for name, found in back.items():
        np.testing.assert_array_equal(found, mask, err_msg=name)


def test_a_full_column_beside_a_full_column_is_one_run() -> None:
    (each,) = regions(np.ones((4, 3), np.uint8), (1,), "rle")
    assert rle.from_coco(each.segmentation).counts.tolist() == [0, 12]  # type: ignore[arg-type]


def test_a_ring_has_its_hole() -> None:
    mask = np.zeros((5, 6), np.uint8)
    mask[1:4, 1:4] = 1
    mask[2, 2] = 0
    (each,) = regions(mask, (1,), "polygons")
    assert each.area == 8 and each.box_xywh == (1, 1, 3, 3)
    outer, hole = each.segmentation  # type: ignore[misc]
    assert sorted(zip(outer[::2], outer[1::2], strict=True)) == [(1, 1), (1, 4), (4, 1), (4, 4)]
    assert sorted(zip(hole[::2], hole[1::2], strict=True)) == [(2, 2), (2, 3), (3, 2), (3, 3)]


def test_small_regions_and_other_classes_are_left_out() -> None:
    mask = np.zeros((6, 6), np.uint8)
    mask[0, 0], mask[2:4, 2:4], mask[5] = 1, 1, 255
    assert [each.area for each in regions(mask, (1,), "rle")] == [1, 4]
    assert [each.area for each in regions(mask, (1,), "rle", min_area=2)] == [4]
    assert list(regions(mask, (2,), "rle")) == []
    assert list(regions(mask, (), "rle")) == []


def test_a_coco_file_refers_to_its_own_entries() -> None:
    mask = speckled(9, 12, seed=1)
    found = list(regions(mask, (1, 2), "rle"))
    content = json.loads(json.dumps(coco("a.png", (9, 12), ("ground", "leaf", "stone"), found)))
    assert content["images"] == [{"id": 1, "file_name": "a.png", "height": 9, "width": 12}]
    assert content["categories"][2] == {"id": 2, "name": "stone"}
    assert [each["id"] for each in content["annotations"]] == list(range(1, len(found) + 1))
    for each in content["annotations"]:
        pixels = rle.decode(rle.from_coco(each["segmentation"]))
        assert each["area"] == pixels.sum() and (mask[pixels] == each["category_id"]).all()
        rows, columns = np.nonzero(pixels)
        width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
        assert each["bbox"] == [columns.min(), rows.min(), width, height]
        assert each["iscrowd"] == 0 and each["image_id"] == 1
