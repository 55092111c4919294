"""Boxes, masks, keypoints and proposals of things go through every step together, and leave together."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.config import AugmentConfig
from pellucid.data.policy.read import read_policy
from pellucid.data.policy.steps import STEPS
from pellucid.data.transforms import Batch, CentreCrop, Cut, Flip, Mosaic, RandomCrop, Shift, VFlip, Window, Zoom, build
from pellucid.data.transforms.compose import make_step
from pellucid.data.transforms.geometry import affine
from pellucid.data.transforms.geometry.flip import mirror_order

MOVES = (
    *("window", "crop", "scale_crop", "zoom", "mosaic", "flip", "vflip", "rotate", "shear", "stretch", "translate"),
    *("affine", "shift", "radial", "elastic"),
)
USUAL: dict[str, dict[str, Any]] = {
    "scale_crop": {"short_side": [60, 120]},
    "rotate": {"degrees": 60},
    "shear": {"degrees": 40},
    "translate": {"share": 0.4},
    "affine": {"rotate": 40, "shear": 20, "stretch": 0.5, "shift": 0.3},
    "shift": {"share": 0.4},
    "zoom": {"factor": [0.4, 2.5]},
    "mosaic": {"scale": [0.4, 1.5]},
}
N, M, H, W = 12, 4, 60, 72


def step(name: str, size: tuple[int, int], **values: Any) -> Any:
    text = "".join(f"{key} = {value!r}\n" for key, value in values.items())
    return make_step(read_policy(f"[[step]]\nname = '{name}'\n{text}", "test")[0], size)


def things(seed: int, n: int = N, sides: tuple[int, int] = (H, W)) -> Batch:
    """`n` pictures of dark ground with discs, each in a grey of its own; the last place of each holds none.

    Keypoint 0 is the middle of the disc, 1 its left, 2 its right.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = sides
    radius = torch.rand(n, M, generator=generator) * 8 + 4
    x = torch.rand(n, M, generator=generator) * (width - 2 * radius) + radius
    y = torch.rand(n, M, generator=generator) * (height - 2 * radius) + radius
    rows, columns = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    off = (rows - y[..., None, None]) ** 2 + (columns - x[..., None, None]) ** 2
    masks = off <= radius[..., None, None] ** 2  # (N, M, H, W)
    masks[:, 1:] &= ~masks.cumsum(1)[:, :-1].bool()  # what lies behind another disc is not seen of it
    there = masks.flatten(2).any(2)
    there[:, -1] = False
    masks &= there[..., None, None]
    grey = torch.arange(1, M + 1) * 50
    image = (masks * grey[:, None, None]).sum(1)[:, None].expand(n, 3, -1, -1).byte()
    boxes = torch.stack([x - radius, y - radius, x + radius, y + radius], -1) * there[..., None]
    points = torch.stack([torch.stack([x, y], -1), boxes[..., :2], boxes[..., 2:]], 2)
    marks = there[..., None, None].expand(n, M, 3, 1) * 2.0
    return {
        "image": image.contiguous(memory_format=torch.channels_last),
        "boxes_xyxy": boxes,
        "box_label": torch.where(there, torch.arange(M), -1),
        "is_crowd": there & (torch.arange(M) == 1),
        "box_area": boxes[..., 2] * there,
        "instance_mask": masks,
        "keypoints": torch.cat([points, marks], -1),
        "proposals_xyxy": boxes.clone(),
        "valid_hw": torch.tensor([[height, width]]).repeat(n, 1),
        "original_hw": torch.tensor([[height, width]]).repeat(n, 1),
        "canvas_affine": torch.eye(2, 3).repeat(n, 1, 1),
        "index": torch.arange(n),
    }


