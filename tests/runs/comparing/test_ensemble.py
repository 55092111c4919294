"""Several runs that answer together."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import QUICK, make_photos

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.core.files import read_lines
from pellucid.metrics.classification import accuracy, confusion_matrix
from pellucid.runs.comparing.ensemble import evaluate_ensemble
from pellucid.runs.run import Run

ELSEWHERE = {"progress": "quiet", **QUICK}


def test_an_ensemble_is_the_mean_of_its_members(photos: Path, tmp_path: Path) -> None:
    other_pictures = make_photos(tmp_path / "more", n=4, seed=1)
    runs = [pellucid.train(photos, out=tmp_path / str(seed), seed=seed, **ELSEWHERE) for seed in (0, 1, 2)]
    found = evaluate_ensemble(runs, other_pictures, progress="quiet")
    each = [torch.tensor(np.stack([_row(result) for result in _predict(run, other_pictures)])) for run in runs]
    mean = (each[0] + each[1] + each[2]) / 3
    torch.testing.assert_close(found.records["probabilities"], mean, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.records["probabilities"].sum(1), torch.ones(12))
    assert found.summary["accuracy"] == accuracy(confusion_matrix(mean, found.records["truth"]))
    assert [member["accuracy"] for member in found.members] == [
        run.evaluate(other_pictures, progress="quiet")["accuracy"] for run in runs
    ]
    # the logarithm is concave, so the mean loses no more than its members on average; so does the square
    assert found.summary["brier"] <= np.mean([member["brier"] for member in found.members]) + 1e-6


def _predict(run: Run, folder: Path) -> list[Any]:
    return run.predict(*sorted(folder.rglob("*.png")))


def _row(result: Any) -> np.ndarray:
    return np.array([probability for _, probability in sorted(result.top)], np.float32)


def test_copies_of_a_run_answer_like_it_and_the_opening_is_logged(finished: Path, tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(finished, tmp_path / name)) for name in ("a", "b")]
    found = evaluate_ensemble(folders, progress="quiet")
    alone = found.members[0]
    assert found.summary["accuracy"] == alone["accuracy"] and found.summary["confusion"] == alone["confusion"]
    assert [len(read_lines(folder / "test_openings.jsonl")) for folder in folders] == [1, 1]


def test_splits_drawn_by_other_seeds_are_refused_before_anything_is_opened(
    photos: Path, finished: Path, tmp_path: Path
) -> None:
    first = Path(shutil.copytree(finished, tmp_path / "first"))
    second = pellucid.train(photos, out=tmp_path / "second", seed=1, **ELSEWHERE)
    with pytest.raises(ConfigError) as caught:
        evaluate_ensemble([first, second], progress="quiet")
    assert str(caught.value) == (
        f"{first} and {second.folder} have other pictures in their test splits, so one was trained on what the other "
        "is measured on. Give other data, or train on data that names its splits, or with the same --split-seed."
    )
    assert not (first / "test_openings.jsonl").exists() and not (second.folder / "test_openings.jsonl").exists()


def test_one_run_is_no_ensemble(finished: Path) -> None:
    for alone in ([finished], str(finished)):
        with pytest.raises(ConfigError) as caught:
            evaluate_ensemble(alone)
        assert str(caught.value) == "An ensemble needs two runs or more. Train again with another --seed."


def test_other_classes_are_refused(finished: Path, tmp_path: Path) -> None:
    two = make_photos(tmp_path / "two")
    shutil.rmtree(two / "red")
    other = pellucid.train(two, out=tmp_path / "run", **ELSEWHERE)
    with pytest.raises(ConfigError) as caught:
        evaluate_ensemble([finished, other.folder])
    assert str(caught.value) == (
        f"Runs of an ensemble must know the same classes in the same order: {finished} has blue, green, red; "
        f"{other.folder} has blue, green."
    )


def test_real_members_of_other_seeds_answer_better_together(tmp_path: Path) -> None:
    """On some handwritten digits, with a split that the seeds share."""
    settings: dict[str, Any] = {**ELSEWHERE, "image_size": "auto", "batch": 16, "epochs": 2, "lr": 3e-3}
    runs = [
        pellucid.train(
            "digits", out=tmp_path / str(seed), seed=seed, split_seed=0, fraction=0.2, augment=False, **settings
        )
        for seed in (0, 1, 2, 3)
    ]
    assert len({run.facts.split_hash for run in runs}) == 1
    found = evaluate_ensemble(runs, split="val", progress="quiet")
    members = [member["accuracy"] for member in found.members]
    assert 0.5 < np.mean(members) < 0.97  # there is room to be better
    assert found.summary["accuracy"] >= np.mean(members)
    assert [row["accuracy"] for row in found.table()] == [*members, found.summary["accuracy"]]
