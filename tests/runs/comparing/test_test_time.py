"""Several views of a picture: the mean of their softmaxes, and how they are cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess
from pellucid.models.from_batch import FromBatch
from pellucid.runs.comparing.test_time import ManyViews, fifty, mirrored, seen_through, ten
from pellucid.runs.run import Run


class Linear(nn.Module):
    """(N, 3, h, w) -> (N, 4), different for every pixel."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(3 * size[0] * size[1], 4))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"logits": self.net(batch["image"].float() / 255)}


def pictures(n: int, h: int, w: int) -> Tensor:
    return torch.randint(0, 256, (n, 3, h, w), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def views_of(canvas: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    yield torch.stack([canvas[:, :, : size[0], : size[1]], canvas[:, :, -size[0] :, -size[1] :]], 1)
    yield canvas[:, None, :, 1 : 1 + size[0], 1 : 1 + size[1]]


def test_the_softmax_is_the_mean_over_all_views() -> None:
    size, canvas = (6, 5), pictures(3, 8, 7)
    model = Linear(size)
    found = ManyViews(model, views_of, size)({"image": canvas})["logits"].softmax(1)
    cuts = [canvas[:, :, :6, :5], canvas[:, :, 2:, 2:], canvas[:, :, 1:7, 1:6]]
    expected = sum(model({"image": cut})["logits"].softmax(1) for cut in cuts) / 3
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.sum(1), torch.ones(3))


def test_mirrored_is_what_the_setting_of_that_name_gives() -> None:
    """An independent implementation: `FromBatch(mirror=True)`."""
    canvas, sight = pictures(4, 9, 8), Preprocess((9, 8))
    net = Linear((9, 8)).net
    one = ManyViews(FromBatch(net, sight).eval(), mirrored, (9, 8))({"image": canvas})["logits"]
    torch.testing.assert_close(one, FromBatch(net, sight, mirror=True).eval()({"image": canvas})["logits"])


def test_a_canvas_without_room_gets_a_margin() -> None:
    (views,) = ten(pictures(2, 28, 28), (28, 28))
    assert views.shape == (2, 10, 3, 28, 28)
    canvas = pictures(2, 28, 28)
    assert torch.equal(views[:, 4], canvas) and torch.equal(views[:, 9], canvas.flip(3))
    assert torch.equal(views[:, 0, :, 2:, 2:], canvas[:, :, :26, :26])  # 7 % of 28 is 2 pixels
    (tiny,) = ten(pictures(1, 3, 3), (3, 3))
    assert tiny.shape == (1, 10, 3, 3, 3)


def test_a_canvas_with_room_is_cut_as_it_is() -> None:
    canvas = pictures(2, 32, 30)
    (views,) = ten(canvas, (28, 28))
    assert torch.equal(views[:, 0], canvas[:, :, :28, :28]) and torch.equal(views[:, 3], canvas[:, :, 4:, 2:])


def test_fifty_are_ten_at_each_of_five_scales() -> None:
    scales = list(fifty(pictures(1, 32, 32), (28, 28)))
    assert [tuple(views.shape) for views in scales] == [(1, 10, 3, 28, 28)] * 5


def test_what_has_no_views_is_refused(finished: Path) -> None:
    trained = Run(finished).trained
    assert seen_through(trained, "none", "it") is trained
    with pytest.raises(ConfigError, match="Unknown test-time augmentation 'tne'. Did you mean"):
        seen_through(trained, "tne", "it")
