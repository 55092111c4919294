"""RetinaNet's anchors, its loss by hand, and its names against torchvision's list."""

import pytest
import torch

from pellucid.models.backbones import backbone
from pellucid.models.detect import build
from pellucid.models.detect.retinanet import OCTAVE, PyramidBackbone, RetinaNet
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.coding import encode_boxes
from pellucid.ops.boxes.iou import box_iou
from pellucid.ops.losses.sigmoid_focal import sigmoid_focal_loss


def test_names_are_torchvision_s() -> None:
    """Tensors of the published network as its state dict lists them."""
    with torch.device("meta"):
        body = backbone("resnet50", 3, (800, 800))
        net = RetinaNet(90, PyramidBackbone(body, 8, 256, norm=False), published=True)  # and one that means nothing
    shapes = {name: tuple(each.shape) for name, each in net.state_dict().items()}
    branches = {"classification_head": "cls_logits", "regression_head": "bbox_reg"}
    expected = {"backbone.body.layer4.2.conv3.weight": (2048, 512, 1, 1)}
    for level, width in enumerate((512, 1024, 2048)):
        expected[f"backbone.fpn.inner_blocks.{level}.0.weight"] = (256, width, 1, 1)
        expected[f"backbone.fpn.layer_blocks.{level}.0.bias"] = (256,)
    for level in (6, 7):
        expected[f"backbone.fpn.extra_blocks.p{level}.weight"] = (256, 256, 3, 3)
    for (branch, last), numbers in zip(branches.items(), (9 * 91, 9 * 4), strict=True):
        expected |= {f"head.{branch}.conv.{i}.0.weight": (256, 256, 3, 3) for i in range(4)}
        expected[f"head.{branch}.{last}.weight"] = (numbers, 256, 3, 3)
    assert {name: shapes.get(name) for name in expected} == expected
    assert sum(p.numel() for p in net.parameters()) - _norms(net) == 34_014_999, "parameters of the published network"


def _norms(net: torch.nn.Module) -> int:
    """Weights of norms, which the published network keeps as constants."""
    kinds = torch.nn.BatchNorm2d
    return sum(p.numel() for m in net.modules() if isinstance(m, kinds) for p in m.parameters())


def test_nine_anchors_a_cell_from_two_cells_on() -> None:
    net = build("retinanet", 2, 3, (128, 128)).eval()
    with torch.no_grad():
        anchors = net(torch.zeros(1, 3, 128, 128))["anchors"]
    assert len(anchors) == 9 * (16**2 + 8**2 + 4**2 + 2**2)
    size = anchors[:9, 2:] - anchors[:9, :2]
    assert torch.allclose(size.prod(1).sqrt(), torch.tensor([16 * each for each in OCTAVE] * 3))
    assert torch.allclose(size[:, 1] / size[:, 0], torch.tensor([0.5, 1, 2]).repeat_interleave(3))
    assert torch.allclose((anchors[:9, :2] + anchors[:9, 2:]) / 2, torch.tensor(4.0), atol=1e-5)


def test_losses_by_hand() -> None:
    """Anchors between 0.4 and 0.5 do not count, and the divisor is the number of those with a thing."""
    net = build("retinanet", 2, 3, (64, 64)).eval()
    with torch.no_grad():
        outputs = net(torch.zeros(1, 3, 64, 64))
    outputs["logits"] = torch.randn(outputs["logits"].shape, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([[[10.0, 12, 31, 40]]])
    truth = Truth(box, torch.tensor([[1]]), torch.zeros(1, 1, dtype=torch.bool))
    overlap = box_iou(outputs["anchors"], box[0])[:, 0]
    positive, between = overlap >= 0.5, (overlap >= 0.4) & (overlap < 0.5)
    assert positive.any()
    assert between.any()
    wanted = torch.stack([torch.zeros_like(overlap), positive.float()], 1)
    focal = sigmoid_focal_loss(outputs["logits"][0], wanted)[~between].sum() / positive.sum()
    given = net.losses(outputs, truth)  # type: ignore[operator]
    torch.testing.assert_close(given["class"], focal[None])
    outputs["deltas"] = torch.zeros_like(outputs["deltas"], requires_grad=True)
    loss = net.losses(outputs, truth)["box"]  # type: ignore[operator]
    moves = encode_boxes(box[0].expand(int(positive.sum()), 4), outputs["anchors"][positive]).abs()
    bent = torch.where(moves < 1 / 9, 4.5 * moves.square(), moves - 1 / 18)
    torch.testing.assert_close(loss, bent.sum()[None] / positive.sum())
    loss.sum().backward()
    learned = outputs["deltas"].grad[0].abs().sum(1) > 0
    assert torch.equal(learned, positive), "boxes are learned from the anchors with a thing, and from no other"


def test_a_needle_is_learned_by_the_anchor_that_overlaps_it_most() -> None:
    net = build("retinanet", 2, 3, (64, 64)).eval()
    needle = torch.tensor([[[3.0, 10, 60, 11]]])
    with torch.no_grad():
        outputs = net(torch.zeros(1, 3, 64, 64))
    overlap = box_iou(outputs["anchors"], needle[0])[:, 0]
    assert overlap.max() < 0.4
    outputs["deltas"] = torch.full_like(outputs["deltas"], 9.0).requires_grad_()
    truth = Truth(needle, torch.tensor([[0]]), torch.zeros(1, 1, dtype=torch.bool))
    net.losses(outputs, truth)["box"].sum().backward()  # type: ignore[operator]
    assert torch.equal(outputs["deltas"].grad[0].any(1), overlap == overlap.max())


def test_scores_start_at_the_prior() -> None:
    net = build("retinanet", 5, 3, (64, 64)).eval()
    with torch.no_grad():
        scores = net(torch.randn(1, 3, 64, 64))["logits"].sigmoid()
    assert scores.mean().item() == pytest.approx(0.01, rel=0.2)
