"""Windows all over a picture: where they lie, and what is learned from them."""

import math
import sys
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pellucid.models.detect.found import Limits
from pellucid.models.detect.sliding_window import SlidingWindow, sliding_window, windows
from pellucid.models.detect.truth import Truth


def truth_of(boxes: list[list[float]], labels: list[int], crowd: list[bool] | None = None) -> Truth:
    """One picture."""
    marks = torch.tensor([crowd or [False] * len(labels)])
    return Truth(torch.tensor([boxes]), torch.tensor([labels]), marks)


def test_windows_are_counted_by_hand() -> None:
    """Of 64 px: windows of 32 start at 0, 8, 16, 24, 32 each way; those of 16 at 0, 4, ..., 48."""
    assert len(windows((64, 64), (0.5,), (1.0,))) == 5 * 5
    assert len(windows((64, 64), (0.25,), (1.0,))) == 13 * 13
    found = windows((64, 64), (0.5,), (1.0,))
    assert found[0].tolist() == [0, 0, 32, 32] and found[-1].tolist() == [32, 32, 64, 64]
    assert found[1].tolist() == [8, 0, 40, 32]


@pytest.mark.parametrize("size_hw", [(64, 64), (33, 97), (100, 41)])
def test_windows_reach_every_border_and_nothing_beyond(size_hw: tuple[int, int]) -> None:
    found = windows(size_hw)
    assert found.min() >= 0 and found[:, 2].max() <= size_hw[1] + 1e-4 and found[:, 3].max() <= size_hw[0] + 1e-4
    assert found[:, 2].max() == pytest.approx(size_hw[1]) and found[:, 3].max() == pytest.approx(size_hw[0])
    sides = found[:, 2:] - found[:, :2]
    assert {round(float(h / w), 2) for w, h in sides} == {0.5, 1.0, 2.0}


def test_a_shape_that_does_not_fit_is_cut_to_the_picture() -> None:
    found = windows((20, 100), (0.9,), (2.0,))
    assert float((found[:, 3] - found[:, 1]).max()) == pytest.approx(20)


class Square(nn.Module):
    """Says class 1 by how bright a window is, and background else."""

    def forward(self, x: Tensor) -> Tensor:
        bright = x.mean((1, 2, 3))
        return torch.stack([5 - 10 * bright, -20 + 0 * bright, 10 * bright - 5], 1)


def test_the_window_on_a_bright_square_is_found() -> None:
    x = torch.zeros(1, 3, 64, 64)
    x[:, :, 16:48, 8:40] = 1
    net = SlidingWindow(2, Square(), (64, 64)).eval()
    outputs = net(x)
    found = net.found(outputs, Limits(score=0.9, iou=0.3))
    best = found.boxes_xyxy[0, 0]
    assert found.labels[0, 0] == 1 and found.scores[0, 0] > 0.99
    assert best[0] >= 7 and best[1] >= 15 and best[2] <= 41 and best[3] <= 49  # wholly in the square
    assert len(outputs["windows"][0]) == outputs["logits"].shape[1] == len(windows((64, 64)))


def test_losses_are_those_of_windows_that_were_asked() -> None:
    torch.manual_seed(0)
    net = sliding_window(3, 3, (64, 64))
    x = torch.randn(1, 3, 64, 64)
    truth = truth_of([[4.0, 4.0, 36.0, 36.0]], [2])
    outputs = net(x, truth)
    labels = outputs["asked_label"][0]
    assert set(labels.tolist()) <= {0, 3} and (labels == 3).any() and (labels == 0).any()
    by_hand = nn.functional.cross_entropy(outputs["asked_logits"][0], labels)
    assert float(net.losses(outputs, truth)["class"].detach()) == pytest.approx(float(by_hand.detach()), abs=1e-6)
    assert net.initial_losses == {"class": math.log(4)}


def test_nothing_to_find_is_background_and_a_crowd_is_neither() -> None:
    torch.manual_seed(0)
    net = sliding_window(2, 1, (48, 48))
    x = torch.randn(1, 1, 48, 48)
    nothing = truth_of([[0.0] * 4], [-1])
    outputs = net(x, nothing)
    assert set(outputs["asked_label"][0].tolist()) == {0}
    loss = net.losses(outputs, nothing)["class"]
    loss.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())
    crowded = truth_of([[0.0, 0.0, 48.0, 48.0]], [1], [True])
    outputs = net(x, crowded)
    assert set(outputs["asked_label"][0].tolist()) == {-1}  # every window lies in the crowd
    nothing = net.losses(outputs, crowded)["class"].sum()
    grads = torch.autograd.grad(nothing, list(net.parameters()))
    assert float(nothing.detach()) == 0 and all(grad.eq(0).all() for grad in grads)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of one size, a fifth of all."""
    monkeypatch.setattr(sys.modules[SlidingWindow.__module__], "windows", partial(windows, shares=(1 / 3,)))


def test_what_is_asked_is_drawn_in_training_and_fixed_after_it(few: None) -> None:
    net = sliding_window(2, 3, (48, 48))
    x, truth = torch.randn(1, 3, 48, 48), truth_of([[10.0, 10.0, 30.0, 30.0]], [0])
    net.eval()
    with torch.no_grad():
        first, again = (net(x, truth)["asked_logits"] for _ in range(2))
    assert torch.equal(first, again)


def test_it_learns_one_picture(few: None) -> None:
    torch.manual_seed(0)
    x = torch.zeros(1, 3, 48, 48)
    x[:, 0, 8:24, 8:24], x[:, 1, 28:44, 24:40] = 2, 2
    truth = truth_of([[8.0, 8.0, 24.0, 24.0], [24.0, 28.0, 40.0, 44.0]], [0, 1])
    net = sliding_window(2, 3, (48, 48))
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    for _ in range(25):
        loss = net.losses(net(x, truth), truth)["class"].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        found = net.eval().found(net(x), Limits(score=0.5))
    assert {0, 1} == set(found.labels[found.scores > 0].tolist())


def test_how_many_windows_there_are_is_told() -> None:
    assert sliding_window(2, 3, (64, 64)).notes == (
        f"{len(windows((64, 64))):,} windows of each picture are classified, one by one",
    )
