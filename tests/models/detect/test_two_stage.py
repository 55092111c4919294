"""Detectors in two stages: how often each stage looks, what they learn, and what they learn nothing from."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.models.detect import BACKBONES, COUNTED, KEYPOINTS, MASKS, PROPOSED, build
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.truth import Truth
from pellucid.models.detect.two_stage import TwoStage
from pellucid.ops.boxes.iou import paired_iou

NAMES = (
    "fast_rcnn",
    "fast_rcnn_align",
    "faster_rcnn",
    "faster_rcnn_plain",
    "rfcn",
    "mask_rcnn",
    "keypoint_rcnn",
)
SIDE, CLASSES, POINTS = 64, 3, 2
STEPS, STEPS_LR = 120, 2e-3
LIMITS = Limits(score=0.05, most=20)


def scene() -> tuple[Tensor, Truth]:
    """Two bright things in the first picture, one in the second, none in the third."""
    boxes = torch.tensor([[[6.0, 8, 30, 40], [36, 20, 60, 44]], [[16, 14, 52, 50], [0] * 4], [[0] * 4, [0] * 4]])
    labels = torch.tensor([[0, 2], [1, -1], [-1, -1]])
    x = 0.1 * torch.randn(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(3, 2, SIDE, SIDE, dtype=torch.bool)
    keypoints = torch.zeros(3, 2, POINTS, 3)
    for n, m in (labels >= 0).nonzero().tolist():
        x1, y1, x2, y2 = (int(value) for value in boxes[n, m])
        x[n, labels[n, m], y1:y2, x1:x2] += 2
        masks[n, m, y1 : (y1 + y2) // 2, x1:x2] = True  # the upper half
        x[n, :, (y1 + y2) // 2 : y2, x1:x2] -= 1
        keypoints[n, m] = torch.tensor([[x1 + 2, y1 + 2, 2], [x2 - 3, y2 - 3, 1]])
    return x, Truth(boxes, labels, torch.zeros(3, 2, dtype=torch.bool), masks, keypoints, near(boxes))


def near(boxes: Tensor) -> Tensor:
    """Proposals: the things themselves, moved a little, and boxes of the background; none in the third picture."""
    moved = torch.cat([boxes + torch.tensor([1.0, -1, 2, 0]), boxes + torch.tensor([-2.0, 2, 1, 1])], 1)
    moved = moved * (boxes.sum(-1) > 0).repeat(1, 2)[..., None]
    rest = torch.tensor([[0.0, 40, 20, 62], [40, 0, 60, 16], [0, 0, 10, 10], [48, 46, 63, 63]]).repeat(3, 1, 1)
    return torch.cat([moved, rest * torch.tensor([1.0, 1, 0])[:, None, None]], 1)


def net_of(name: str, seed: int = 0, side: int = SIDE) -> TwoStage:
    torch.manual_seed(seed)
    net = build(name, CLASSES, 3, (side, side), n_keypoints=POINTS)
    assert isinstance(net, TwoStage)
    return net


def total(losses: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(losses.values())).sum(0).mean()


def found(net: TwoStage, x: Tensor, truth: Truth | None, limits: Limits = LIMITS) -> Found:
    with torch.no_grad():
        return net.found(net.eval()(x, truth), limits)


def names_of(net: TwoStage) -> set[str]:
    return set(net.initial_losses)


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_finite_one_a_picture_and_reach_every_weight(name: str) -> None:
    """Four of them with a first stage; in the third picture nothing is to be found, and it has all of them too."""
    net = net_of(name)
    x, truth = scene()
    torch.manual_seed(1)
    losses = net.train().losses(net(x, truth), truth)
    four = {"objectness", "proposal_box", "class", "box"}
    expected = (four - ({"objectness", "proposal_box"} if name in PROPOSED else set())) | (
        {"mask"} if name in MASKS else {"keypoint"} if name in KEYPOINTS else set()
    )
    assert set(losses) == expected == names_of(net)
    assert all(value.shape == (3,) and value.isfinite().all() for value in losses.values())
    theory = {**net.initial_losses, "mask": math.log(2), "keypoint": math.log(56**2)}
    for loss in losses:
        if not math.isnan(theory[loss]):
            things = losses[loss][:2] if loss in ("mask", "keypoint") or name in PROPOSED else losses[loss]
            assert things.tolist() == pytest.approx([theory[loss]] * len(things), rel=0.05), loss
    assert losses["box"][2] == 0
    total(losses).backward()
    without = [key for key, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()]
    coarse = [key for key in without if key.startswith("backbone.fpn.layer_blocks")]  # fast: no region is as large
    assert [key for key in without if key not in coarse or name not in PROPOSED] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [True, False])
def test_with_nothing_in_any_picture_losses_are_finite_and_have_a_gradient_path(name: str, training: bool) -> None:
    net = net_of(name).train(training)
    x, truth = scene()
    nothing = replace(
        truth,
        boxes_xyxy=torch.zeros(3, 1, 4),
        labels=torch.full((3, 1), -1),
        is_crowd=torch.zeros(3, 1, dtype=torch.bool),
        masks=torch.zeros(3, 1, SIDE, SIDE, dtype=torch.bool),
        keypoints=torch.zeros(3, 1, POINTS, 3),
    )
    losses = net.losses(net(x, nothing), nothing)
    assert set(losses) == names_of(net)
    assert all(value.isfinite().all() and value.requires_grad for value in losses.values())
    assert all(not losses[key].any() for key in losses if key not in ("objectness", "class"))
    total(losses).backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in net.parameters())


def test_no_place_for_things_at_all_is_the_same_as_empty_places() -> None:
    net = net_of("faster_rcnn").eval()
    x, _ = scene()
    empty = Truth(torch.zeros(3, 0, 4), torch.zeros(3, 0).long(), torch.zeros(3, 0, dtype=torch.bool))
    padded = Truth(torch.zeros(3, 2, 4), torch.full((3, 2), -1), torch.zeros(3, 2, dtype=torch.bool))
    with torch.no_grad():
        one, two = net.losses(net(x, empty), empty), net.losses(net(x, padded), padded)
    for key, value in one.items():
        torch.testing.assert_close(value, two[key])


class Counter:
    """Counts calls of a module and rows of what it is given."""

    def __init__(self, module: nn.Module) -> None:
        self.calls = self.rows = 0
        module.register_forward_pre_hook(self)

    def __call__(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.calls += 1
        self.rows += len(inputs[0])


@pytest.mark.parametrize("name", ["fast_rcnn", "faster_rcnn", "mask_rcnn"])
def test_the_first_stage_looks_once_a_picture_and_the_second_once_a_region(name: str) -> None:
    net = net_of(name)
    x, truth = scene()
    first, second = Counter(net.backbone.body), Counter(net.roi_heads.box_head)  # type: ignore[arg-type]
    net.train()
    outputs = net(x, truth)
    assert (first.calls, first.rows) == (1, 3)
    assert second.calls == 1 and second.rows == int((outputs["asked_thing"] >= -1).sum())
    net.eval()
    first.calls = first.rows = second.calls = second.rows = 0
    outputs = net(x, None, truth.proposals_xyxy if name in PROPOSED else None)
    net.found(outputs, LIMITS)
    assert (first.calls, first.rows) == (1, 3)
    assert second.calls == 1 and second.rows == int((outputs["proposal_scores"] >= 0).sum())


def test_maps_of_scores_are_computed_once_a_picture_in_rfcn() -> None:
    net = net_of("rfcn").eval()
    x, _ = scene()
    counter = Counter(net.roi_heads.cls_maps)  # type: ignore[arg-type]
    assert net(x)["proposal_logits"].shape[1] > 10
    assert (counter.calls, counter.rows) == (1, 3)
    assert not any(isinstance(module, nn.Linear) for module in net.modules()), "a region costs no weights"


@pytest.mark.parametrize("name", COUNTED)
def test_the_number_of_proposals_is_a_setting(name: str) -> None:
    """It changes how many regions are judged outside training, and no tensor."""
    x, _ = scene()
    few, usual = build(name, CLASSES, 3, (SIDE, SIDE), n_keypoints=POINTS, n_proposals=5), net_of(name)
    few.load_state_dict(usual.state_dict())
    with torch.no_grad():
        some, all_of_them = few.eval()(x), usual.eval()(x)
    assert some["proposals_xyxy"].shape == (3, 5, 4) and some["proposal_logits"].shape == (3, 5, CLASSES + 1)
    assert all_of_them["proposals_xyxy"].shape == (3, 100, 4)
    torch.testing.assert_close(some["proposals_xyxy"], all_of_them["proposals_xyxy"][:, :5])


@pytest.mark.parametrize("name", ["faster_rcnn", "faster_rcnn_plain"])
@pytest.mark.parametrize("size", [(64, 64), (45, 83)])
def test_proposals_lie_in_the_picture_the_surest_first(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = build(name, CLASSES, 3, size)
    with torch.no_grad():
        for training in (True, False):
            outputs = net.train(training)(torch.randn(2, 3, *size) * 3)
            boxes, scores = outputs["proposals_xyxy"], outputs["proposal_scores"]
            assert boxes.min() >= 0 and boxes[..., 0::2].max() <= size[1] and boxes[..., 1::2].max() <= size[0]
            assert (scores.diff(dim=1) <= 0).all()
            there = scores >= 0
            assert there.any(1).all() and not boxes[~there].any()
            assert (boxes[there][:, 2:] > boxes[there][:, :2]).all()
            assert outputs["objectness"].shape[1] == len(outputs["anchors"])
            assert outputs["proposal_deltas"].shape == (*outputs["objectness"].shape, 4)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_equals_its_pictures_one_by_one(name: str) -> None:
    net = net_of(name).eval()
    x, truth = scene()
    with torch.no_grad():
        together = net(x, truth)
        losses, things = net.losses(together, truth), net.found(together, LIMITS)
        for n in range(3):
            one = Truth(**{key: value[n : n + 1] for key, value in vars(truth).items()})
            alone = net(x[n : n + 1], one)
            for key, value in net.losses(alone, one).items():
                torch.testing.assert_close(value, losses[key][n : n + 1], rtol=1e-4, atol=1e-5)
            for key, value in net.found(alone, LIMITS).outputs().items():
                torch.testing.assert_close(value, things.outputs()[key][n : n + 1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_asks_the_same_regions_each_time_and_truth_changes_nothing_found(name: str) -> None:
    net = net_of(name).eval()
    x, truth = scene()
    with torch.no_grad():
        first = net.losses(net(x, truth), truth)
        torch.rand(7)  # the state of chance does not matter
        second = net.losses(net(x, truth), truth)
        proposals = truth.proposals_xyxy if name in PROPOSED else None
        told, untold = net.found(net(x, truth), LIMITS), net.found(net(x, None, proposals), LIMITS)
    assert all(torch.equal(value, second[key]) for key, value in first.items())
    for key, value in told.outputs().items():
        torch.testing.assert_close(value, untold.outputs()[key], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["mask_rcnn", "keypoint_rcnn"])
def test_outlines_and_keypoints_may_be_read_in_low_precision(name: str) -> None:
    """Then convolutions are; boxes and scores keep their bits, and the rest its dtype and nearly its value."""
    net = net_of(name).eval()
    outputs = net(scene()[0])
    exact = net.found(outputs, LIMITS)
    head = net.roi_heads.mask_head if name == "mask_rcnn" else net.roi_heads.keypoint_head
    dtypes: list[torch.dtype] = []
    head.register_forward_hook(lambda _, __, out: dtypes.append(out.dtype))  # type: ignore[union-attr]
    with torch.autocast("cpu", torch.bfloat16):
        low = net.found(outputs, LIMITS)
    assert dtypes == [torch.bfloat16] and (low.labels >= 0).any()
    for field in ("boxes_xyxy", "scores", "labels"):
        assert torch.equal(getattr(low, field), getattr(exact, field))
    mine, theirs = (low.masks, exact.masks) if name == "mask_rcnn" else (low.keypoints, exact.keypoints)
    assert mine is not None and theirs is not None and mine.dtype == theirs.dtype == torch.float32
    if name == "mask_rcnn":
        torch.testing.assert_close(mine, theirs, atol=0.02, rtol=0)


def test_training_asks_at_random_from_the_global_generator() -> None:
    net = net_of("faster_rcnn").train()
    x, truth = scene()
    asked = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        asked.append(net(x, truth)["asked_xyxy"])
    assert torch.equal(asked[0], asked[1]) and not torch.equal(asked[0], asked[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_one_scene_is_learned_by_heart(name: str) -> None:
    """Every thing is found in its class and place, nothing else is sure, and the picture without things stays empty."""
    net = net_of(name)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.3  # the running statistics are to follow in few steps
    x, truth = scene()
    optimiser = torch.optim.AdamW(net.parameters(), lr=STEPS_LR)
    torch.manual_seed(3)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = STEPS_LR * min(1.0, 2 * (1 - step / STEPS))
        loss = total(net.train().losses(net(x, truth), truth))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    things = found(net, x, truth, Limits(score=0.5, most=5))
    for n in range(3):
        wanted = truth.labels[n] >= 0
        assert sorted(things.labels[n][things.labels[n] >= 0].tolist()) == truth.labels[n][wanted].tolist()
        for m in wanted.nonzero()[:, 0].tolist():
            at = (things.labels[n] == truth.labels[n, m]).nonzero()[0]
            assert paired_iou(things.boxes_xyxy[n, at], truth.boxes_xyxy[n, m : m + 1]) > 0.6
            if things.masks is not None:  # the upper half
                assert things.masks[n, at[0], :12].mean() > 0.7 and things.masks[n, at[0], 16:].mean() < 0.3
            if things.keypoints is not None and truth.keypoints is not None:
                apart = (things.keypoints[n, at[0], :, :2] - truth.keypoints[n, m, :, :2]).abs()
                assert apart.max() < 6


def test_nothing_is_learned_from_a_crowd() -> None:
    """A picture full of crowd asks no region and no anchor to be background; one beside it does."""
    net = net_of("faster_rcnn").train()
    x, _ = scene()
    crowd = Truth(
        torch.tensor([[[0.0, 0, SIDE, SIDE]]]).repeat(3, 1, 1),
        torch.zeros(3, 1, dtype=torch.int64),
        torch.tensor([[True], [False], [True]]),
    )
    outputs = net(x, crowd)
    losses = net.losses(outputs, crowd)
    assert (outputs["asked_thing"][0] == -2).all() and (outputs["asked_thing"][1] >= 0).any()
    assert losses["class"][0] == losses["box"][0] == losses["proposal_box"][0] == 0
    assert losses["class"][1] > 0
    inside = outputs["anchors"]
    lies_in = (inside.clamp(0, SIDE)[:, 2:] - inside.clamp(0, SIDE)[:, :2]).prod(1) > 0.5 * (
        inside[:, 2:] - inside[:, :2]
    ).prod(1)
    total(losses).backward()
    assert lies_in.any() and losses["objectness"][0] >= 0


ZOO = [
    "convnet",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("resnet18", "vgg11_bn", "efficientnet_lite0")),
]


@pytest.mark.parametrize(
    ("name", "backbone"),
    [
        *(("faster_rcnn", each) for each in ("resnet18", "vgg11_bn", "efficientnet_lite0", "mobilenet_v2", "convnet")),
        ("faster_rcnn_plain", "resnet18"),
        ("faster_rcnn_plain", "efficientnet_lite0"),
    ],
)
def test_finds_maps_in_networks_of_the_zoo(name: str, backbone: str) -> None:
    """At a usual size and at a small one, for which the zoo has finer stems."""
    for size in ((160, 96), (48, 48)):
        with torch.device("meta"):
            net = build(name, 5, 3, size, backbone)
        assert name in BACKBONES and isinstance(net, TwoStage)
        strides = net.backbone.strides
        assert (min(strides) >= 4 or len(strides) == 1) and set(net.backbone.pooled) <= set(strides)


@pytest.mark.parametrize("backbone", ZOO)
@pytest.mark.parametrize("name", ["faster_rcnn", "faster_rcnn_plain"])
def test_uses_every_weight_of_networks_of_the_zoo(name: str, backbone: str) -> None:
    torch.manual_seed(0)
    net = build(name, CLASSES, 3, (SIDE, SIDE), backbone)
    assert isinstance(net, TwoStage)
    x, truth = scene()
    total(net.losses(net(x, truth), truth)).backward()
    assert [key for key, weight in net.named_parameters() if weight.grad is None] == []


def test_what_a_thing_is_without_its_proposals_is_said_in_words() -> None:
    x, truth = scene()
    with pytest.raises(DataError, match="only at regions that it is given.*no proposals_xyxy.*faster_rcnn"):
        net_of("fast_rcnn")(x)
    for name, what in (("mask_rcnn", "outlines"), ("keypoint_rcnn", "keypoints")):
        net = net_of(name)
        bare = replace(truth, masks=None, keypoints=None)
        with pytest.raises(DataError, match=f"learns {what}, and the data has none"):
            net.losses(net(x, bare), bare)
    with pytest.raises(ConfigError, match="n_keypoints must be 1 or more"):
        build("keypoint_rcnn", 3, 3, (64, 64))
