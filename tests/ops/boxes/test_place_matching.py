"""Which place learns which thing, against loops over places; and which of them are chosen."""

import math

import pytest
import torch
from torch import Tensor

from pellucid.ops.boxes.match import IGNORED, NEGATIVE, give_each_its_best, match_by_iou, sample_balanced


def overlaps(A: int, M: int, seed: int) -> Tensor:
    """Coarse numbers, so that many are equal."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(A, M, generator=generator) ** 2 * 10).round() / 10


def by_definition(iou: list[list[float]], low: float, high: float, force_best: bool) -> list[int]:
    """Place by place, and then thing by thing."""
    best = [max(range(len(row)), key=lambda m: (row[m], -m)) for row in iou]
    result = []
    for row, m in zip(iou, best, strict=True):
        result.append(NEGATIVE if row[m] < low else IGNORED if row[m] < high else m)
    if force_best:
        for m in range(len(iou[0])):
            most = max(row[m] for row in iou)
            for place, row in enumerate(iou):
                if row[m] == most and most > 0:
                    result[place] = best[place]
    return result


@pytest.mark.parametrize("force_best", [False, True])
@pytest.mark.parametrize(("low", "high"), [(0.3, 0.7), (0.5, 0.5), (0.0, 0.0), (0.4, 1.0)])
@pytest.mark.parametrize(("A", "M"), [(40, 3), (5, 9), (1, 1), (200, 1)])
def test_is_the_definition(A: int, M: int, low: float, high: float, force_best: bool) -> None:
    batch = torch.stack([overlaps(A, M, seed) for seed in range(4)])
    got = match_by_iou(batch, low, high, force_best)
    assert got.dtype == torch.int64
    # through tensors, so that thresholds are rounded as overlaps are
    low, high = (float(torch.tensor(each)) for each in (low, high))
    assert got.tolist() == [by_definition(iou.tolist(), low, high, force_best) for iou in batch]


def test_by_hand() -> None:
    iou = torch.tensor([[0.8, 0.1], [0.5, 0.0], [0.1, 0.2], [0.0, 0.2], [0.7, 0.7], [0.3, 0.0], [0.29, 0.0]])
    assert match_by_iou(iou, 0.3, 0.7).tolist() == [0, -2, -1, -1, 0, -2, -1]
    weak = iou * torch.tensor([1.0, 0.2])  # the second thing is nowhere more than 0.14
    assert match_by_iou(weak, 0.3, 0.7, force_best=True).tolist() == [0, -2, -1, -1, 0, -2, -1]
    alone = torch.tensor([[0.1, 0.9], [0.2, 0.1], [0.2, 0.3]])
    # places 1 and 2 are the best of thing 0, both of them; place 2 keeps thing 1, which it overlaps more
    assert match_by_iou(alone, 0.5, 0.5, force_best=True).tolist() == [1, 0, 1]
    assert give_each_its_best(match_by_iou(alone, 0.5, 0.5), alone).tolist() == [1, 0, -1]


def test_things_that_nothing_overlaps_and_no_things_match_nothing() -> None:
    iou = torch.zeros(4, 2)  # places for things that hold none look like this
    iou[1, 0] = 0.1
    assert match_by_iou(iou, 0.3, 0.7, force_best=True).tolist() == [-1, 0, -1, -1]
    assert give_each_its_best(match_by_iou(iou, 0.3, 0.7), iou).tolist() == [-1, 0, -1, -1]
    for shape in ((4, 0), (2, 4, 0), (0, 3), (2, 0, 3), (0, 0)):
        empty = torch.zeros(shape)
        matched = match_by_iou(empty, 0.3, 0.7, force_best=True)
        assert matched.shape == shape[:-1] and (matched == NEGATIVE).all()
        assert torch.equal(give_each_its_best(matched, empty), matched)


def test_what_is_no_number_overlaps_nothing() -> None:
    iou = torch.tensor([[math.nan, 0.0], [0.8, math.nan]])
    assert match_by_iou(iou, 0.3, 0.7, force_best=True).tolist() == [-1, 0]


def test_of_two_things_with_one_best_place_the_later_has_it() -> None:
    iou = torch.tensor([[0.4, 0.4], [0.1, 0.3]])
    assert give_each_its_best(match_by_iou(iou, 0.5, 0.5), iou).tolist() == [1, -1]
    batch = torch.stack([iou, iou.flip(1)])
    assert give_each_its_best(match_by_iou(batch, 0.5, 0.5), batch).tolist() == [[1, -1], [1, -1]]


@pytest.mark.parametrize("at_random", [True, False])
@pytest.mark.parametrize(
    ("positives", "negatives", "expected"),
    [(100, 300, (16, 48)), (5, 300, (5, 59)), (100, 10, (16, 10)), (0, 300, (0, 64)), (0, 0, (0, 0)), (3, 4, (3, 4))],
)
def test_how_many_are_chosen(positives: int, negatives: int, expected: tuple[int, int], at_random: bool) -> None:
    matched = torch.cat([torch.arange(positives) % 4, torch.full((negatives,), NEGATIVE), torch.full((50,), IGNORED)])
    matched = torch.stack([matched, matched.flip(0)])
    chosen, against = sample_balanced(matched, 64, 0.25, at_random=at_random)
    assert (chosen.sum(1).tolist(), against.sum(1).tolist()) == ([expected[0]] * 2, [expected[1]] * 2)
    assert (matched[chosen] >= 0).all() and (matched[against] == NEGATIVE).all()


def test_random_choices_follow_the_seed_and_fixed_ones_do_not() -> None:
    matched = torch.full((1000,), NEGATIVE)

    def choose(seed: int, at_random: bool) -> list[int]:
        torch.manual_seed(seed)
        return sample_balanced(matched, 50, 0.5, at_random=at_random)[1].nonzero()[:, 0].tolist()

    assert choose(1, True) == choose(1, True) != choose(2, True)
    fixed = choose(1, False)
    assert fixed == choose(2, False)
    gaps = torch.tensor([*fixed, 1000 + fixed[0]]).diff()
    assert gaps.max() <= 60 and gaps[:-1].min() >= 5  # spread over all places: evenly it would be 20


def test_every_place_has_the_same_chance() -> None:
    torch.manual_seed(0)
    matched = torch.full((2000, 40), NEGATIVE)
    share = sample_balanced(matched, 10, 0.5, at_random=True)[1].float().mean(0)
    assert (share - 0.25).abs().max() < 5 * math.sqrt(0.25 * 0.75 / 2000)
