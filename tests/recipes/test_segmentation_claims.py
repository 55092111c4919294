"""What the experiments with segmenters claim, on smaller numbers."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from write_questions import SEGMENTATION

from pellucid.nn.geometry import describe


def test_windows_and_one_pass_agree_in_every_pixel() -> None:
    script = SEGMENTATION.load("sliding_window_against_fcn")
    found = script.compare(24)
    assert found["difference"] < 1e-5 * max(1, found["spread"]) and found["agree"] == 1
    assert found["spread"] > 0.1 and found["macs"] > 20


def test_a_halving_keeps_a_fourth_of_the_maps() -> None:
    """Counted by hand for 32 px: ten layers of three maps of 32 channels each; the scores, and those resized."""
    script = SEGMENTATION.load("memory_of_full_resolution")
    counted = {
        halvings: describe(script.FullResolution(11, 3, halvings=halvings), 3, (32, 32)).training_bytes / 4
        for halvings in (0, 1)
    }
    maps = 10 * 3 * 32 + 11
    assert counted[0] == 32 * 32 * (3 + maps)
    assert counted[1] == 32 * 32 * 3 + 16 * 16 * maps + 32 * 32 * 11


def test_what_a_step_holds_is_counted_as_it_is_asked_for_and_given_back() -> None:
    """By hand, of one linear step; then that training keeps two of three maps a layer, and that all is given back."""
    script = SEGMENTATION.load("memory_of_full_resolution")
    held = script.Held()
    with held:
        a = torch.zeros(1000)  # 4,000 bytes
        b = a + 1  # and 4,000
        del a
        c = b.view(10, 100) + 1  # and 4,000, in place of the first; a view is no new memory
        del b
    assert (held.now, held.peak) == (4000, 8000)
    del c
    assert held.now == 0
    script.SIDE = 64
    megabytes, _ = script.step(0)
    one = 32 * 64 * 64 * 4 / 1e6
    assert 20 * one < megabytes < 26 * one


CLASSES = np.array([[1, 1, 0, 2, 2], [1, 1, 1, 0, 2], [0, 0, 0, 0, 0], [2, 1, 2, 0, 3]])
THINGS = np.array([[1, 1, 0, 2, 2], [1, 3, 3, 0, 2], [0, 0, 0, 0, 0], [4, 5, 4, 0, 6]])


def test_pieces_are_not_things() -> None:
    """By hand: things 1 and 3 are one piece of class 1; thing 4 is cut in two by thing 5; so 6 of each, all wrong."""
    script = SEGMENTATION.load("merged_instances")
    counted = script.count(CLASSES, THINGS)
    assert (counted.things, counted.pieces, counted.merged, counted.split) == (6, 6, 2, 1)
    one_class = script.count(np.sign(CLASSES), THINGS)  # 1 and 3 touch 2 at a corner, which counts; 4 and 5
    assert (one_class.things, one_class.pieces, one_class.merged, one_class.split) == (6, 3, 5, 0)
    nothing = script.count(np.zeros((2, 2), dtype=int), np.zeros((2, 2), dtype=int))
    assert (nothing.things, nothing.pieces) == (0, 0)


def test_in_true_class_maps_things_merge_more_when_all_are_of_one_class() -> None:
    script = SEGMENTATION.load("merged_instances")
    script.N = 15
    _, rows, picture = script.experiment()
    merged = {(row[0], row[1]): float(row[4].rstrip("%")) for row in rows}
    assert merged["hard", "one class"] > merged["hard", "ten classes"] and merged["hard", "one class"] > 30
    assert picture.count("<image") == 4


def test_only_the_skips_differ_and_the_lesson_is_the_same() -> None:
    script = SEGMENTATION.load("skips_matter")
    script.SIDE, script.TRAIN, script.TEST, script.STEPS, script.SHOWN = 32, 16, 4, 2, 2
    data = script.pictures()
    assert [tuple(part.shape) for part in data] == [(16, 3, 32, 32), (16, 32, 32), (4, 3, 32, 32), (4, 32, 32)]
    assert float(data[0].mean().abs()) < 0.2 and set(data[1].unique().tolist()) == {0, 1}
    first, again = (script.trained("U-Net", data, 0) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    plain = script.trained("without skips", data, 0)
    assert script.answers(plain, data[2]).shape == (4, 32, 32)
    assert script.drawn(data[2][:2], {"truth": data[3][:2]}).count("<image") == 4


def test_scores_of_the_truth_are_perfect() -> None:
    truth = torch.zeros(2, 16, 16, dtype=torch.int64)
    truth[:, 4:10, 5:12] = 1
    assert SEGMENTATION.load("skips_matter").scores(truth, truth) == [1, 1, 0, 0]
    moved = truth.roll(3, 2)
    iou, outlines, near, away = SEGMENTATION.load("skips_matter").scores(moved, truth)
    assert iou < 0.8 and outlines < 0.8 and near > away


def test_bars_are_thin_and_discs_are_not() -> None:
    """Of every third pixel of a bar's row or column the bar holds six at most along one of the axes."""
    script = SEGMENTATION.load("thirty_two_against_eight")
    x, masks = script.pictures(12, seed=3)
    assert x.shape == (12, 3, 128, 128) and masks.shape == (12, 128, 128)
    again, _ = script.pictures(12, seed=3)
    assert torch.equal(x, again) and {1, 2} <= set(masks.unique().tolist())
    eroded = {k: -nn.functional.max_pool2d(-(masks == k).float()[:, None], 9, 1, 4) for k in (1, 2)}
    assert float(eroded[2].sum()) > 100 and float(eroded[1].sum()) < 0.02 * float((masks == 1).sum())


