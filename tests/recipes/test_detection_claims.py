"""What the experiments with detectors claim, on smaller numbers."""

from itertools import islice

import numpy as np
import pytest
import torch
from write_questions import DETECTION

from pellucid.data.scenes import stream
from pellucid.data.scenes.labels import objects
from pellucid.ops.boxes.iou import box_iou


def test_max_finds_one_among_others_and_mean_what_is_everywhere() -> None:
    script = DETECTION.load("why_max_over_mean")
    tasks = {task.name: task for task in script.TASKS}
    alone, among = (script.accuracy(tasks[name], 200) for name in ("no other marks", "10 other marks"))
    everywhere = script.accuracy(tasks["faint pluses everywhere, 10% as strong"], 200)
    assert alone["max"] > 0.98 and among["max"] > 0.85
    assert alone["max"] > alone["mean"] + 0.05 and among["max"] > among["mean"] + 0.2
    assert everywhere["mean"] > everywhere["max"] + 0.1


def test_a_maximum_does_not_feel_a_move_and_a_mean_does() -> None:
    found = DETECTION.load("why_max_over_mean").moved()
    assert found["max"] == pytest.approx(1, abs=1e-5) and 0.2 < found["mean"] < 0.7


def test_the_threshold_is_the_best_there_is() -> None:
    """Against all cuts between two answers, tried one by one."""
    script = DETECTION.load("why_max_over_mean")
    rng = np.random.default_rng(0)
    there = rng.random(40) < 0.4
    answers = rng.standard_normal(40) + there
    cuts = np.sort(answers)[:-1] + np.diff(np.sort(answers)) / 2
    best = max(((answers > cut) == there).mean() for cut in cuts)
    assert ((answers > script.threshold(answers, there)) == there).mean() == best


def test_a_filter_of_sum_zero_has_answers_of_mean_zero() -> None:
    """Why a ReLU comes before the mean: of what lies away from the border every weight meets every pixel."""
    script = DETECTION.load("why_max_over_mean")
    x = torch.zeros(1, 1, 32, 32)
    x[:, :, 12:20, 12:20] = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    positive, negative = script.responses(x, 9).sum(), script.responses(-x, 9).sum()
    assert float(positive) == pytest.approx(float(negative), rel=1e-4) and float(positive) > 1


def test_fast_rcnn_looks_once_and_multiplies_less_for_the_same_regions() -> None:
    """Counted, not timed: R-CNN's work grows by a network a region, that of the other by two small layers."""
    script = DETECTION.load("shared_features")
    _, x, regions = script.scene_and_regions(64, 40)
    nets = script.detectors("convnet", 64)
    work = {name: [script.counted(nets[name], x, regions[:, :n]) for n in (10, 40)] for name in ("R-CNN", "RoI Align")}
    looks = {name: [each[0] for each in found] for name, found in work.items()}
    assert looks == {"R-CNN": [10, 40], "RoI Align": [1, 1]}
    a_region = {name: (found[1][1] - found[0][1]) / 30 for name, found in work.items()}
    assert work["R-CNN"][0][1] == 10 * a_region["R-CNN"] > work["RoI Align"][0][1]
    assert a_region["R-CNN"] > 20 * a_region["RoI Align"] > 0


def test_both_have_the_same_network() -> None:
    script = DETECTION.load("shared_features")
    nets = script.detectors("convnet", 64)
    slow, fast = nets["R-CNN"].backbone.state_dict(), nets["RoI Pool"].backbone.body.state_dict()
    assert slow and all(torch.equal(each, fast[name]) for name, each in slow.items())


def test_sharing_changes_no_number() -> None:
    script = DETECTION.load("shared_features")
    _, x, regions = script.scene_and_regions(128, 6)
    nets = script.detectors("convnet", 128)
    assert all(script.one_by_one(nets[name], x, regions) < 1e-4 for name in ("RoI Pool", "RoI Align"))
    shares = script.same_inside(nets["R-CNN"].backbone, x)
    strides = sorted(shares)
    assert 0.5 < shares[strides[0]] < 1 and shares[strides[-1]] == 0
    assert [shares[stride] for stride in strides] == sorted(shares.values(), reverse=True)


