"""What the pages on depth claim is what is kept of the runs, and the runs are what they say."""

import json
from functools import cache
from pathlib import Path
from types import ModuleType

import measure_depth
import numpy as np
import pytest
import torch
from write_questions import ARCHITECTURES

KEPT = json.loads(measure_depth.KEPT.read_text(encoding="utf-8"))


@cache
def script(name: str) -> ModuleType:
    return ARCHITECTURES.load(name)


def final(name: str) -> np.ndarray:
    """Training error after the last epoch, by seed."""
    return np.array([run["train_error"][-1] for run in script("degradation").runs(name)])


def test_every_run_is_kept() -> None:
    assert set(KEPT) == {f"{name}-{seed}" for name in measure_depth.NETWORKS for seed in range(measure_depth.SEEDS)}
    assert {len(run["train_error"]) for run in KEPT.values()} == {measure_depth.EPOCHS + 1}


def test_the_deeper_plain_network_trains_worse_and_the_deeper_residual_one_better() -> None:
    """On what they train on, so it is not over-fitting: in every run. On test pictures the plain order is the same."""
    assert (final("plain56") > 2 * final("plain20")).all() and (final("resnet56") < final("resnet20")).all()
    assert final("resnet20").max() < final("plain20").min()
    test = {name: [run["test_error"] for run in script("degradation").runs(name)] for name in measure_depth.NETWORKS}
    assert min(test["plain56"]) > max(test["plain20"])


def test_a_residual_network_does_without_most_blocks_and_a_plain_one_without_none() -> None:
    added = {}
    for name in ("plain20", "resnet20", "resnet56"):
        whole, without = script("leave_a_block_out").errors(name)
        added[name] = {block: float((found - whole).mean()) for block, found in without.items()}
        assert len(added[name]) == {"plain20": 7, "resnet20": 9, "resnet56": 27}[name]
    whole, without = script("leave_a_block_out").errors("plain20")
    assert min(found.min() for found in without.values()) > 0.4 and np.median(list(without.values())) > 0.85
    assert np.median(list(added["resnet56"].values())) < 0.02
    assert sum(value < 0.02 for value in added["resnet56"].values()) > 27 / 2
    assert 0.16 < np.median(list(added["resnet20"].values())) < 0.2
    for name in ("resnet20", "resnet56"):
        assert max(added[name], key=lambda block: added[name][block]) == "layer1.0"
        blocks, values = list(added[name]), list(added[name].values())
        for block in ("layer2.0", "layer3.0"):  # the shape changes
            place = blocks.index(block)
            assert values[place] > max(values[place - 1], values[place + 1])


def test_where_blocks_lie() -> None:
    place = script("leave_a_block_out").place
    assert [place(block, 3) for block in ("layer1.0", "layer2.1", "layer3.2")] == [0.0, 0.5, 1.0]


def test_pictures_are_means_of_four_pixels() -> None:
    images, labels = measure_depth.pictures("train", 50)
    assert images.shape == (50, 1, 14, 14) and labels.shape == (50,)
    assert abs(float(images.mean())) < 0.2 and float(images.std()) == pytest.approx(1, abs=0.1)


def test_a_run_trains_measures_and_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 40 pictures in 40 steps: the same each time, its blocks back in their places."""
    train, test = measure_depth.pictures("train", 40), measure_depth.pictures("test", 20)
    monkeypatch.setattr(measure_depth, "BATCH", 10)
    found, again = (measure_depth.run("resnet20", 1, train, test, epochs=10) for _ in range(2))
    del found["cpu_seconds"], again["cpu_seconds"]
    assert found == again
    assert len(found["train_error"]) == 11 and found["train_error"][-1] < 0.7 < found["train_error"][0]
    assert len(found["left_out"]) == 9 and all(0 <= error <= 1 for error in found["left_out"].values())


def test_the_error_counts_wrong_answers_in_evaluation_mode() -> None:
    """Logits are the pictures themselves; two of four are right, and dropout has no say."""
    images = torch.tensor([[3.0, 1.0], [1.0, 3.0], [3.0, 1.0], [1.0, 3.0]])
    model = torch.nn.Dropout(0.99)
    assert measure_depth.error(model, images, torch.tensor([0, 1, 1, 0])) == 0.5


def test_what_is_kept_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_depth, "KEPT", tmp_path / "measured" / "depth.json")
    assert measure_depth.read() == {}
    runs = {"plain20-1": {"train_error": [0.5]}, "plain20-0": {"train_error": [0.25, 0.125]}}
    measure_depth.keep(runs)
    assert measure_depth.read() == runs
    assert len(measure_depth.KEPT.read_text(encoding="utf-8").splitlines()) == 4  # a line a run
