"""What the one-stage detectors have in common, beyond the battery: any size, zoo backbones, and that they learn."""

import math

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.seed import seed_everything
from pellucid.models.detect import build
from pellucid.models.detect.found import Limits
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.iou import box_iou

NAMES = ("yolo_grid", "yolo", "ssd", "retinanet")
LIMITS = Limits(score=0.0, most=30)


def net_of(name: str, side: int = 64, backbone: str = "") -> nn.Module:
    seed_everything(0)
    return build(name, 3, 3, (side, side), backbone)


def things(boxes: list[list[float]], labels: list[int], crowd: list[bool] | None = None) -> Truth:
    none = torch.zeros(1, len(labels), dtype=torch.bool)
    return Truth(
        torch.tensor([boxes]),
        torch.tensor([labels]),
        none if crowd is None else torch.tensor([crowd], dtype=torch.bool),
    )


def losses(net: nn.Module, x: Tensor, truth: Truth) -> dict[str, Tensor]:
    return net.losses(net(x, truth), truth)  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_any_size(name: str) -> None:
    net = net_of(name).eval()
    for height, width in ((1, 1), (21, 50), (70, 33)):
        x = torch.randn(2, 3, height, width)
        with torch.no_grad():
            found = net.found(net(x), LIMITS)  # type: ignore[operator]
        boxes = found.boxes_xyxy
        assert (boxes >= 0).all()
        assert (boxes[..., 0::2] <= width).all()
        assert (boxes[..., 1::2] <= height).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("backbone", "side"), [("mobilenet_v3_small", 96), ("resnet18", 64)])
def test_networks_of_the_zoo_by_name(name: str, backbone: str, side: int) -> None:
    """resnet18 has its stem for small pictures at 64 px, so that its strides are a quarter of what they are called."""
    if backbone == "resnet18":
        with torch.device("meta"):
            net = build(name, 3, 3, (side, side), backbone)
    else:
        net = net_of(name, side, backbone)
        truth = things([[10, 10, 50, 60]], [1])
        assert all(loss.isfinite().all() for loss in losses(net, torch.randn(1, 3, side, side + 5), truth).values())
    assert any(".layer" in each or "features" in each for each in net.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_a_crowd_is_neither_a_thing_nor_background(name: str) -> None:
    """All of the picture one crowd: no cell is told anything about classes. A place that holds nothing is no crowd."""
    net, x = net_of(name).eval(), torch.randn(1, 3, 64, 64)
    everywhere = [-200.0, -200.0, 300.0, 300.0]
    for loss, value in losses(net, x, things([everywhere], [0], [True])).items():
        assert value.item() == 0, loss
    nothing = losses(net, x, things([[0.0] * 4], [-1], [True]))
    assert sum(value.item() for value in nothing.values()) > 0


@pytest.mark.parametrize("name", NAMES)
def test_each_picture_is_divided_by_what_is_its_own(name: str) -> None:
    """Two things, one, a crowd and nothing: losses of the batch are those of its pictures, one by one."""
    net, x = net_of(name).eval(), torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    one, other, empty = [4.0, 6, 30, 40], [30.0, 20, 60, 60], [0.0] * 4
    every = [
        things([one, other], [0, 2]),
        things([other, empty], [1, -1]),
        things([one, empty], [1, -1], [True, False]),
        things([empty, empty], [-1, -1]),
    ]
    boxes, labels, crowd = (
        torch.cat([getattr(each, name) for each in every]) for name in ("boxes_xyxy", "labels", "is_crowd")
    )
    with torch.no_grad():
        together = losses(net, x, Truth(boxes, labels, crowd))
        for row, alone in enumerate(every):
            for loss, value in losses(net, x[row : row + 1], alone).items():
                torch.testing.assert_close(together[loss][row : row + 1], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["ssd", "retinanet"])
def test_numbers_of_a_place_stay_together(name: str) -> None:
    """Place after place, at each the boxes one after the other, as anchors are listed: maps 4b to 4b + 3 move box b."""
    net = net_of(name).eval()
    moves: list[Tensor] = []
    branch = net.get_submodule("head.regression_head")
    layers = [
        m for m in branch.modules() if isinstance(m, nn.Conv2d) and m.out_channels % 4 == 0 and m.bias is not None
    ]
    for layer in layers:
        layer.register_forward_hook(lambda _, inputs, output: moves.append(output))
    with torch.no_grad():
        outputs = net(torch.randn(2, 3, 64, 48))
    row, column, box = 1, 2, 3
    finest = moves[0]  # (N, 4B, h, w)
    place = (row * finest.shape[3] + column) * (finest.shape[1] // 4) + box
    assert torch.equal(outputs["deltas"][1, place], finest[1, 4 * box : 4 * box + 4, row, column])


@pytest.mark.parametrize("name", NAMES)
def test_learns_one_picture_by_heart(name: str) -> None:
    """AP 1: the surest of what is found are the three things, each where it lies and by its name."""
    seed_everything(0)
    x = 0.3 * torch.randn(1, 3, 48, 48)
    boxes = [[2.0, 4.0, 18.0, 24.0], [24.0, 4.0, 46.0, 20.0], [10.0, 27.0, 34.0, 46.0]]
    for channel, (x1, y1, x2, y2) in enumerate(boxes):
        x[0, channel, int(y1) : int(y2), int(x1) : int(x2)] += 2
    truth = things([*boxes, [0.0] * 4], [0, 1, 2, -1])
    net = net_of(name, 48)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for _ in range(40):
        total = torch.stack(list(losses(net, x, truth).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # statistics of this picture alone, not of the way here
                module.reset_running_stats()
        net(x)
        found = net.eval().found(net(x), LIMITS)  # type: ignore[operator]
    overlap, place = box_iou(torch.tensor(boxes), found.boxes_xyxy[0, :3]).max(1)
    assert (overlap > 0.5).all()
    assert found.labels[0, place].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_first_losses_in_words(name: str) -> None:
    """Of those that theory knows: four cross-entropies of K + 1 equal scores; one error of 1 a cell."""
    known = {"ssd": {"class": 4 * math.log(4)}, "yolo_grid": {"class": 1.0}}.get(name, {})
    with torch.device("meta"):
        net = build(name, 3, 3, (64, 64))
    initial: dict[str, float] = net.initial_losses  # type: ignore[assignment]
    assert {loss: value for loss, value in initial.items() if not math.isnan(value)} == known