def around(masks: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 4) boxes around the masks (..., H, W), and whether there is anything."""
    rows, columns = masks.any(-1), masks.any(-2)

    def ends(line: Tensor) -> tuple[Tensor, Tensor]:
        return line.int().argmax(-1), line.shape[-1] - line.flip(-1).int().argmax(-1)

    (top, bottom), (left, right) = ends(rows), ends(columns)
    return torch.stack([left, top, right, bottom], -1).float(), masks.flatten(-2).any(-1)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("seed", range(3))
def test_things_are_there_whole_or_not_at_all(name: str, seed: int) -> None:
    """Label, box and mask agree; the mask lies within its box, and shows the disc's own grey in the picture."""
    batch = things(seed)
    before = {key: values.clone() for key, values in batch.items()}
    size = (50, 56) if STEPS[name].cuts else (H, W)
    out = step(name, size, **USUAL.get(name, {}))(batch, torch.Generator().manual_seed(seed))
    assert all(torch.equal(batch[key], before[key]) for key in batch) and set(out) == set(batch)
    m = out["box_label"].shape[1]
    assert m == (4 * M if name == "mosaic" else M) and out["instance_mask"].shape == (N, m, *size)
    assert out["instance_mask"].dtype == torch.bool and out["boxes_xyxy"].dtype == torch.float32
    there = out["box_label"] >= 0
    box, held = around(out["instance_mask"])
    assert torch.equal(held, there) and torch.equal((out["boxes_xyxy"] != 0).any(-1), there)
    low, high = out["boxes_xyxy"][..., :2], out["boxes_xyxy"][..., 2:]
    assert (low >= 0).all() and (high <= torch.tensor([size[1], size[0]])).all()
    slack = 2.6 if name == "zoom" or "crop" in name or name == "affine" else 1.1  # an old pixel where it was enlarged
    assert (box[..., :2] > low - slack)[there].all() and (box[..., 2:] < high + slack)[there].all()
    assert there.sum() > 12 and (~there).sum() >= 12
    marked = out["keypoints"][..., 2] > 0
    assert not marked[~there].any()
    xy = out["keypoints"][..., :2]
    assert ((xy >= 0) & (xy < torch.tensor([size[1], size[0]])))[marked].all()
    for row, place in there.nonzero().tolist():
        mask = out["instance_mask"][row, place]
        inner = F.avg_pool2d(mask[None].float(), 5, 1, 2)[0] > 0.99  # not at the border of the picture either
        grey = out["image"][row, 0][inner]
        assert not len(grey) or ((grey - 50.0 * (out["box_label"][row, place] + 1)).abs() < 2).all()


@pytest.mark.parametrize("name", [name for name in MOVES if name not in ("radial", "elastic", "mosaic")])
def test_what_moved_by_a_matrix_moved_by_one(name: str) -> None:
    """Middles of things that are seen whole lead back to where they were, by `canvas_affine`."""
    batch = things(7)
    size = (50, 56) if STEPS[name].cuts else (H, W)
    out = step(name, size, **USUAL.get(name, {}))(batch, torch.Generator().manual_seed(1))
    there = (out["box_label"] >= 0) & (out["keypoints"][..., 2] > 0).all(-1)
    back = out["canvas_affine"][:, None]
    middle = (back[..., :2] @ out["keypoints"][:, :, 0, :2, None])[..., 0] + back[..., 2]
    assert there.sum() > 5
    torch.testing.assert_close(middle[there], batch["keypoints"][:, :, 0, :2][there], rtol=0, atol=1e-2)
    size_xy = torch.tensor([size[1], size[0]])
    whole = there & (out["boxes_xyxy"][..., :2] > 0).all(-1) & (out["boxes_xyxy"][..., 2:] < size_xy).all(-1)
    torch.testing.assert_close(out["proposals_xyxy"][whole], out["boxes_xyxy"][whole])


@pytest.mark.parametrize(
    "transform", [Window((50, 56)), RandomCrop((50, 56)), Zoom((50, 56), (0.5, 2)), CentreCrop((40, 40))]
)
def test_things_from_the_store_are_those_of_the_batch(transform: Cut) -> None:
    """A loader hands over all pictures of a pack, and the things of the batch alone."""
    store = things(3)
    rows = torch.tensor([4, 0, 9, 9, 2])
    batch = {key: values[rows] for key, values in store.items()}
    cut = transform.cut({**batch, "image": store["image"]}, rows, torch.Generator().manual_seed(2))
    same = transform(batch, torch.Generator().manual_seed(2))
    assert all(torch.equal(cut[key], same[key]) for key in same)


