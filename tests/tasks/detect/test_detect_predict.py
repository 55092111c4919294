"""What a detector says comes back in the pixels of the file, whatever the size of the picture."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect import build
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth
from pellucid.ops.masks.paste import paste_masks
from pellucid.ops.masks.rle import decode
from pellucid.tasks.detect.model import FromPictures
from pellucid.tasks.detect.prediction.draw import draw
from pellucid.tasks.detect.prediction.merge import Seen, merge
from pellucid.tasks.detect.prediction.paste import paste
from pellucid.tasks.detect.prediction.predict import predict, target_score
from pellucid.tasks.detect.prediction.result import DetectResult
from pellucid.tasks.detect.prediction.tiles import tiled
from pellucid.tasks.detect.prediction.wishes import DetectWishes

NAMES = ("red", "green", "blue")


class Blocks(nn.Module):
    """Finds the box around all pixels of each pure colour; its score is that colour's share of the picture.

    Masks say with a 4x4 grid that the left half of each box is the thing; the one keypoint lies in its middle.
    """

    def __init__(self, masks: bool = False, points: bool = False) -> None:
        super().__init__()
        self.device_of_this = nn.Parameter(torch.zeros(1))
        self.masks, self.points = masks, points
        self.seen: list[tuple[int, ...]] = []

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        self.seen.append(tuple(x.shape))
        others = torch.stack([x[:, [1, 2]].amax(1), x[:, [0, 2]].amax(1), x[:, [0, 1]].amax(1)], dim=1)
        return {"is_colour": (x - others > 0.5).float()}  # (N, 3, H, W)

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        n = len(outputs["is_colour"])
        most = min(limits.most, 100)
        boxes, scores = torch.zeros(n, most, 4), torch.zeros(n, most)
        labels = torch.full((n, most), -1)
        for i, each in enumerate(outputs["is_colour"] > 0):
            shares = each.float().mean((1, 2))
            for place, c in enumerate(shares.argsort(descending=True).tolist()[:most]):
                if shares[c] > limits.score:
                    ys, xs = each[c].nonzero(as_tuple=True)
                    boxes[i, place] = torch.stack([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]).float()
                    scores[i, place], labels[i, place] = shares[c], c
        grid = torch.zeros(n, most, 4, 4)
        grid[..., :2] = 1
        middle = torch.cat([(boxes[..., :2] + boxes[..., 2:]) / 2, scores[..., None]], -1)[:, :, None]
        return Found(boxes, scores, labels, grid if self.masks else None, middle if self.points else None)


def ask(images: Sequence[Any], net: nn.Module | None = None, side: int = 32, **wishes: Any) -> list[DetectResult]:
    preprocess = Preprocess((side, side), fit="pad", mode="unit")
    facts = DataFacts("detect", "made", NAMES, (1, 1, 1), preprocess)
    model = FromPictures(net or Blocks(), preprocess).eval()
    return predict(model, images, facts, DetectWishes(**{"conf": 0.0, **wishes}))


def scene(height: int, width: int, *things: tuple[int, int, int, int, int]) -> np.ndarray:
    """A black picture with blocks of a colour: class, left, top, right, bottom."""
    image = np.zeros((height, width, 3), np.uint8)
    for label, left, top, right, bottom in things:
        image[top:bottom, left:right, label] = 255
    return image


def test_boxes_are_those_of_the_file_whatever_its_size() -> None:
    small = scene(16, 16, (0, 2, 3, 9, 12), (2, 10, 0, 16, 4))
    wide = scene(64, 128, (1, 40, 16, 80, 48))
    first, second = ask([small, wide])
    assert first.names == ("red", "blue") and second.names == ("green",)
    np.testing.assert_allclose(first.boxes_xyxy, [[2, 3, 9, 12], [10, 0, 16, 4]], atol=0.51)  # pixels of the canvas
    np.testing.assert_allclose(second.boxes_xyxy, [[40, 16, 80, 48]], atol=4.01)
    assert first.size == (16, 16) and second.size == (64, 128)


def test_what_a_canvas_does_not_show_is_where_it_is_in_the_file() -> None:
    """Of a wide picture the canvas shows the middle half, from column 16 on."""
    image = scene(32, 64, (0, 20, 6, 30, 16), (1, 0, 0, 10, 10))
    preprocess = Preprocess((32, 32), fit="crop", mode="unit")
    facts = DataFacts("detect", "made", NAMES, (1, 1, 1), preprocess)
    model = FromPictures(Blocks(masks=True, points=True), preprocess).eval()
    (found,) = predict(model, [image], facts, DetectWishes(conf=0.0))
    assert found.masks is not None and found.keypoints is not None
    np.testing.assert_array_equal(found.boxes_xyxy, [[20, 6, 30, 16]])
    assert found.masks[0].box_xyxy == (20, 6, 25, 16)
    np.testing.assert_array_equal(found.keypoints[0, 0, :2], [25, 11])


def test_a_folder_goes_through_the_network_at_once() -> None:
    net = Blocks()
    ask([scene(8, 8, (0, 0, 0, 4, 4))] * 7, net)
    assert net.seen == [(7, 3, 32, 32)]


def test_masks_and_keypoints_follow() -> None:
    image = scene(32, 64, (0, 8, 8, 40, 24))
    (found,) = ask([image], Blocks(masks=True, points=True), side=64)
    assert found.masks is not None and found.keypoints is not None
    expected = np.zeros((32, 64), bool)
    expected[8:24, 8:24] = True
    np.testing.assert_array_equal(decode(found.masks[0]), expected)
    np.testing.assert_allclose(found.keypoints[0, 0], [24, 16, 0.125], atol=1e-5)
    assert ask([image], Blocks(masks=True), masks="off")[0].masks is None
    with pytest.raises(ConfigError, match="^This model finds boxes without outlines: leave masks out, or ask a model"):
        ask([image], masks="on")


def test_what_reads_outlines_knows_the_precision_of_validation() -> None:
    """Losses are computed in fp32 whatever it is; convolutions that read outlines are like those before them."""
    seen = {}

    class Asks(Blocks):
        def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
            seen["losses"] = torch.is_autocast_enabled("cpu")
            return {}

        def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
            seen["found"] = torch.is_autocast_enabled("cpu")
            return super().found(outputs, limits)

    batch = {
        "image": torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
        "boxes_xyxy": torch.zeros(1, 1, 4),
        "box_label": torch.full((1, 1), -1),
        "is_crowd": torch.zeros(1, 1, dtype=torch.bool),
    }
    model = FromPictures(Asks(), Preprocess((8, 8), mode="unit")).eval()
    for low in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            model(batch)
        assert seen == {"losses": False, "found": low}


def test_wishes_out_of_range() -> None:
    for values, message in (
        ({"conf": -0.1}, "conf must be in 0..1, got -0.1."),
        ({"conf": float("nan")}, "conf must be in 0..1, got nan."),
        ({"iou": 1.5}, "iou must be in 0..1, got 1.5."),
        ({"top": 0}, "top must be in 1..10000, got 0."),
        ({"top": 20_000}, "top must be in 1..10000, got 20000."),
    ):
        with pytest.raises(ConfigError) as caught:
            DetectWishes(**values)  # type: ignore[arg-type]
        assert str(caught.value) == message


def test_what_is_told() -> None:
    image = scene(32, 32, (0, 0, 0, 16, 16), (1, 20, 20, 30, 30))
    (found,) = ask([image], Blocks(masks=True))
    assert len(found) == 2 and found.counts == {"red": 1, "green": 1}
    assert found.row() == {"image": "picture 1", "size": "32x32", "things": "1 red, 1 green", "surest": "red 0.25"}
    told = json.loads(json.dumps(found.as_dict()))
    assert told["things"][0]["label"] == "red" and told["things"][0]["box_xyxy"] == [0, 0, 16, 16]
    assert "<table>" in found._repr_html_()
    files = found.files()
    ids = np.array(Image.open(io.BytesIO(files["instances.png"])))
    assert set(np.unique(ids)) == {0, 1, 2}
    (nothing,) = ask([scene(8, 8)])
    assert len(nothing) == 0 and nothing.row()["things"] == "nothing"
    assert draw(Image.fromarray(image), found).size == (256, 256)


def test_the_score_that_explains_a_class() -> None:
    scores = torch.tensor([[0.9, 0.4, 0.3], [0.5, 0.0, 0.0]], requires_grad=True)
    outputs = {"found_scores": scores, "found_labels": torch.tensor([[0, 1, 1], [0, -1, -1]])}
    score = target_score(outputs, 1)
    torch.testing.assert_close(score, torch.tensor([0.4, 0.0]))
    score.sum().backward()
    assert scores.grad is not None and scores.grad[0, 1] == 1 and scores.grad.sum() == 1


def test_scores_of_a_network_that_stands_still_explain_nothing() -> None:
    preprocess = Preprocess((64, 64), mode="unit")
    model = FromPictures(build("rcnn", 2, 3, (64, 64)), preprocess, proposed=True).eval()
    batch = {
        "image": torch.zeros(1, 3, 64, 64, dtype=torch.uint8),
        "boxes_xyxy": torch.tensor([[[8.0, 8.0, 40.0, 40.0]]]),
        "box_label": torch.zeros(1, 1, dtype=torch.int64),
        "is_crowd": torch.zeros(1, 1, dtype=torch.bool),
        "proposals_xyxy": torch.tensor([[[8.0, 8.0, 40.0, 40.0]]]),
    }
    with pytest.raises(ConfigError, match=r"^These scores have no gradient .*\(rcnn\), or gradients are off\. Take a "):
        target_score(model(batch), 0)


class OneByOne(Blocks):
    """Finds every connected block of a pure colour in a picture; sure by how much of it is seen."""

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        n = len(outputs["is_colour"])
        boxes, scores = torch.zeros(n, limits.most, 4), torch.zeros(n, limits.most)
        labels = torch.full((n, limits.most), -1)
        for i, each in enumerate(outputs["is_colour"].numpy()):
            things = [
                (float((one := numbered == number).sum()) / 1e4, c, np.argwhere(one))
                for c in range(3)
                for numbered, count in [ndimage.label(each[c] > 0)]
                for number in range(1, count + 1)
            ]
            for place, (score, c, pixels) in enumerate(sorted(things, key=lambda thing: -thing[0])[: limits.most]):
                (top, left), (bottom, right) = pixels.min(0), pixels.max(0) + 1
                boxes[i, place] = torch.tensor([left, top, right, bottom], dtype=torch.float32)
                scores[i, place], labels[i, place] = min(1.0, score), c
        masks = torch.ones(n, limits.most, 4, 4) if self.masks else None
        corners = torch.cat([boxes[..., :2], scores[..., None]], -1)[:, :, None] if self.points else None
        return Found(boxes, scores, labels, masks, corners)


def things_of(found: DetectResult) -> set[tuple[str, int, int, int, int]]:
    return {(name, *map(round, box)) for name, box in zip(found.names, found.boxes_xyxy.tolist(), strict=True)}  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("overlap", [0.15, 0.25, 0.5])
def test_every_thing_is_told_once_however_tiles_cut_it(overlap: float) -> None:
    """Small ones anywhere, one across four tiles, one longer than a tile, two beside each other at a border."""
    rng = np.random.default_rng(0)
    things = [(0, 28, 26, 40, 38), (1, 5, 50, 90, 60), (2, 62, 70, 66, 90), (2, 67, 70, 70, 90), (0, 95, 0, 110, 9)]
    image = scene(96, 130, *things)
    for wishes in ({}, {"tile": 40}, {"tile": 64}):
        (found,) = ask([image], OneByOne(masks=True, points=True), size="native", overlap=overlap, **wishes)
        assert things_of(found) == {(NAMES[c], *box) for c, *box in things}
        assert len(found) == len(things) and (np.diff(found.scores) <= 0).all()
        assert found.masks is not None and found.keypoints is not None
        for name, box, mask in zip(found.names, found.boxes_xyxy.astype(int), found.masks, strict=True):
            expected = np.zeros((96, 130), bool)
            expected[box[1] : box[3], box[0] : box[2]] = True
            np.testing.assert_array_equal(decode(mask), expected, err_msg=name)
    scattered = [(int(rng.integers(3)), x, y, x + 6, y + 5) for y in range(2, 150, 9) for x in range(3, 200, 10)]
    (found,) = ask([scene(160, 210, *scattered)], OneByOne(), size="native", top=1000)
    assert things_of(found) == {(NAMES[c], *box) for c, *box in scattered} and len(found) == len(scattered)


def test_of_two_tiles_answers_those_that_overlap_too_much_are_one() -> None:
    """Tiles of 32 px at 0 and 16: 18 to 26 in the first, 22 to 30 in the second. 4 of 12 px are shared."""

    def find(tiles: Tensor) -> Found:
        boxes = torch.tensor([[[18.0, 4, 26, 12]], [[6.0, 4, 14, 12]]])
        return Found(boxes, torch.tensor([[0.8], [0.9]]), torch.zeros(2, 1, dtype=torch.int64))

    picture = torch.zeros(3, 32, 48, dtype=torch.uint8)
    for iou, expected in ((0.5, [[22, 4, 30, 12], [18, 4, 26, 12]]), (0.3, [[22, 4, 30, 12]])):
        found = tiled(find, picture, (32, 32), 0.5, 1 << 20, (0, 0, 0), iou)
        assert [thing.box_xyxy.tolist() for thing in found.things] == expected


def test_no_more_things_than_asked_for_and_those_the_surest() -> None:
    image = scene(40, 100, *((0, x, 10, x + 4 + x // 16, 20) for x in range(4, 90, 16)))
    (every,) = ask([image], OneByOne(), size="native")
    (some,) = ask([image], OneByOne(), size="native", top=3)
    assert len(every) == 6 and len(some) == 3
    np.testing.assert_array_equal(some.boxes_xyxy, every.boxes_xyxy[:3])


def test_a_mask_pasted_into_the_part_around_its_box_is_that_in_the_whole_picture() -> None:
    random = np.random.default_rng(0)
    masks = torch.rand(20, 5, 5, generator=torch.Generator().manual_seed(0))
    for mask, corners in zip(masks, random.uniform(-5, 35, (20, 2, 2)), strict=True):
        box = np.sort(corners, axis=0).ravel().tolist()
        part = paste(mask, box, (24, 30))
        whole = np.zeros((24, 30), bool)
        height, width = part.pixels.shape
        whole[part.top : part.top + height, part.left : part.left + width] = part.pixels
        np.testing.assert_array_equal(whole, paste_masks(mask[None], torch.tensor([box]), (24, 30))[0].numpy())


def test_native_shows_things_as_large_as_in_training_and_tiles_together() -> None:
    net = OneByOne()
    (found,) = ask([scene(128, 64, (0, 16, 16, 48, 112))], net, size="native", scale=0.5)
    assert things_of(found) == {("red", 16, 16, 48, 112)}
    assert net.seen == [(3, 3, 32, 32)]  # 64 x 32 at that scale, three tiles of 32 with an overlap of 8, at once
    (small,) = ask([scene(10, 12, (0, 2, 3, 7, 9))], net, size="native")
    assert things_of(small) == {("red", 2, 3, 7, 9)} and net.seen[-1] == (1, 3, 32, 32)


def test_parts_and_wholes() -> None:
    """By hand: two tiles of 100 px that share 20; the cut part of a whole is none, whatever it was taken for."""
    windows = np.array([[0, 0, 100, 100], [80, 0, 180, 100]], dtype=float)

    def merged(
        *things: tuple[int, int, float, float, float, float, float],
    ) -> list[tuple[list[float], tuple[int, ...]]]:
        tile, label, score, *_ = map(np.array, zip(*things, strict=True))
        boxes = np.array([thing[3:] for thing in things], dtype=float)
        found = merge(Seen(boxes, score, label, tile, windows, (100, 180)))
        return [(each.box_xyxy.tolist(), each.members) for each in found]

    whole, part = (0, 0, 0.6, 70, 10, 95, 30), (1, 1, 0.9, 80, 10, 95, 30)
    assert merged(whole, part) == [([70, 10, 95, 30], (0,))]
    left, right = (0, 0, 0.6, 50, 10, 100, 30), (1, 0, 0.9, 80, 11, 130, 31)
    assert merged(left, right) == [([50, 10, 130, 31], (1, 0))]
    # a piece of the whole that is too small to be alike is still no thing of its own, on either side
    assert merged(whole, (1, 0, 0.9, 80, 10, 86, 30)) == [([70, 10, 95, 30], (0,))]
    assert merged((0, 0, 0.9, 94, 10, 100, 30), (1, 0, 0.6, 85, 10, 110, 30)) == [([85, 10, 110, 30], (1,))]
    assert len(merged(left, (1, 1, 0.9, 80, 11, 130, 31))) == 2  # of two classes: nobody knows which
    below = (1, 0, 0.9, 80, 60, 130, 90)
    assert len(merged(left, below)) == 2
    twice = (1, 0, 0.5, 84, 40, 96, 60), (0, 0, 0.4, 85, 40, 95, 60)
    assert merged(*twice) == [([84, 40, 96, 60], (0,))]


def test_tiles_that_a_network_does_not_take() -> None:
    class Fixed(Blocks):
        def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
            return super().forward(x + torch.zeros(1, 3, 32, 32), truth)

    image = scene(64, 64, (0, 2, 2, 9, 9))
    assert len(ask([image], Fixed(), size="native")[0]) == 1
    with pytest.raises(ConfigError, match=r"^This network takes no tiles of 24 pixels: leave tile out, so .* 32x32\.$"):
        ask([image], Fixed(), size="native", tile=24)
    with pytest.raises(ConfigError, match=r"^tile, overlap and scale belong to native size: add --size native"):
        ask([image], tile=24)
