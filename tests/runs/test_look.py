"""Networks that look at training pictures before they are trained: what they are shown, when, and resuming."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import QUICK, outcome
from torch import Tensor, nn

import pellucid
from pellucid.core.preprocess import Preprocess
from pellucid.data.load import load
from pellucid.models import classify
from pellucid.models.classify.whitened_convnet import whitening_filters
from pellucid.models.weights import read_weights
from pellucid.runs.setup import assemble
from pellucid.tasks import get_task
from pellucid.training import checkpoint, loop

SETTINGS = {**QUICK, "model": "whitened_convnet", "image_size": "20", "save_seconds": 0}


class Enough(BaseException):
    """Ends a run in this process as a kill would."""


class Looking(nn.Module):
    """Keeps what it was shown."""

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.layer = nn.Linear(channels * image_size[0] * image_size[1], n_classes)
        self.seen: list[Tensor] = []

    def look(self, pictures: Tensor) -> None:
        self.seen.append(pictures)


def sample_of(photos: Path, n: int, seed: int, **changes: object) -> tuple[Tensor, Preprocess]:
    task = get_task("classify")
    cfg = assemble.settings.change(task.config(), {"image_size": "12", **changes})
    splits = task.make_data(cfg, load(photos))
    return splits.sample("train", n, seed), splits.facts.preprocess


def test_a_sample_is_drawn_by_the_seed_without_augmentation(photos: Path) -> None:
    first, _ = sample_of(photos, 9, 0)
    again, _ = sample_of(photos, 9, 0, cutout=0.5, shift=0.3)
    other, _ = sample_of(photos, 9, 1)
    assert first.shape == (9, 3, 12, 12) and first.dtype == torch.uint8
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len({picture.numpy().tobytes() for picture in first}) == 9, "no picture twice"
    everything, _ = sample_of(photos, 10_000, 0)
    assert len(everything) < 30, "all of training, none of validation"


def test_it_is_shown_standardised_training_pictures_once(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Looking] = []

    def build(n_classes: int, channels: int, image_size: tuple[int, int]) -> Looking:
        made.append(Looking(n_classes, channels, image_size))
        return made[-1]

    monkeypatch.setitem(classify.MODELS, "looking", build)
    monkeypatch.setattr(loop, "train", lambda job: (_ for _ in ()).throw(Enough()))
    with pytest.raises(Enough):
        pellucid.train(photos, out=tmp_path / "run", progress="quiet", **{**QUICK, "model": "looking"})
    (pictures,) = made[0].seen
    assert pictures.shape[1:] == (3, 16, 16) and len(pictures) == 21
    torch.testing.assert_close(pictures.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(pictures.std((0, 2, 3)), torch.ones(3), rtol=0, atol=1e-2)


def test_the_seed_of_the_run_decides_what_is_shown(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "LOOKED_AT", 4)
    task = get_task("classify")
    splits = task.make_data(assemble.settings.change(task.config(), {"image_size": "12"}), load(photos))
    shown = []
    for seed in (0, 0, 1):
        model = nn.Module()
        model.net = Looking(3, 3, (12, 12))
        assemble.let_look(model, splits, seed)
        shown.append(model.net.seen[0])
    assert torch.equal(shown[0], shown[1]) and not torch.equal(shown[0], shown[2])
    assemble.let_look(nn.Module(), splits, 0)  # a network that does not want to see anything is left alone


def test_the_first_layer_comes_from_the_sample_and_stays(photos: Path, tmp_path: Path) -> None:
    run = pellucid.train(photos, out=tmp_path / "run", progress="quiet", **SETTINGS)
    pictures, preprocess = sample_of(photos, 4096, 0, image_size="20", val_fraction=0.2)
    filters = whitening_filters(assemble.normalise(pictures, preprocess), 2, 12)
    stored = read_weights(run.folder / "model.safetensors").tensors["whitening.weight"]
    assert np.array_equal(stored[:12].flatten(1).numpy(), filters.numpy())


@pytest.mark.parametrize("step", [0, 2])
def test_a_resumed_run_equals_the_straight_one_to_the_bit(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    straight = pellucid.train(photos, out=tmp_path / "straight", progress="quiet", **SETTINGS)
    save: Callable[..., Path] = checkpoint.save

    def save_and_stop(where: Path, at: int, state: dict[str, object]) -> Path:
        path = save(where, at, state)
        if at == step + 1:
            raise Enough
        return path

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(photos, out=tmp_path / "stopped", progress="quiet", **SETTINGS)
    pellucid.train(resume=tmp_path / "stopped", progress="quiet")
    assert outcome(tmp_path / "stopped") == outcome(straight.folder)
