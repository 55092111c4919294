"""Things in packed pictures: boxes, keypoints and masks lie where the pixels went, whatever the canvas."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.canvas import place
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.objects import Objects
from pellucid.data.pack.outlines import outlines_of
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source

FITS = ("pad", "stretch", "crop", "short-side")
SIZES = ((30, 44), (44, 30), (37, 37), (9, 80))


def a_source(objects: list[Objects], images: np.ndarray | None = None) -> Source:
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (len(objects), 24, 32, 3), dtype=np.uint8)
    names = [f"one/{i}" for i in range(len(objects))]
    return Source("toy", images, names, ("a", "b"), objects=objects)


def prepared(source: Source, outlines: bool = True, **data: str) -> Splits:
    settings = DataConfig(preprocess="unit", **data)  # type: ignore[arg-type]
    return prepare(source, settings, AugmentConfig(), 0, "detect", whole=True, outlines=outlines)


def disc(height: int, width: int, y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.ogrid[:height, :width]
    return (rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 <= radius**2


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("file_hw", SIZES)
def test_masks_go_where_masks_of_classes_go(fit: str, file_hw: tuple[int, int]) -> None:
    """The same nearest pixel as `canvas.place` takes: the independent way to the same answer."""
    rng = np.random.default_rng(1)
    masks = rng.random((3, *file_hw)) < 0.4
    boxes = np.array([[0, 0, file_hw[1], file_hw[0]]] * 3, dtype=np.float32)
    things = Objects(boxes, np.zeros(3, dtype=np.int64), masks)
    size = (26, 35)
    kept = outlines_of([things], np.zeros((1, 3), np.int64), np.array([file_hw]), ["one"], size, fit)  # type: ignore[arg-type]
    image = np.zeros((*file_hw, 3), dtype=np.uint8)
    for mask, drawn in zip(masks, kept.draw(np.array([0]))[0].numpy(), strict=True):
        placed = place(image, size, fit, (0, 0, 0), mask.astype(np.uint8)).mask  # type: ignore[arg-type]
        assert placed is not None and np.array_equal(drawn, placed == 1)


def test_masks_of_a_batch_are_those_of_the_source_in_the_order_that_is_asked_for() -> None:
    rng = np.random.default_rng(2)
    objects = []
    for i in range(5):
        masks = rng.random((i, 24, 32)) < 0.3  # none in the first picture
        boxes = np.array([[0, 0, 32, 24]] * i, dtype=np.float32).reshape(-1, 4)
        objects.append(Objects(boxes, np.zeros(i, dtype=np.int64), masks))
    splits = prepared(a_source(objects))
    assert splits.facts.has_outlines and splits.pack.outlines is not None
    rows = np.array([3, 0, 4, 4, 1])
    drawn = splits.pack.outlines.draw(rows)
    assert drawn.shape == (5, 4, 24, 32) and drawn.dtype == torch.bool
    for row, masks in zip(rows.tolist(), drawn.numpy(), strict=True):
        k = len(objects[row])
        assert not masks[k:].any() and (not k or np.array_equal(masks[:k], objects[row].dense()))
    batch = next(splits.loader("test", 5).epoch(0))
    assert torch.equal(batch["instance_mask"], splits.pack.outlines.draw(np.arange(5)))


def test_masks_are_drawn_only_where_they_are_wanted_and_known() -> None:
    masked = Objects(np.array([[1, 2, 5, 6]]), np.array([1]), disc(24, 32, 4, 3, 2)[None])
    plain = Objects(np.array([[1, 2, 5, 6]]), np.array([1]))
    unwanted = prepared(a_source([masked] * 3), outlines=False)
    assert unwanted.facts.has_outlines and "instance_mask" not in next(unwanted.loader("test", 3).epoch(0))
    half = prepared(a_source([masked, plain, masked]))
    assert not half.facts.has_outlines and "instance_mask" not in next(half.loader("test", 3).epoch(0))
    with_nothing = prepared(a_source([masked, Objects.empty(), masked]))
    assert with_nothing.facts.has_outlines


@pytest.mark.parametrize("fit", FITS)
def test_boxes_and_points_lie_around_their_masks(fit: str) -> None:
    """A disc's box and middle, computed on the canvas's mask, are where the box and the point went."""
    mask = disc(48, 90, 22, 50, 11)
    things = Objects.from_masks(mask[None], np.array([0]))
    things = Objects(things.boxes_xyxy, things.labels, things.masks, np.array([[[50, 22, 2], [1, 22, 2], [3, 3, 0]]]))
    images = np.zeros((2, 48, 90, 3), dtype=np.uint8)
    batch = next(prepared(a_source([things] * 2, images), image_size="30x40", fit=fit).loader("test", 2).epoch(0))
    rows, columns = batch["instance_mask"][0, 0].nonzero().float().T
    around = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert torch.allclose(batch["boxes_xyxy"][0, 0], around, atol=1)
    assert torch.allclose(batch["keypoints"][0, 0, 0, :2], torch.stack([columns.mean(), rows.mean()]) + 0.5, atol=0.5)
    assert batch["keypoints"][0, 0, :, 2].tolist() == [2, 2 if fit in ("pad", "stretch") else 0, 0]
    assert batch["box_area"][0, 0] == mask.sum()


def test_a_point_on_the_far_border_is_not_shown() -> None:
    points = np.array([[[31.9, 23.9, 2], [32, 5, 2], [5, 24, 2], [0, 0, 1]]])
    marked = Objects(np.array([[0, 0, 32, 24]]), np.array([0]), None, points)
    batch = next(prepared(a_source([marked] * 2)).loader("test", 2).epoch(0))
    assert batch["keypoints"][0, 0, :, 2].tolist() == [2, 0, 0, 1]


def test_boxes_end_where_the_picture_does() -> None:
    over = Objects(np.array([[-30, 3, 7, 60], [2, 2, 9, 9]]), np.array([0, 1]))
    batch = next(prepared(a_source([over] * 2)).loader("test", 2).epoch(0))
    assert batch["boxes_xyxy"][0].tolist() == [[0, 3, 7, 24], [2, 2, 9, 9]]
    assert batch["box_label"][0].tolist() == [0, 1]


def test_what_a_canvas_does_not_show_is_no_thing() -> None:
    """The middle 24 of 32 columns: the first box lies left of them, of the second the middle is seen, not all."""
    things = Objects(
        np.array([[0, 0, 6, 9], [1, 2, 9, 9], [10, 4, 20, 20]]), np.array([0, 1, 0]), is_crowd=np.array([1, 0, 0])
    )
    splits = prepared(a_source([things] * 2), image_size="24x24", fit="crop")
    batch = next(splits.loader("test", 2).epoch(0))
    assert batch["boxes_xyxy"][0].tolist() == [[0, 0, 0, 0], [0, 2, 5, 9], [6, 4, 16, 20]]
    assert batch["box_label"][0].tolist() == [-1, 1, 0] and not batch["is_crowd"].any()
    assert batch["box_area"][0].tolist() == [0, 56, 160]
    source = a_source([things] * 4)
    source.roles = np.array(["train", "train", "train", "val"])
    settings = DataConfig(image_size="24x24", fit="crop")
    facts = prepare(source, settings, AugmentConfig(), 0, "detect").facts
    assert facts.n_train == 2 and facts.class_counts == (2, 2)


def test_things_that_do_not_fit_are_refused() -> None:
    one, two = (Objects(np.array([[0, 0, 4, 4]]), np.array([0]), keypoints=np.zeros((1, p, 3))) for p in (1, 2))
    with pytest.raises(DataError, match="^Things have 1 or 2 keypoints, and all must have as many"):
        prepared(a_source([one, two]))
    wrong = Objects(np.array([[0, 0, 4, 4]]), np.array([0]), np.ones((1, 20, 32), bool))
    with pytest.raises(DataError, match="^one/1: the mask of thing 0 is 20x32 pixels but its picture is 24x32; they"):
        prepared(a_source([Objects.empty(), wrong]))


def test_keypoints_are_counted_where_any_are() -> None:
    points = Objects(np.array([[0, 0, 4, 4]]), np.array([0]), keypoints=np.full((1, 3, 3), 2))
    splits = prepared(a_source([Objects.empty(3), points, Objects(np.array([[0, 0, 4, 4]]), np.array([0]))]))
    batch = next(splits.loader("test", 3).epoch(0))
    assert splits.facts.n_keypoints == 3 and batch["keypoints"].shape == (3, 1, 3, 3)
    assert batch["keypoints"][:, 0, :, 2].sum(1).tolist() == [0, 6, 0]


def test_pictures_of_many_sizes_and_without_things(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    paths, objects = [], []
    for i, (height, width) in enumerate([(300, 520), (410, 280), (350, 350), (270, 600)]):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        paths.append(tmp_path / f"{i}.png")
        masks = disc(height, width, height / 2, width / 3, 60)[None]
        objects.append(Objects.from_masks(masks, np.array([i % 2])) if i else Objects.empty(has_masks=True))
    source = Source("files", paths, [path.name for path in paths], ("a", "b"), objects=objects)
    splits = prepared(source)
    assert splits.facts.preprocess.fit == "pad" and splits.facts.preprocess.canvas_size == (224, 224)
    batch = next(splits.loader("test", 4).epoch(0))
    assert batch["box_label"][:, 0].tolist() == [-1, 1, 0, 1]
    for row in range(1, 4):
        rows, columns = batch["instance_mask"][row, 0].nonzero().float().T
        around = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert torch.allclose(batch["boxes_xyxy"][row, 0], around, atol=1)
        back = batch["canvas_affine"][row]
        corner = back[:, :2] @ batch["boxes_xyxy"][row, 0, :2] + back[:, 2]
        assert torch.allclose(corner, torch.from_numpy(objects[row].boxes_xyxy[0, :2].copy()), atol=1e-3)
