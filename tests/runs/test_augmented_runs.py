"""Runs with mixed pictures and with a policy: they train, keep what they need, and resume to the bit."""

import re
from pathlib import Path

import numpy as np
import pytest
from small_runs import QUICK, arrays, make_scenes, outcome

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.training import loop

POLICY = """
[[step]]
name = "affine"
p = 0.5
[[step]]
name = "radial"
[[step]]
name = "cutmix"
p = 0.7
"""


class Killed(BaseException):
    """Ends a run in this process as a kill would."""


def test_a_policy_run_resumes_to_the_bit_without_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, settings = tmp_path / "policy.toml", {**QUICK, "image_size": "8", "save_seconds": 0.0, "progress": "quiet"}
    policy.write_text(POLICY)
    straight = pellucid.train(arrays(), out=tmp_path / "straight", policy=str(policy), **settings)
    again = pellucid.train(arrays(), out=tmp_path / "again", policy=str(policy), **settings)
    assert outcome(straight.folder) == outcome(again.folder)
    policy.unlink()
    assert "name = 'cutmix'" in (straight.folder / "config.toml").read_text()
    rerun = pellucid.train(arrays(), out=tmp_path / "rerun", config=straight.folder / "config.toml", progress="quiet")
    assert outcome(rerun.folder) == outcome(straight.folder)
    with monkeypatch.context() as patch:
        save = loop.checkpoint.save

        def save_and_stop(where: Path, at: int, state: dict[str, object]) -> Path:
            path = save(where, at, state)
            if at == 2:
                raise Killed
            return path

        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Killed):
            pellucid.train(arrays(), out=tmp_path / "killed", config=straight.folder / "config.toml", progress="quiet")
    config = tmp_path / "killed" / "config.toml"
    assert "name = 'cutmix'" in config.read_text()
    resumed = pellucid.train(resume=tmp_path / "killed", data=arrays(), progress="quiet")
    expected, found = outcome(straight.folder), outcome(resumed.folder)
    for name in ("model.safetensors", "metrics.jsonl"):
        assert found[name] == expected[name]


@pytest.mark.parametrize("changes", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0, "erase": 0.5}])
def test_mixed_runs_learn_and_their_numbers_are_those_of_whole_pictures(tmp_path: Path, changes: dict) -> None:  # type: ignore[type-arg]
    """Dark or bright is learned from mixtures too; validation sees none, so its accuracy is of plain labels."""
    settings = {**QUICK, "image_size": "8", "epochs": 8, "lr": 0.01, "flip": 0.0, "shift": 0.0, "progress": "quiet"}
    run = pellucid.train(arrays(60), out=tmp_path / "run", **settings, **changes)
    assert run.evaluate(split="val", progress="quiet")["accuracy"] >= 0.9
    assert all(np.isfinite(record["train_loss"]) for record in run.history)


def test_unlabelled_pictures_and_mixing(tmp_path: Path) -> None:
    images, labels = arrays(40)
    labels[::5] = -1
    run = pellucid.train(
        (images, labels), out=tmp_path / "run", mixup=0.4, progress="quiet", **{**QUICK, "image_size": "8"}
    )
    assert all(np.isfinite(record["train_loss"]) for record in run.history)


def test_segmentation_is_cut_and_pasted_but_not_mixed_up(tmp_path: Path) -> None:
    settings = {**QUICK, "model": "fcn_small", "image_size": "24", "progress": "quiet"}
    scenes = make_scenes(tmp_path / "scenes")
    run = pellucid.train(scenes, out=tmp_path / "run", cutmix=1.0, radial=0.2, erase=0.5, **settings)
    assert np.isfinite(run.history[-1]["train_loss"])
    with pytest.raises(ConfigError, match="mixup would give pixels of masks two classes. Use cutmix"):
        pellucid.train(scenes, out=tmp_path / "other", mixup=0.2, **settings)


def test_the_report_says_what_was_mixed_in(tmp_path: Path) -> None:
    settings = {**QUICK, "image_size": "8", "epochs": 1, "progress": "quiet"}
    run = pellucid.train(arrays(), out=tmp_path / "run", mixup=1.0, **settings)
    assert re.search(r"[01] \+ \d+% [01]", (run.folder / "report.html").read_text())
