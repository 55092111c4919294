"""The connected regions of a class map, as COCO lists objects."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from pellucid.ops.masks import rle
from pellucid.ops.masks.polygons import parts


@dataclass(frozen=True)
class Region:
    """Pixels of one class that hang together by their sides.

    Attributes:
        label: the class, by number.
        area: how many pixels.
        box_xywh: left, top, width and height of the pixels it lies in.
        segmentation: as in a COCO file: run lengths of the whole picture, `{"size": [height, width], "counts": text}`;
            or outlines, flat lists x, y, x, y ... of corners of the pixel grid, the outer one first, those of holes
            behind it. Programs that unite all outlines of a region fill its holes; run lengths are exact everywhere.
    """

    label: int
    area: int
    box_xywh: tuple[int, int, int, int]
    segmentation: dict[str, Any] | list[list[int]]


def regions(
    mask: np.ndarray, classes: Collection[int], form: Literal["polygons", "rle"], min_area: int = 1
) -> Iterator[Region]:
    """Every region of the given classes, class by class, each from the topmost on.

    Args:
        mask: (H, W) uint8.
        classes: the numbers to look for.
        form: how the pixels are written.
        min_area: regions of fewer pixels are left out.
    """
    height, width = mask.shape
    for label in sorted(set(classes) & set(np.unique(mask).tolist())):
        numbered, _ = ndimage.label(mask == label)  # (H, W), by the four sides
        areas = np.bincount(numbered.ravel())
        for number, window in enumerate(ndimage.find_objects(numbered), 1):
            if areas[number] < min_area:
                continue
            top, left = window[0].start, window[1].start
            inside = numbered[window] == number  # (h, w)
            written: dict[str, Any] | list[list[int]]
            if form == "rle":
                written = rle.to_coco(rle.encode_part(inside, top, left, (height, width)))
            else:
                (part,) = parts(inside)
                written = [(ring + np.array([left, top])).ravel().tolist() for ring in part]
            box = (left, top, inside.shape[1], inside.shape[0])
            yield Region(label, int(areas[number]), box, written)


def coco(name: str, size: tuple[int, int], classes: Sequence[str], found: Collection[Region]) -> dict[str, Any]:
    """A COCO file of one picture. Category k is class k, the value of its pixels in the class map."""
    annotations = [
        {
            "id": number,
            "image_id": 1,
            "category_id": region.label,
            "bbox": list(region.box_xywh),
            "area": region.area,
            "iscrowd": 0,
            "segmentation": region.segmentation,
        }
        for number, region in enumerate(found, 1)
    ]
    return {
        "images": [{"id": 1, "file_name": name, "height": size[0], "width": size[1]}],
        "categories": [{"id": k, "name": each} for k, each in enumerate(classes)],
        "annotations": annotations,
    }
