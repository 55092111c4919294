"""What a detector says comes back in the pixels of the file, whatever the size of the picture."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth
from pellucid.ops.masks.rle import decode
from pellucid.tasks.detect.model import FromPictures
from pellucid.tasks.detect.prediction.draw import draw
from pellucid.tasks.detect.prediction.predict import predict, target_score
from pellucid.tasks.detect.prediction.result import DetectResult
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


def ask(images: Sequence[Any], net: nn.Module | None = None, size: int = 32, **wishes: Any) -> list[DetectResult]:
    preprocess = Preprocess((size, size), fit="pad", mode="unit")
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


def test_a_folder_goes_through_the_network_at_once() -> None:
    net = Blocks()
    ask([scene(8, 8, (0, 0, 0, 4, 4))] * 7, net)
    assert net.seen == [(7, 3, 32, 32)]


def test_masks_and_keypoints_follow() -> None:
    image = scene(32, 64, (0, 8, 8, 40, 24))
    (found,) = ask([image], Blocks(masks=True, points=True), size=64)
    assert found.masks is not None and found.keypoints is not None
    expected = np.zeros((32, 64), bool)
    expected[8:24, 8:24] = True
    np.testing.assert_array_equal(decode(found.masks[0]), expected)
    np.testing.assert_allclose(found.keypoints[0, 0], [24, 16, 0.125], atol=1e-5)
    assert ask([image], Blocks(masks=True), masks="off")[0].masks is None
    with pytest.raises(ConfigError, match="^This model finds boxes without outlines: leave masks out, or ask a model"):
        ask([image], masks="on")


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