def test_reads_are_windows_over_pixels() -> None:
    """By hand: a region of 39 px has a window of 45.4."""
    script = DETECTION.load("shared_features")
    times = script.reads(torch.tensor([[[20.0, 20, 59, 59], [0, 0, 64, 64]]]), 64)
    assert times.min() == 1 and times.max() == 2
    assert (times == 2).any(0).sum() == (times == 2).any(1).sum() == 47  # from 16.8 to 62.2: pixels 16 to 62


def test_windows_lie_in_the_picture_and_recall_rises_to_what_all_boxes_hold() -> None:
    script = DETECTION.load("recall_of_proposals")
    boxes = script.windows()
    assert 1000 < len(boxes) < 2000 and bool((boxes >= 0).all()) and bool((boxes <= script.SIDE + 1e-3).all())
    scenes = list(islice(stream(script.SIDE, "medium", "fashion", "test"), 3))
    best, count, _ = script.measure(lambda scene: boxes, scenes)
    truth = torch.cat([torch.tensor(objects(scene).boxes_xyxy) for scene in scenes])
    overlap = box_iou(truth, boxes)
    assert count == len(boxes) and torch.equal(best[:, -1], overlap[:, : script.NUMBERS[-1]].amax(1))
    assert torch.equal(best[:, 0], overlap[:, :10].amax(1)) and bool((best.diff(dim=1) >= 0).all())


def test_a_hundred_of_selective_search_hold_more_than_a_hundred_others() -> None:
    script = DETECTION.load("recall_of_proposals")
    scenes = list(islice(stream(script.SIDE, "medium", "fashion", "test"), 4))
    hundred = script.NUMBERS.index(100)
    grid = script.windows()
    ways = {
        "searched": script.searched,
        "grid": lambda scene: grid,
        "random": lambda scene: script.random_boxes(1000, 0),
    }
    held = {
        name: float((script.measure(way, scenes)[0][:, hundred] >= 0.5).float().mean()) for name, way in ways.items()
    }
    assert held["searched"] > 0.8 and held["searched"] > max(held["grid"], held["random"]) + 0.3