def test_a_thing_stays_where_its_middle_does() -> None:
    """The window shows columns 10 to 50: boxes by hand."""
    boxes = torch.tensor([[[0.0, 5, 19, 9], [0, 5, 21, 9], [45, 5, 54, 9], [45, 5, 56, 9], [0, 0, 70, 60]]])
    batch = {"image": torch.zeros(1, 3, 60, 60, dtype=torch.uint8), "boxes_xyxy": boxes, "proposals_xyxy": boxes}
    out = CentreCrop((60, 40))({**batch, "box_label": torch.arange(5)[None]}, torch.Generator())
    assert out["box_label"].tolist() == [[-1, 1, 2, -1, 4]]
    assert out["boxes_xyxy"][0].tolist() == [[0] * 4, [0, 5, 11, 9], [35, 5, 40, 9], [0] * 4, [0, 0, 40, 60]]
    assert out["proposals_xyxy"][0].tolist()[0] == [0, 5, 9, 9]  # for what was proposed a part is enough


def test_a_point_on_the_far_border_lies_outside() -> None:
    """The window shows columns 10 to 50 of 60: pixels are counted up to 40, and 40 is no pixel's place."""
    points = torch.tensor([[[[10.0, 5, 2], [9.9, 5, 2], [49.9, 5, 1], [50.0, 5, 2], [20, 59.9, 2], [20, 60, 2]]]])
    out = CentreCrop((60, 40))({"image": torch.zeros(1, 3, 60, 60).byte(), "keypoints": points}, torch.Generator())
    assert out["keypoints"][0, 0, :, 2].tolist() == [2, 0, 1, 0, 2, 0]


def test_a_thing_of_which_no_pixel_is_left_has_gone() -> None:
    """The middle of an L lies inside the window, and no pixel of it."""
    mask = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    mask[0, 0, 2:38, 2:4] = mask[0, 0, 36:38, 2:38] = True
    batch = {
        "image": torch.zeros(1, 3, 40, 40, dtype=torch.uint8),
        "boxes_xyxy": torch.tensor([[[2.0, 2, 38, 38]]]),
        "box_label": torch.tensor([[0]]),
        "instance_mask": mask,
    }
    alone = {key: values for key, values in batch.items() if key != "instance_mask"}
    middle = CentreCrop((20, 20))
    assert middle(batch, torch.Generator())["box_label"].item() == -1
    assert middle(alone, torch.Generator())["box_label"].item() == 0


@pytest.mark.parametrize("flip", [Flip, VFlip])
def test_mirrored_left_and_right_change_places(flip: Any) -> None:
    batch = things(5)
    plain = flip(1.0)(batch, torch.Generator())["keypoints"]
    swapped = flip(1.0, (0, 2, 1))(batch, torch.Generator())["keypoints"]
    assert torch.equal(swapped, plain[:, :, [0, 2, 1]]) and not torch.equal(swapped, plain)
    twice = flip(1.0, (0, 2, 1))(flip(1.0, (0, 2, 1))(batch, torch.Generator()), torch.Generator())
    torch.testing.assert_close(twice["keypoints"], batch["keypoints"])
    some = flip(0.5, (0, 2, 1))(batch, torch.Generator().manual_seed(0))
    moved = (some["image"] != batch["image"]).flatten(1).any(1)
    assert 0 < moved.sum() < N and torch.equal(some["keypoints"][~moved], batch["keypoints"][~moved])


def test_names_say_which_points_change_places() -> None:
    assert mirror_order(()) == ()
    assert mirror_order(("top", "right", "bottom", "left")) == (0, 3, 2, 1)
    assert mirror_order(("nose", "Left_eye", "right_eye", "left_ear", "bright")) == (0, 2, 1, 3, 4)


# ----------------------------------------------------------------------------------------------------------- zoom