def test_scores_of_finer_maps_are_all_that_is_added() -> None:
    """What FCN-8s has more is two 1x1 convolutions and two small kernels a class."""
    script = SEGMENTATION.load("thirty_two_against_eight")
    with torch.device("meta"):
        nets = [build(3, 3, (128, 128), backbone=script.BACKBONE) for build in script.NETS.values()]
    counts = [sum(p.numel() for p in net.parameters()) for net in nets]
    assert counts[0] < counts[1] < counts[2] < 1.001 * counts[0]


class Knowing(nn.Module):
    """Answers with the kinds it was told."""

    def __init__(self, kinds: Tensor) -> None:
        super().__init__()
        self.kinds = kinds

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(self.kinds[: len(x)], 5).movedim(3, 1).float()


def test_marks_are_scored_by_size() -> None:
    script = SEGMENTATION.load("hybrid_dilation")
    x, kinds, sizes = script.pictures(40, seed=0)
    assert set(sizes.unique().tolist()) == {0, 3, 6, 9} and bool(((kinds > 0) == (sizes > 0)).all())
    assert script.scores(Knowing(kinds), x, kinds, sizes) == [1, 1, 1]
    blind = kinds.masked_fill(sizes == 3, 0)
    found = script.scores(Knowing(blind), x, kinds, sizes)
    assert found[0] == 0 and found[1:] == [1, 1]


def test_both_stacks_have_one_field_one_cost_and_one_start() -> None:
    script = SEGMENTATION.load("hybrid_dilation")
    hybrid, uniform = (script.network(rates, 0) for rates in script.RATES.values())
    assert all(torch.equal(a, b) for a, b in zip(hybrid.parameters(), uniform.parameters(), strict=True))
    costs = [describe(net, 1, (script.SIDE, script.SIDE)) for net in (hybrid, uniform)]
    assert costs[0].macs == costs[1].macs
    fields = [next(row for row in found.rows if row.name == "head").receptive_field for found in costs]
    assert fields[0] == fields[1] == (27, 27)  # 3 of the first, 2 · (1 + 2 + 3) · 2 of the pairs


@pytest.mark.slow
def test_finer_maps_draw_bars() -> None:
    """A shorter training than the page's."""
    script = SEGMENTATION.load("thirty_two_against_eight")
    script.STEPS, script.TEST = 150, 30
    _, rows, _ = script.experiment()
    bars = {row[0]: float(row[2]) for row in rows}
    assert bars["FCN-8s"] >= bars["FCN-32s"] and bars["FCN-8s"] > 0.2