def test_a_network_learns_to_propose_and_its_lesson_is_repeatable() -> None:
    script = DETECTION.load("recall_of_proposals")
    first, again = (script.trained(2) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    scene = next(stream(script.SIDE, "medium", "fashion", "test"))
    boxes = script.learned(first, scene)
    assert 0 < len(boxes) <= script.NUMBERS[-1] and bool((boxes[:, 2:] > boxes[:, :2]).all())


def test_iou_leaves_what_is_apart_and_its_heirs_fetch_it() -> None:
    script = DETECTION.load("what_iou_losses_see")
    boxes, overlaps = script.paths(script.LOSSES["IoU"], 60)
    apart, overlapping = (list(script.STARTS).index(name) for name in ("apart", "overlapping"))
    assert torch.equal(boxes[0, apart], boxes[-1, apart]) and script.steps_needed(overlaps)[apart] is None
    assert script.steps_needed(overlaps)[overlapping] is not None
    for name in ("GIoU", "DIoU", "CIoU"):
        boxes, _ = script.paths(script.LOSSES[name], 60)
        middle = (boxes[:, apart, :2] + boxes[:, apart, 2:]) / 2
        goal = torch.tensor([80.0, 60.0], dtype=torch.float64)
        away = (middle - goal).norm(dim=1)
        assert bool((away.diff() < 0).all()) and float(away[-1]) < 0.95 * float(away[0])


def test_roi_pool_jumps_by_cells_and_roi_align_follows() -> None:
    script = DETECTION.load("snapping_of_roi_pool")
    moved = {name: script.slide(pool) for name, pool in script.POOLS.items()}
    assert np.allclose(moved["RoI Align"], script.SHIFTS)
    assert moved["RoI Pool"][0] == pytest.approx(0.5)  # cells 4 to 8, both of them: their middle is at 6.5, not at 6
    for name in ("RoI Pool", "RoI Pool, rounded down"):
        jumps = np.diff(moved[name])
        assert set(np.round(jumps, 9)) == {0, 1}
    assert np.allclose(script.SHIFTS[1:][np.diff(moved["RoI Pool"]) > 0.5], [0.5, 1.5, 2.5])
    assert np.allclose(script.SHIFTS[1:][np.diff(moved["RoI Pool, rounded down"]) > 0.5], [1, 2])


def test_rounding_spoils_outlines_of_small_things_most() -> None:
    script = DETECTION.load("snapping_of_roi_pool")
    small, large = (script.regions(size) for size in (32, 256))
    pool, align = (script.POOLS[name] for name in ("RoI Pool", "RoI Align"))
    assert torch.allclose(script.seen(align, small), script.meant(small))
    assert script.mask_iou(pool, small) < script.mask_iou(pool, large) - 0.1
    assert script.mask_iou(pool, large) < script.mask_iou(align, small) == pytest.approx(script.mask_iou(align, large))


def test_mining_keeps_three_for_each_thing_the_worst() -> None:
    script = DETECTION.load("focal_loss_and_the_many")
    logits, targets = torch.linspace(-3, 3, 20, dtype=torch.float64), (torch.arange(20) < 2).double()
    kept = script.mined(logits, targets) > 0
    assert kept.nonzero()[:, 0].tolist() == [0, 1, 14, 15, 16, 17, 18, 19]


def test_gamma_takes_the_pull_from_easy_background_but_not_at_the_start() -> None:
    script = DETECTION.load("focal_loss_and_the_many")
    states = script.states()
    pull = {
        (state, gamma): script.shares(script.LOSSES[f"γ = {gamma}"], *states[state])
        for state in ("fresh, p = 0.5", "half learned")
        for gamma in (0, 2)
    }
    easy = "slope, easy background"
    assert pull["half learned", 0][easy] > 10 * pull["half learned", 2][easy]
    assert pull["half learned", 2]["slope, things"] > 3 * pull["half learned", 0]["slope, things"]
    shares = [pull["fresh, p = 0.5", gamma]["slope, things"] for gamma in (0, 2)]
    assert shares == pytest.approx([0.01, 0.01], abs=1e-3)
    for found in pull.values():
        assert sum(found.values()) == pytest.approx(2)


def test_neighbours_share_what_they_are_asked_to() -> None:
    script = DETECTION.load("suppression_in_a_crowd")
    truth = torch.from_numpy(script.crowd((0.3, 0.3, 0.1), np.random.default_rng(0)))
    overlap = box_iou(truth, truth)
    assert torch.allclose(overlap.diagonal(1), torch.full((script.THINGS - 1,), 0.3, dtype=torch.float64))


def test_in_a_crowd_every_threshold_misses_or_keeps_too_many() -> None:
    script = DETECTION.load("suppression_in_a_crowd")
    found = {t: script.measure(script.WAYS[f"NMS at {t:g}"], script.CASES["crowd"], 20) for t in (0.3, 0.5, 0.6)}
    assert found[0.3]["missed"] > 0.2 and found[0.3]["too many"] < 0.05
    assert found[0.6]["missed"] < 0.02 and found[0.6]["too many"] > 0.5
    assert all(each["missed"] + each["too many"] > 0.1 for each in found.values())
    exact = script.measure(script.WAYS["NMS at 0.6"], script.CASES["crowd, exact boxes"], 20)
    assert exact["missed"] < 0.05 and exact["too many"] < 0.5 * found[0.6]["too many"]
    apart = script.measure(script.WAYS["NMS at 0.3"], script.CASES["apart"], 20)
    assert apart["missed"] < 0.02 and apart["too many"] < 0.05