def test_zoom_by_two_and_by_half() -> None:
    """Exactly: every pixel of a part becomes four, or a block of four becomes their mean, on the background."""
    image = torch.randint(0, 256, (3, 1, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    masks = torch.rand(3, 2, 16, 24, generator=torch.Generator().manual_seed(1)) < 0.5
    batch = {"image": image, "instance_mask": masks, "canvas_affine": torch.eye(2, 3).repeat(3, 1, 1)}
    batch |= {"valid_hw": torch.tensor([[16, 24]]).repeat(3, 1)}
    large = Zoom((16, 24), (2, 2))(batch, torch.Generator().manual_seed(0))
    small = Zoom((16, 24), (0.5, 0.5), (9, 9, 9))(batch, torch.Generator().manual_seed(0))
    for row in range(3):
        left, top = large["canvas_affine"][row, :, 2].int().tolist()
        part = masks[row, :, top : top + 8, left : left + 12]
        assert torch.equal(large["instance_mask"][row], part.repeat_interleave(2, 1).repeat_interleave(2, 2))
        x, y = (-small["canvas_affine"][row, :, 2] / 2).int().tolist()
        shown = small["image"][row, 0, y : y + 8, x : x + 12].float()
        mean = image[row, 0].float().view(8, 2, 12, 2).mean((1, 3))
        assert (shown - mean).abs().mean() < 20  # noise of deviation 37; with antialiasing neighbours count a little
        beside = torch.ones(16, 24, dtype=torch.bool)
        beside[y : y + 8, x : x + 12] = False
        assert (small["image"][row, 0][beside] == 9).all() and not small["instance_mask"][row][:, beside].any()
        assert small["valid_hw"][row].tolist() == [y + 8, x + 12] and large["valid_hw"][row].tolist() == [16, 24]


def test_zoom_by_one_changes_nothing() -> None:
    batch = things(2)
    out = Zoom((H, W), (1, 1))(batch, torch.Generator().manual_seed(0))
    assert all(torch.equal(out[key], batch[key]) for key in batch)


def test_parts_of_padded_pictures_show_picture() -> None:
    image = torch.zeros(8, 3, 40, 40, dtype=torch.uint8)
    image[:, :, :20] = 200
    batch = {"image": image, "valid_hw": torch.tensor([[20, 40]]).repeat(8, 1)}
    out = Zoom((40, 40), (2, 3))(batch, torch.Generator().manual_seed(0))
    assert (out["image"] == 200).all()


# --------------------------------------------------------------------------------------------------------- mosaic


def test_quarters_of_a_mosaic_show_four_pictures() -> None:
    """At scale 1 in pictures of one grey each: rectangles of four greys, the first the picture's own."""
    n = 8
    image = (torch.arange(n)[:, None, None, None] * 20 + 10).expand(n, 3, 40, 48).byte()
    out = Mosaic(1.0, (1, 1))({"image": image}, torch.Generator().manual_seed(0))["image"][:, 0]
    for row in range(n):
        picture = out[row]
        assert picture[0, 0] == image[row, 0, 0, 0] and len(picture.unique()) == 4
        height, width = int((picture[:, 0] == picture[0, 0]).sum()), int((picture[0] == picture[0, 0]).sum())
        assert 12 <= height <= 28 and 14 <= width <= 34  # 0.3 to 0.7 of the sides
        quarters = (
            picture[:height, :width],
            picture[:height, width:],
            picture[height:, :width],
            picture[height:, width:],
        )
        assert all(len(quarter.unique()) == 1 for quarter in quarters)


def test_things_of_a_mosaic_are_those_of_its_pictures() -> None:
    """Each thing that is there has the label, crowd mark and area of one of the batch, all from the same place."""
    batch = things(11)
    out = Mosaic(0.5)(batch, torch.Generator().manual_seed(3))
    mixed = (out["image"] != batch["image"]).flatten(1).any(1)
    assert 0 < mixed.sum() < N
    assert torch.equal(out["box_label"][~mixed][:, :M], batch["box_label"][~mixed])
    assert (out["box_label"][~mixed][:, M:] == -1).all() and not out["instance_mask"][~mixed][:, M:].any()
    assert torch.equal(out["boxes_xyxy"][~mixed][:, :M], batch["boxes_xyxy"][~mixed])
    known = {
        (label, crowd, area)
        for label, crowd, area in zip(
            batch["box_label"].flatten().tolist(),
            batch["is_crowd"].flatten().tolist(),
            batch["box_area"].flatten().tolist(),
            strict=True,
        )
    }
    for row, place in (out["box_label"] >= 0).nonzero().tolist():
        told = tuple(out[key][row, place].item() for key in ("box_label", "is_crowd", "box_area"))
        assert told in known
    assert (out["box_label"] >= 0).sum(1).max() > M


def test_boxes_and_points_of_a_mosaic_by_hand() -> None:
    """Pixels say where they come from, so what each quarter shows, and of which picture, is known."""
    n, side, random = 6, 40, np.random.default_rng(0)
    image = torch.zeros(n, 3, side, side, dtype=torch.uint8)
    image[:, 0], image[:, 1] = torch.arange(side), torch.arange(side)[:, None]
    image[:, 2] = torch.arange(n)[:, None, None]
    corners = np.sort(random.integers(0, side + 1, (n, 5, 2, 2)), axis=2) + np.array([[0, 0], [1, 1]])
    boxes = torch.from_numpy(corners).float().clamp(max=side).flatten(2)
    points = torch.from_numpy(random.integers(0, 2 * side, (n, 5, 3, 2)) / 2).float()
    batch = {
        "image": image,
        "boxes_xyxy": boxes,
        "box_label": torch.arange(5).expand(n, 5),
        "is_crowd": torch.ones(n, 5, dtype=torch.bool),
        "box_area": torch.full((n, 5), 7.0),
        "keypoints": torch.cat([points, torch.full((n, 5, 3, 1), 2.0)], -1),
    }
    out = Mosaic(1.0, (1, 1), (0.5, 0.5))(batch, torch.Generator().manual_seed(0))
    half, gone = side / 2, 0
    for row in range(n):
        for q, low in enumerate(([0.0, 0.0], [half, 0.0], [0.0, half], [half, half])):
            x, y, source = out["image"][row, :, int(low[1]), int(low[0])].tolist()
            corner = torch.tensor(low)
            moved = boxes[source].unflatten(1, (2, 2)) - torch.tensor([x, y]) + corner  # (M, 2, 2)
            middle, inside = moved.mean(1), moved.maximum(corner).minimum(corner + half)
            kept = ((middle >= corner) & (middle <= corner + half)).all(1) & (inside[:, 1] > inside[:, 0]).all(1)
            mine = slice(5 * q, 5 * q + 5)
            assert torch.equal(out["boxes_xyxy"][row, mine], inside.flatten(1) * kept[:, None])
            assert torch.equal(out["box_label"][row, mine], torch.where(kept, torch.arange(5), -1))
            assert torch.equal(out["is_crowd"][row, mine], kept)
            assert torch.equal(out["box_area"][row, mine], 7.0 * kept)
            xy = points[source] - torch.tensor([x, y]) + corner
            shown = ((xy >= corner) & (xy < corner + half)).all(-1) & kept[:, None]
            assert torch.equal(out["keypoints"][row, mine], torch.cat([xy, 2.0 * shown[..., None]], -1))
            gone += int((~kept).sum())
    assert 0 < gone < n * 4 * 5


@pytest.mark.parametrize("n", [0, 1, 2])
def test_mosaics_of_small_batches(n: int) -> None:
    out = Mosaic()(things(1, n), torch.Generator().manual_seed(0))
    assert out["image"].shape == (n, 3, H, W) and out["instance_mask"].shape == (n, 4 * M, H, W)
    tiny = Mosaic()({"image": torch.zeros(3, 1, 1, 2, dtype=torch.uint8)}, torch.Generator().manual_seed(0))
    assert tiny["image"].shape == (3, 1, 1, 2)


def test_same_seed_same_mosaic() -> None:
    first, again, other = (Mosaic()(things(1), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["image"], other["image"])


def test_settings_become_steps() -> None:
    made = build(AugmentConfig(zoom=(0.5, 2), mosaic=0.3, vflip=0.5), (32, 32), (36, 36), True, (1, 2, 3), (0, 2, 1))
    assert made is not None and made.steps[:2] == (Zoom((32, 32), (0.5, 2), (1, 2, 3)), Mosaic(0.3))
    assert made.steps[2:] == (Flip(0.5, (0, 2, 1)), VFlip(0.5, (0, 2, 1)))
    shifted = build(AugmentConfig(), (32, 32), (32, 32), True)
    assert shifted is not None and shifted.steps == (Flip(0.5), Shift(0.07))


def test_masks_are_sampled_alike_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = torch.Generator().manual_seed(0)
    masks = torch.rand(5, 3, 9, 7, generator=drawn) < 0.5
    masks[:, 2] = False
    back = torch.eye(2, 3) + 0.1 * torch.randn(5, 2, 3, generator=drawn)
    whole = affine.warp_things(masks, back)
    monkeypatch.setattr(affine, "AT_ONCE", 2 * 2 * 9 * 7)  # two pictures
    assert whole[:, :2].any() and not whole[:, 2].any()
    assert torch.equal(affine.warp_things(masks, back), whole)
