"""R-CNN's network: what it cuts out, and what it makes of machines that are set by hand."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.models.detect.found import Limits
from pellucid.models.detect.rcnn import AROUND, RCNN, SIDE, rcnn
from pellucid.models.detect.truth import Truth


class Mean(nn.Module):
    """A backbone whose only map is the picture itself: features are the mean and the largest value of a channel."""

    notes: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.widths = {1: 3}
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        self.seen.append(x)
        return {1: x}


def scene() -> Tensor:
    """Red on the left, green on the right."""
    x = torch.zeros(1, 3, 40, 80)
    x[:, 0, 10:30, 10:30] = 1
    x[:, 1, 10:30, 50:70] = 1
    return x


BOXES = torch.tensor([[[10.0, 10, 30, 30], [50, 10, 70, 30], [30, 0, 50, 40], [0, 0, 0, 0]]])


def by_hand() -> RCNN:
    """Class 0 is red, class 1 green: machines that read the means."""
    net = RCNN(2, Mean())  # type: ignore[arg-type]
    net.class_weight[0, 0], net.class_weight[1, 1] = 10, 10
    net.class_bias.fill_(-3)
    return net.eval()


def test_a_window_is_cut_with_what_lies_around_it() -> None:
    net = by_hand()
    features = net.features(scene(), BOXES[0, :1], torch.tensor([0]))
    assert net.backbone.seen[0].shape == (1, 3, SIDE, SIDE)
    share = (1 / AROUND) ** 2  # of the window that the square fills
    assert features[0, :3].tolist() == pytest.approx([share, 0, 0], abs=0.02)
    assert features[0, 3:].tolist() == pytest.approx([1, 0, 0], abs=1e-5)


def test_red_and_green_are_told_apart_and_nothing_is_found_elsewhere() -> None:
    net = by_hand()
    outputs = net(scene(), None, BOXES)
    assert outputs["scores"].shape == (1, 4, 2) and not outputs["scores"][0, 3].any()
    found = net.found(outputs, Limits(score=0.9))
    count = int((found.labels[0] >= 0).sum())
    assert count == 2 and {0, 1} == set(found.labels[0, :2].tolist())
    rows = {int(label): box.tolist() for label, box in zip(found.labels[0], found.boxes_xyxy[0], strict=True)}
    assert rows[0] == pytest.approx([10, 10, 30, 30]) and rows[1] == pytest.approx([50, 10, 70, 30])


def test_boxes_move_as_their_class_asks() -> None:
    """A fourth of its width to the right, and twice as high."""
    net = by_hand()
    net.box_bias[0] = torch.tensor([0.25, 0.0, 0.0, torch.log(torch.tensor(2.0))])
    found = net.found(net(scene(), None, BOXES), Limits(score=0.9))
    rows = {int(label): box.tolist() for label, box in zip(found.labels[0], found.boxes_xyxy[0], strict=True)}
    assert rows[0] == pytest.approx([15, 0, 35, 40], abs=1e-4) and rows[1] == pytest.approx([50, 10, 70, 30])


def test_machines_read_features_that_are_shifted_and_scaled_as_in_fitting() -> None:
    net = by_hand()
    plain = net(scene(), None, BOXES)["scores"][0, :3]
    net.feature_mean.fill_(0.25)
    net.feature_scale.fill_(2.0)
    torch.testing.assert_close(net(scene(), None, BOXES)["scores"][0, :3], 2 * (plain + 3 - 10 * 0.25) - 3)


def test_the_loss_is_the_hinge_of_regions_that_are_clear() -> None:
    net = by_hand()
    truth = Truth(BOXES[:, :1], torch.tensor([[0]]), torch.zeros(1, 1, dtype=torch.bool), proposals_xyxy=BOXES)
    outputs = net(scene(), truth)
    scores = outputs["scores"][0]
    signs = torch.tensor([[1.0, -1], [-1, -1], [-1, -1]])  # the first is class 0, the next two are nothing
    expected = (1 - signs * scores[:3]).clamp(min=0).square().sum(1).mean()
    assert float(net.losses(outputs, truth)["class"]) == pytest.approx(float(expected))


def test_machines_that_know_nothing_lose_one_a_class() -> None:
    net = rcnn(5, 3, (64, 64)).eval()
    truth = Truth(BOXES[:, :1], torch.tensor([[0]]), torch.zeros(1, 1, dtype=torch.bool), proposals_xyxy=BOXES)
    assert net.losses(net(scene(), truth), truth)["class"].item() == pytest.approx(5)  # type: ignore[operator]
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_no_regions_are_nothing_found() -> None:
    net = by_hand()
    for given in (None, torch.zeros(1, 3, 4), torch.zeros(1, 0, 4)):
        found = net.found(net(scene(), None, given), Limits())
        assert bool((found.labels == -1).all())


def test_every_region_is_looked_at_once() -> None:
    net = by_hand()
    net(scene(), None, BOXES.repeat(1, 100, 1))
    assert sum(len(seen) for seen in net.backbone.seen) == 300  # the empty ones are not
