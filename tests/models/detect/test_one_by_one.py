"""Detectors that resize pictures by a rule of their own: where things lie before and after, whatever the canvas is."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess, Resize
from pellucid.data.canvas import layout, place
from pellucid.data.single import as_batch
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.one_by_one import OneByOne
from pellucid.models.detect.truth import Truth

UNIT = {"shift": (0.0, 0.0, 0.0), "scale": (1 / 255,) * 3}


class Mirror(nn.Module):
    """Says back what it is shown: the truth it was given, and one thing that fills the picture."""

    limits = Limits(0.1, 0.4, 3)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Truth | None]] = []

    def forward(self, x: Tensor, truth: Truth | None = None) -> dict[str, Tensor]:
        self.seen.append((x, truth))
        return {"x": x}

    def losses(self, outputs: dict[str, Tensor], truth: Truth) -> dict[str, Tensor]:
        return {"class": outputs["x"].mean((1, 2, 3)), "box": truth.boxes_xyxy.sum((1, 2))}

    def found(self, outputs: dict[str, Tensor], limits: Limits) -> Found:
        x = outputs["x"]
        height, width = x.shape[-2:]
        boxes = torch.zeros(len(x), limits.most, 4)
        boxes[:, 0] = torch.tensor([0.0, 0.0, width, height])
        scores = torch.zeros(len(x), limits.most)
        scores[:, 0] = x.mean((1, 2, 3))
        labels = torch.full((len(x), limits.most), -1)
        labels[:, 0] = 0
        points = boxes[..., None, 2:].repeat(1, 1, 2, 1)
        return Found(boxes, scores, labels, None, torch.cat([points, torch.ones_like(points[..., :1])], -1))


def model_of(rule: Resize) -> OneByOne:
    return OneByOne(Mirror(), Preprocess((40, 40), fit="own", resize=rule, **UNIT)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hw", "expected"),
    [
        ((480, 640), (800, 1066)),  # 1066.67 rounded down
        ((640, 480), (1066, 800)),
        ((427, 640), (800, 1199)),
        ((100, 1000), (133, 1333)),  # the longer side binds
        ((1, 5000), (1, 1333)),  # never nothing
        ((2000, 3000), (800, 1200)),
    ],
)
def test_published_sizes(hw: tuple[int, int], expected: tuple[int, int]) -> None:
    assert Resize(800, 1333).size(*hw) == expected
    scale = min(800 / min(hw), 1333 / max(hw))
    assert expected == tuple(max(1, math.floor(side * scale)) for side in hw)
    assert Resize(to=(300, 200)).size(*hw) == (300, 200)


@pytest.mark.parametrize("wrong", [{}, {"short_side": 9, "long_side": 8}, {"to": (0, 5)}, {"short_side": -1}])
def test_rules_that_are_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="A resize rule needs a height and a width"):
        Resize(**wrong)  # type: ignore[arg-type]


def test_own_size_is_kept_and_only_larger_ones_shrink() -> None:
    assert layout((30, 20), (64, 64), "own").shown_hw == (30, 20)
    assert layout((64, 64), (64, 64), "own").shown_hw == (64, 64)
    assert layout((128, 64), (64, 64), "own") == layout((128, 64), (64, 64), "pad")
    picture = np.arange(30 * 20 * 3, dtype=np.uint8).reshape(30, 20, 3)
    placed = place(picture, (64, 64), "own", (1, 2, 3))
    assert np.array_equal(placed.image[:30, :20], picture)
    assert placed.image[40, 40].tolist() == [1, 2, 3] and placed.valid_hw.tolist() == [30, 20]
    assert placed.affine.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_prediction_has_room_for_the_largest_picture() -> None:
    preprocess = Preprocess((40, 40), fit="own", resize=Resize(80, 133), **UNIT)  # type: ignore[arg-type]
    pictures = [np.full((50, 20, 3), 7, np.uint8), np.full((10, 60, 3), 9, np.uint8)]
    batch = as_batch(pictures, preprocess)
    assert batch["image"].shape == (2, 3, 50, 60)
    assert batch["valid_hw"].tolist() == [[50, 20], [10, 60]]


def test_each_picture_is_cut_out_and_resized_alone() -> None:
    model = model_of(Resize(20, 30))
    image = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8)
    valid = torch.tensor([[40, 40], [10, 30]])
    with torch.no_grad():
        out = model({"image": image, "valid_hw": valid})
    first, second = (x for x, _ in model.net.seen)  # type: ignore[union-attr]
    assert first.shape == (1, 3, 20, 20) and second.shape == (1, 3, 10, 30)
    torch.testing.assert_close(second[0], image[1, :, :10, :30] / 255)
    assert out["found_boxes_xyxy"].shape == (2, 3, 4), "the network's own limits"
    assert out["found_boxes_xyxy"][:, 0].tolist() == [[0, 0, 40, 40], [0, 0, 30, 10]]
    assert out["found_keypoints"][0, 0, 0].tolist() == [40.5, 40.5, 1], "40 is the number of a pixel, as COCO counts"
    other = image.clone()
    other[1, :, 10:] = 255 - other[1, :, 10:]  # beyond the picture
    with torch.no_grad():
        again = model({"image": other, "valid_hw": valid})
    assert torch.equal(again["found_scores"], out["found_scores"])


def test_what_is_found_does_not_hang_on_the_batch() -> None:
    model = model_of(Resize(to=(16, 24)))
    image = torch.randint(0, 256, (3, 3, 12, 36), dtype=torch.uint8)
    with torch.no_grad():
        together = model.find(image, Limits(most=2))
        alone = [model.find(image[row : row + 1], Limits(most=2)) for row in range(3)]
    for row, one in enumerate(alone):
        assert torch.equal(together.scores[row], one.scores[0])
        assert one.boxes_xyxy[0, 0].tolist() == [0, 0, 36, 12]


def test_the_truth_follows_the_picture() -> None:
    model = model_of(Resize(to=(20, 60))).train()
    masks = torch.zeros(1, 2, 40, 40, dtype=torch.bool)
    masks[0, 0, :5, :10] = True
    batch = {
        "image": torch.zeros(1, 3, 40, 40, dtype=torch.uint8),
        "valid_hw": torch.tensor([[10, 20]]),
        "boxes_xyxy": torch.tensor([[[0.0, 0.0, 10.0, 5.0], [0.0, 0.0, 0.0, 0.0]]]),
        "box_label": torch.tensor([[1, -1]]),
        "is_crowd": torch.zeros(1, 2, dtype=torch.bool),
        "instance_mask": masks,
        "keypoints": torch.tensor([[[[10.5, 5.5, 2.0]], [[0.0, 0.0, 0.0]]]]),
        "proposals_xyxy": torch.tensor([[[2.0, 2.0, 4.0, 4.0]]]),
    }
    out = model(batch)
    ((x, truth),) = model.net.seen  # type: ignore[union-attr]
    assert x.shape == (1, 3, 20, 60)
    assert truth.boxes_xyxy[0, 0].tolist() == [0, 0, 30, 10]
    assert truth.keypoints[0, 0, 0].tolist() == [30, 10, 2]  # of 10 and 5, the numbers of the pixels
    assert truth.proposals_xyxy[0, 0].tolist() == [6, 4, 12, 8]
    assert truth.masks.shape == (1, 2, 20, 60)
    assert truth.masks[0, 0].nonzero().amax(0).tolist() == [9, 29] and int(truth.masks.sum()) == 10 * 30
    assert set(out) == {"loss_class", "loss_box"} and float(out["loss_box"]) == 40
