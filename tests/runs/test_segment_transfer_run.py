"""Runs of segmenters whose encoder was trained to classify: what is left as it was, and resuming."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import QUICK, make_scenes, outcome
from torch import Tensor

import pellucid
from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop

SHORT: dict[str, Any] = {**QUICK, "task": "segment", "model": "fcn8s", "batch": 4, "save_seconds": 0}
SHORT.pop("image_size")


def tensors(folder: Path) -> dict[str, Tensor]:
    return read_weights(folder / "model.safetensors").tensors


@pytest.fixture
def classifier(photos: Path) -> Path:
    return pellucid.train(photos, out="old", progress="quiet", **QUICK).folder


def test_only_what_stands_on_the_encoder_is_trained(classifier: Path, tmp_path: Path) -> None:
    scenes = make_scenes(tmp_path / "scenes")
    run = pellucid.train(scenes, out="new", weights=str(classifier), tune="last", ema=0.0, progress="quiet", **SHORT)
    old, new = tensors(classifier), tensors(run.folder)
    assert {f"backbone.{key}" for key in old if key != "head.weight"} == {k for k in new if k.startswith("backbone.")}
    assert all(torch.equal(new[f"backbone.{key}"], old[key]) for key in old if key != "head.weight")
    about = read_weights(run.folder / "model.safetensors").about
    made = about["facts"]["preprocess"]
    theirs = read_weights(classifier / "model.safetensors").about["facts"]["preprocess"]
    assert (made["shift"], made["scale"], made["mode"]) == (theirs["shift"], theirs["scale"], theirs["mode"])
    assert tuple(made["size"]) == (20, 24) and made["fit"] == "pad"
    assert about["config"]["model"] == {"model": "fcn8s", "backbone": "convnet"}
    result = run.predict(scenes / "images" / "0.png")[0]
    assert result.mask.shape == (20, 24)


class Enough(BaseException):
    """Ends a run as a kill would."""


def test_resumed_in_the_middle_of_unfreezing_it_equals_the_straight_run(
    classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the weights it started from are gone by then."""
    scenes, save = make_scenes(tmp_path / "scenes"), checkpoint.save
    stated = {**SHORT, "weights": str(classifier), "unfreeze_epochs": 1, "epochs": 3, "layer_decay": 0.5}

    def save_and_stop(where: Path, step: int, state: dict[str, object]) -> Path:
        path = save(where, step, state)
        if step == 3:  # of six
            raise Enough
        return path

    pellucid.train(scenes, out="straight", progress="quiet", **stated)
    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(scenes, out="run", progress="quiet", **stated)
    shutil.rmtree(classifier)
    pellucid.train(None, resume="run", progress="quiet")
    assert outcome(Path("run")) == outcome(Path("straight"))
