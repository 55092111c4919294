"""One thing a picture: numbers of its outputs, losses by hand, and that it learns where a thing is."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.data.config import AugmentConfig
from pellucid.data.transforms import build as build_transforms
from pellucid.models.detect import BACKBONES, KEYPOINTS, MODELS, build
from pellucid.models.detect.found import Limits
from pellucid.models.detect.localizer import BOX_LOSSES, localizer
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import paired_iou


def truth_of(boxes: list[list[list[float]]], labels: list[list[int]], crowd: Tensor | None = None) -> Truth:
    return Truth(
        torch.tensor(boxes),
        torch.tensor(labels),
        torch.zeros(len(labels), len(labels[0]), dtype=torch.bool) if crowd is None else crowd,
    )


def test_a_thousand_classes_are_a_thousand_and_four_numbers() -> None:
    assert localizer(1000, 3, (224, 224)).answers.out_features == 1004
    assert localizer(1000, 3, (224, 224), n_keypoints=14).answers.out_features == 1004 + 28
    assert "localizer" in MODELS and "localizer" in BACKBONES and "localizer" in KEYPOINTS


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0", "vgg11_bn"])
def test_stands_on_networks_of_the_zoo(backbone: str) -> None:
    with torch.device("meta"):
        net = build("localizer", 5, 3, (64, 96), backbone, n_keypoints=2)
        outputs = net(torch.zeros(2, 3, 64, 96))
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {"logits": (2, 5), "box": (2, 4), "points": (2, 2, 2), "sides": (2, 2)}


def outputs_of(box: list[float], logits: list[float], width: float = 100.0, height: float = 50.0) -> dict[str, Tensor]:
    return {
        "logits": torch.tensor([logits], requires_grad=True),
        "box": torch.tensor([box], requires_grad=True),
        "points": torch.zeros(1, 0, 2),
        "sides": torch.tensor([[width, height]]),
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    # said: the middle half, (0.5, 0.5, 0.5, 0.5); true: 0..50 x 0..50 of 100 x 50, which is (0.25, 0.5, 0.5, 1)
    [
        ("l2", 1.0 + 4.0),
        ("l1", 1.0 + 2.0),
        ("smooth_l1", 0.5 + 1.5),
        ("giou", 1 - (1 / 8 / (1 / 4 + 1 / 2 - 1 / 8)) + 1 / 6),
    ],
)
def test_losses_by_hand(kind: str, expected: float) -> None:
    net = build("localizer", 2, 3, (32, 32), box_loss=kind)
    outputs = outputs_of([0.0, 0.0, 0.0, 0.0], [0.0, math.log(3.0)])
    # the small thing, a crowd and an empty place do not count
    truth = truth_of(
        [[[0, 0, 10, 10], [0, 0, 50, 50], [0, 0, 100, 50], [0, 0, 0, 0]]],
        [[0, 1, 0, -1]],
        torch.tensor([[False, False, True, False]]),
    )
    losses = net.losses(outputs, truth)
    assert losses["class"].item() == pytest.approx(-math.log(3 / 4))
    hull = 0.75 * 1.0  # x from 0 to 0.75, y from 0 to 1
    union = 0.25 + 0.5 - 0.25 * 0.5
    if kind == "giou":
        expected = 1 - (0.125 / union - (hull - union) / hull)
    assert losses["box"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_pictures_without_things_teach_nothing(kind: str) -> None:
    net = build("localizer", 2, 3, (32, 32), n_keypoints=1, box_loss=kind)
    outputs = net(torch.randn(3, 3, 32, 32))
    nothing = truth_of([[[0.0] * 4]] * 3, [[-1]] * 3)
    losses = net.losses(outputs, nothing)
    assert all(value.tolist() == [0, 0, 0] for value in losses.values()) and set(losses) == set(net.initial_losses)
    sum(value.sum() for value in losses.values()).backward()
    assert all(p.grad is not None and (p.grad == 0).all() for p in net.parameters())


def test_too_thin_boxes_can_grow_again() -> None:
    net = build("localizer", 2, 3, (32, 32), box_loss="giou")
    outputs = outputs_of([0.0, 0.0, -4.0, -4.0], [0.0, 0.0])  # of negative size
    net.losses(outputs, truth_of([[[0, 0, 100, 50]]], [[0]]))["box"].backward()
    grad = outputs["box"].grad
    assert grad is not None and torch.isfinite(grad).all() and (grad[0, 2:] < 0).all()


def test_finds_one_thing_within_the_picture() -> None:
    net = build("localizer", 3, 3, (32, 32))
    outputs = outputs_of([2.0, 0.0, 2.0, 0.0], [0.0, 2.0, 0.0])  # centre at the right border, as wide as the picture
    found = net.found(outputs, Limits(0.1, 0.5, 3))
    assert found.boxes_xyxy.shape == (1, 3, 4) and found.labels.tolist() == [[1, -1, -1]]
    torch.testing.assert_close(found.boxes_xyxy[0, 0], torch.tensor([50.0, 12.5, 100.0, 37.5]))
    assert found.scores[0, 0].item() == pytest.approx(math.exp(2) / (math.exp(2) + 2))
    nothing = net.found(outputs, Limits(0.9, 0.5, 1))
    assert nothing.labels.tolist() == [[-1]] and not nothing.boxes_xyxy.any() and not nothing.scores.any()


def test_points_by_hand_in_a_picture_that_is_twice_as_wide_as_high() -> None:
    """Said: the middle, (50, 25) of 100 x 50. True: 50 px to the right of it, 2; 12.5 px below, 1; one unmarked."""
    net = build("localizer", 2, 3, (32, 32), n_keypoints=3, box_loss="l1")
    outputs = {**outputs_of([0.0] * 4, [0.0, 0.0]), "points": torch.zeros(1, 3, 2)}
    points = torch.tensor([[[[100.0, 25, 2], [50, 37.5, 1], [0, 0, 0]]]])
    truth = replace(truth_of([[[0, 0, 100, 50]]], [[0]]), keypoints=points)
    assert net.losses(outputs, truth)["keypoint"].item() == pytest.approx((2 + 1) / 2)
    found = net.found({**outputs, "points": torch.tensor([[[2.0, 0], [0, 1], [0, 0]]])}, Limits(0.1, 0.5, 1))
    assert found.keypoints is not None and found.keypoints[0, 0, :, :2].tolist() == [[100, 25], [50, 37.5], [50, 25]]
    with torch.no_grad():
        assert net(torch.zeros(1, 3, 32, 48))["sides"].tolist() == [[48, 32]]


def test_unknown_loss() -> None:
    with pytest.raises(ConfigError, match=r"^Unknown box loss 'l3'\. Did you mean 'l2' or 'l1'\?"):
        build("localizer", 2, 3, (32, 32), box_loss="l3")


def test_says_what_it_does() -> None:
    assert "the largest thing of each picture" in build("localizer", 2, 3, (32, 32)).notes[0]


def blocks(n: int, seed: int, size: int = 32) -> tuple[Tensor, Truth]:
    """Grey noise with one coloured block each, of 8 to 20 px; its keypoints are the middles of its top and bottom."""
    rng = np.random.default_rng(seed)
    images = rng.integers(90, 130, (n, 3, size, size), dtype=np.uint8)
    sides = rng.integers(8, 21, (n, 2))
    corners = (rng.random((n, 2)) * (size - sides + 1)).astype(int)
    labels = rng.integers(0, 3, n)
    for image, (w, h), (x, y), label in zip(images, sides, corners, labels, strict=True):
        image[:, y : y + h, x : x + w] = 30
        image[label, y : y + h, x : x + w] = 230
    boxes = np.concatenate([corners, corners + sides], axis=1).astype(np.float32)[:, None]  # (n, 1, 4)
    middle = corners[:, 0] + sides[:, 0] / 2
    points = np.full((n, 1, 2, 3), 2, np.float32)
    points[:, 0, :, 0], points[:, 0, :, 1] = middle[:, None], boxes[:, 0, 1::2]
    points[..., 1] = points[..., 1].clip(0.5, size - 0.5)
    crowd = torch.zeros(n, 1, dtype=torch.bool)
    truth = Truth(torch.tensor(boxes), torch.tensor(labels)[:, None], crowd, None, torch.tensor(points))
    return torch.tensor(images), truth


@pytest.mark.parametrize("kind", ["l2", pytest.param("giou", marks=pytest.mark.slow)])
def test_learns_where_single_things_are_and_their_joints(kind: str) -> None:
    """Trained under shifts and flips, which boxes and joints follow; on new pictures, which none of both has seen."""
    torch.manual_seed(0)
    n_keypoints = 2 if kind == "l2" else 0
    net = build("localizer", 3, 3, (32, 32), n_keypoints=n_keypoints, box_loss=kind)
    pictures, truth = blocks(256, seed=0)
    move = build_transforms(AugmentConfig(shift=0.06), (32, 32), (32, 32), train=True)
    assert move is not None
    generator = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=80)
    for _ in range(80):
        rows = torch.randint(0, 256, (32,), generator=generator)
        batch = {
            "image": pictures[rows].contiguous(memory_format=torch.channels_last),
            "boxes_xyxy": truth.boxes_xyxy[rows],
            "box_label": truth.labels[rows],
            "is_crowd": truth.is_crowd[rows],
            "box_area": torch.full((32, 1), 100.0),
            "keypoints": truth.keypoints[rows],
            "valid_hw": torch.full((32, 2), 32),
            "original_hw": torch.full((32, 2), 32),
            "canvas_affine": torch.eye(2, 3).expand(32, 2, 3),
        }
        batch = move(batch, generator)
        seen = Truth.of(batch)
        assert seen is not None
        losses = net.losses(net(batch["image"].float() / 64 - 2), seen)
        optimiser.zero_grad()
        sum(value.mean() for value in losses.values()).backward()
        optimiser.step()
        scheduler.step()
    new, expected = blocks(64, seed=1)
    with torch.inference_mode():
        found = net.eval().found(net(new.float() / 64 - 2), Limits(0.0, 0.5, 1))
    iou = paired_iou(found.boxes_xyxy[:, 0], expected.boxes_xyxy[:, 0])
    guessed = paired_iou(torch.tensor([8.0, 8.0, 24.0, 24.0]), expected.boxes_xyxy[:, 0])
    assert guessed.mean() < 0.35 and iou.mean() > 0.6
    assert (found.labels == expected.labels).float().mean() > 0.95
    if n_keypoints:
        off = (found.keypoints[:, 0, :, :2] - expected.keypoints[:, 0, :, :2]).norm(dim=-1)
        assert off.mean() < 2.0
