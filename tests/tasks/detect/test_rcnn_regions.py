"""What R-CNN learns from: regions that are a class's own, background or neither, hard ones, and moves, by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Quiet
from pellucid.models.detect.truth import Truth
from pellucid.ops.boxes.coding import encode_boxes
from pellucid.tasks.detect import fit

PREPROCESS = Preprocess((32, 32), mode="unit")


class Corners(nn.Module):
    """Looks at nothing: its features are the numbers of a region, and the picture it is of."""

    def __init__(self, n_classes: int, n_features: int = 5) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.class_weight, self.class_bias = torch.zeros(n_classes, n_features), torch.zeros(n_classes)
        self.box_weight, self.box_bias = torch.ones(n_classes, 4, n_features), torch.ones(n_classes, 4)
        self.device_of_this = nn.Parameter(torch.zeros(1))

    def features(self, x: Tensor, regions_xyxy: Tensor, picture: Tensor) -> Tensor:
        return torch.cat([regions_xyxy, picture[:, None]], 1)


def facts(n_classes: int) -> DataFacts:
    names = tuple("abc"[:n_classes])
    return DataFacts("detect", "made", names, (1,) * n_classes, PREPROCESS)


def regions(features: list[Any], label: list[int], picture: list[int] | None = None) -> Any:
    n = len(label)
    return fit.Regions(
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(label),
        torch.tensor(label),
        torch.zeros(n, 4),
        torch.tensor(picture or [0] * n),
    )


TRUTH = Truth(
    torch.tensor([[[0.0, 0, 20, 20], [60, 60, 100, 100], [0, 0, 0, 0]]]),
    torch.tensor([[2, 1, -1]]),
    torch.tensor([[False, True, False]]),
    proposals_xyxy=torch.tensor(
        [
            [
                [0.0, 0, 20, 14],  # shares 0.7 with the thing: boxes are learned from it, and no class
                [0, 0, 20, 10],  # 0.5: neither
                [0, 0, 20, 4],  # 0.2: background
                [120, 120, 140, 140],  # nothing is near: background
                [55, 55, 65, 65],  # touches the crowd: neither
                [0, 0, 0, 0],  # no proposal
            ]
        ]
    ),
)


def test_regions_of_a_picture_are_a_class_background_or_neither() -> None:
    """The true box comes first and is its class's own; the crowd's box and empty places do not come at all."""
    net: Any = Corners(3)
    features, label, near, moves, index = fit._of_batch(net, torch.zeros(1, 3, 150, 150), TRUTH, torch.tensor([8]))
    assert TRUTH.proposals_xyxy is not None
    boxes = torch.cat([TRUTH.boxes_xyxy[0, :1], TRUTH.proposals_xyxy[0, :5]])
    assert torch.equal(features[:, :4], boxes)
    assert label.tolist() == [2, -2, -2, -1, -1, -2]
    assert near.tolist() == [2, 2, -1, -1, -1, -1]
    torch.testing.assert_close(moves[:3], encode_boxes(boxes[:1].expand(3, 4), boxes[:3]))
    assert index.tolist() == [8] * 6


def test_features_are_standardised_by_all_regions() -> None:
    net = Corners(3)
    batch = {
        "image": torch.zeros(1, 3, 150, 150, dtype=torch.uint8),
        "boxes_xyxy": TRUTH.boxes_xyxy,
        "box_label": TRUTH.labels,
        "is_crowd": TRUTH.is_crowd,
        "proposals_xyxy": TRUTH.proposals_xyxy,
        "index": torch.tensor([8]),
    }

    class Loader:
        def __len__(self) -> int:
            return 1

        def epoch(self, number: int) -> list[dict[str, Any]]:
            return [batch]

    splits: Any = SimpleNamespace(loader=lambda *_, **__: Loader())
    found, mean, scale = fit._regions(splits, SimpleNamespace(net=net, preprocess=PREPROCESS), Quiet())
    raw = found.features / scale + mean
    assert TRUTH.proposals_xyxy is not None
    torch.testing.assert_close(raw[1:, :4], TRUTH.proposals_xyxy[0, :5], atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(found.features[:, :4].mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.features[:, :4].std(0), torch.ones(4))


def test_background_that_looks_like_a_thing_is_learned_in_a_second_round() -> None:
    """Of 300 regions of background in each of two pictures 12 come first; those like the thing come after them."""
    random = np.random.default_rng(0)
    things = random.normal([3.0, 0.0], 0.1, (40, 2))
    far, alike = random.normal([-3.0, 0.0], 0.1, (570, 2)), random.normal([3.0, 2.0], 0.1, (30, 2))
    ground = np.concatenate([far, alike])[random.permutation(600)]
    given = regions(
        [*things.tolist(), *ground.tolist()], [0] * 40 + [-1] * 600, [0] * 40 + [row % 2 for row in range(600)]
    )
    net: Any = Corners(1, 2)
    seen, hard = fit._fit_classes(net, given, facts(1), 0)
    assert 20 <= hard <= 60 and seen == 40 + 2 * 12 + hard
    scores = given.features @ net.class_weight[0] + net.class_bias[0]
    assert (scores[:40] > 0).all() and (scores[40:] < 0).all()


def test_a_class_without_a_region_is_never_called() -> None:
    net: Any = Corners(3, 2)
    points = [[3.0, 0.0]] * 5 + [[0.0, 3.0]] * 5 + [[-3.0, -3.0]] * 5
    fit._fit_round(net, regions(points, [0] * 5 + [2] * 5 + [-1] * 5), np.arange(15), facts(3))
    scores = torch.tensor(points) @ net.class_weight.T + net.class_bias
    assert (
        (scores > 0) == torch.tensor([[True, False, False]] * 5 + [[False, False, True]] * 5 + [[False] * 3] * 5)
    ).all()
    assert (scores[:, 1] == -1).all()


def test_boxes_are_moved_by_the_plane_through_what_was_seen() -> None:
    """Moves that are a plane over the features are learned as they are; seven regions of a class are too few."""
    generator = torch.Generator().manual_seed(0)
    x = 50 + 20 * torch.randn(40, 5, generator=generator)
    weight, bias = torch.randn(4, 5, generator=generator), torch.randn(4, generator=generator)
    near = torch.tensor([0] * 32 + [1] * 7 + [-1])
    given = fit.Regions(x, near, near, x @ weight.T + bias, torch.zeros(40))
    net: Any = Corners(2)
    assert fit._fit_boxes(net, given) == 32
    torch.testing.assert_close(net.box_weight[0], weight, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(x @ net.box_weight[0].T + net.box_bias[0], given.moves, atol=0.05, rtol=1e-3)
    assert not net.box_weight[1].any() and not net.box_bias[1].any()
    net = Corners(2)
    given = fit.Regions(x[:8], torch.ones(8).long(), torch.ones(8).long(), given.moves[:8], torch.zeros(8))
    assert fit._fit_boxes(net, given) == 8 and net.box_bias[1].any() and not net.box_bias[0].any()
