"""Leaks stop training before it begins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from doctored import known_scenes, made, prepared, scenes

import pellucid
from pellucid.core.errors import DataError, Interrupted
from pellucid.data.splits import Split, keep_together
from pellucid.doctor.gate import find_leaks, pass_gate

ROLES = np.array(["train"] * 30 + ["val"] * 10)
SHORT = {"model": "mlp", "epochs": 1, "batch": 8, "image_size": "16", "threads": 1, "progress": "quiet"}


def leaking() -> np.ndarray:
    pictures = scenes(40).copy()
    pictures[35] = pictures[3, :, ::-1]
    return pictures


def test_a_leak_stops_training_in_one_line(tmp_path: Path) -> None:
    data = {"images": leaking(), "labels": np.arange(40) % 2, "split": ROLES}
    with pytest.raises(DataError) as stopped:
        pellucid.train(data, out=tmp_path / "run", **SHORT)
    text = str(stopped.value)
    assert "1 pair of copies in two splits (1 mirrored), such as train/3 (train) and val/5 (val)" in text
    assert "--allow-leaks" in text
    assert "\n" not in text
    assert not (tmp_path / "run").exists()
    run = pellucid.train(data, out=tmp_path / "run", allow_leaks=True, **SHORT)
    assert [v.status for v in run.verdicts if v.rule == "leaked-duplicates"] == ["fail"]


@pytest.mark.parametrize("model", ["knn", "svm"])
def test_a_fitted_model_keeps_the_leaks_it_was_allowed(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"images": leaking(), "labels": np.arange(40) % 2, "split": ROLES}
    fitting = {"model": model, "image_size": "16", "threads": 1, "progress": "quiet"}
    with pytest.raises(DataError, match="Nothing was trained, since 1 pair of copies in two splits"):
        pellucid.train(data, out=tmp_path / "run", **fitting)
    run = pellucid.train(data, out=tmp_path / "run", allow_leaks=True, **fitting)
    leaks = [v for v in run.verdicts if v.rule == "leaked-duplicates"]
    assert [v.status for v in leaks] == ["fail"]

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # killed while it fits, and fitted again: the gate's words are not lost
        patched.setattr("pellucid.runs.fit.place_model", killed)
        with pytest.raises(Interrupted):
            pellucid.train(data, out=tmp_path / "again", allow_leaks=True, **fitting)
    again = pellucid.train(data, resume=tmp_path / "again", progress="quiet")
    assert again.verdicts == run.verdicts


def test_groups_that_are_torn_stop_too() -> None:
    source = made(scenes(40), roles=ROLES)
    splits = prepared(source)
    source.groups = np.arange(40) // 4
    assert find_leaks(splits, source)[0][0].verdict.rule == "leaked-groups"
    with pytest.raises(DataError, match="4 of 10 groups lie in more than one split, such as 7: train and val"):
        pass_gate(splits, source)


def test_clean_and_published_sets_pass() -> None:
    assert pass_gate(prepared(made(scenes(40), roles=ROLES)), made(scenes(40))) == []
    known = known_scenes()
    rows = np.r_[0:300, 2_000:2_100]
    assert pass_gate(prepared(known.take(rows)), known) == []
    published = replace(known.take(rows), spec="scenes")
    published.images = np.asarray(published.images).copy()
    published.images[-1] = published.images[0]
    (said,) = pass_gate(prepared(published), published)
    assert said.status == "info"  # one of a hundred and more: the set stays as others measured on it
    assert "published so" in said.evidence


def test_our_own_split_keeps_equal_pictures_on_one_side() -> None:
    pictures = np.concatenate([scenes(75), scenes(5)])
    source = made(pictures, labels=np.r_[np.arange(75) % 2, np.arange(5) % 2])
    splits = prepared(source)
    side = {int(row): role for role in ("train", "val", "test") for row in splits.split.role(role)}
    assert len(side) == 80
    assert all(side[row] == side[75 + row] for row in range(5))
    assert pass_gate(splits, source) == []


def test_what_was_given_stays_and_no_side_is_emptied() -> None:
    split = Split(np.array([0, 1]), np.array([2, 3, 4, 5]), np.array([6, 7]))
    first = np.array([0, 1, 0, 3, 4, 5, 1, 7])
    drawn = keep_together(split, first, np.array([""] * 8))
    assert [drawn.train.tolist(), drawn.val.tolist(), drawn.test.tolist()] == [[0, 1, 2, 6], [3, 4, 5], [7]]
    given = keep_together(split, first, np.array(["", "", "val", "", "", "", "test", ""]))
    assert given is split
    many = np.array([0, 1, 0, 0, 1, 5, 6, 7])  # three of the four of val
    assert keep_together(split, many, np.array([""] * 8)) is split
