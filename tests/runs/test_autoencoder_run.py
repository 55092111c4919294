"""Runs that start from an autoencoder: same bytes again, resumed, unlabelled pictures, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import QUICK, Tiny, arrays, flags, outcome

import pellucid
from pellucid.cli.main import main
from pellucid.core.progress import Quiet
from pellucid.models import classify
from pellucid.runs.resume import resume_run
from pellucid.runs.setup.config import make_config
from pellucid.runs.setup.prepared import learn_pictures, prepare_run
from pellucid.tasks import CONFIGS
from pellucid.training import checkpoint, loop

SHORT: dict[str, Any] = {key: value for key, value in QUICK.items() if key not in ("model", "image_size")}
SHORT |= {"model": "tiny", "autoencode_epochs": 2, "epochs": 2, "batch": 4, "save_seconds": 0.0, "test_fraction": 0.0}


class Enough(BaseException):
    """Ends a run as a kill would."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classify.MODELS, "tiny", Tiny)


def few_labels() -> dict[str, np.ndarray]:
    """40 pictures: of 30 for training 8 have a label, 10 validate."""
    images, labels = arrays(40)
    labels = labels.copy()
    labels[8:30] = -1
    return {"images": images, "labels": labels, "split": np.array(["train"] * 30 + ["val"] * 10)}


def test_the_same_run_again_and_resumed_has_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the autoencoder is needed once the run has begun; another start is another run."""
    pellucid.train(few_labels(), out="straight", progress="quiet", **SHORT)
    pellucid.train(few_labels(), out="again", progress="quiet", config="straight/config.toml")
    assert outcome(Path("again")) == outcome(Path("straight"))
    save = checkpoint.save

    def save_and_stop(where: Path, step: int, state: dict[str, object]) -> Path:
        path = save(where, step, state)
        if step == 3:
            raise Enough
        return path

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(few_labels(), out="run", progress="quiet", **SHORT)
    with monkeypatch.context() as patch:
        patch.setattr("pellucid.runs.setup.autoencoded.autoencode", None)  # would fail if it were called
        resume_run(Path("run"), {}, Quiet(), few_labels())
    assert outcome(Path("run")) == outcome(Path("straight"))
    pellucid.train(few_labels(), out="random", progress="quiet", **{**SHORT, "autoencode_epochs": 0})
    assert outcome(Path("random"))["model.safetensors"] != outcome(Path("straight"))["model.safetensors"]


def test_every_job_starts_from_what_was_learned_and_a_fresh_last_layer() -> None:
    """So the rate finder, preflight and the run itself see one network."""
    source = pellucid.load(few_labels())
    cfg = make_config(CONFIGS["classify"], {}, SHORT, "")
    ready = prepare_run(source, cfg, "classify", Quiet())
    before = ready.job(Quiet()).model.net.state_dict()
    assert ready.about_weights() == ("Starts from an autoencoder of 2 epochs over 30 pictures, without their labels.",)
    ready = learn_pictures(ready, Quiet())
    one, other = (ready.job(Quiet()).model.net.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    moved = {name for name in one if not torch.equal(one[name], before[name])}
    assert moved == set(one) - {"head.weight", "head.bias"}
    assert learn_pictures(ready, Quiet()) is ready
    assert ready.about_weights()[0].startswith("Starts from an autoencoder of 2 epochs over 30 pictures, without their")
    assert "; its error went from" in ready.about_weights()[0]


def test_the_autoencoder_sees_all_pictures_and_training_those_with_a_label() -> None:
    source = pellucid.load(few_labels())
    ready = prepare_run(source, make_config(CONFIGS["classify"], {}, SHORT, ""), "classify", Quiet())
    labels = torch.cat([batch["label"] for batch in ready.job(Quiet()).train.epoch(0)])
    assert len(labels) == 8 and (labels >= 0).all()
    seen = list(ready.splits.loader("train", 4, training=True, unlabelled=True).epoch(0))
    assert sum(len(batch["label"]) for batch in seen) == 28, "the last step, which is short, is left out"
    assert sum(len(batch["label"]) for batch in ready.splits.loader("train", 4).epoch(0)) == 30


def test_pictures_without_any_label_are_not_left_out() -> None:
    """There is nothing to learn then, which is for others to say."""
    ready = prepare_run(
        pellucid.load(few_labels()), make_config(CONFIGS["classify"], {}, SHORT, ""), "classify", Quiet()
    )
    ready.splits.pack.targets["label"][:] = -1
    assert len(ready.splits.loader("train", 4, training=True)) == 7


def test_the_start_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = few_labels()["images"], few_labels()["labels"]
    np.savez("few.npz", images=images, labels=labels, split=few_labels()["split"])
    assert main(["train", "few.npz", *flags({**SHORT, "out": "run"})]) == 0
    said = capsys.readouterr().err
    assert "Starts from an autoencoder of 2 epochs over 30 pictures, without their labels; its error went from" in said
    assert pellucid.Run("run").config.transfer.autoencode_epochs == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"autoencode_epochs": -1}, r"^autoencode_epochs must be 0 \(none\) or positive, got -1\."),
        ({"weights": "imagenet"}, r"^--autoencode-epochs and --weights imagenet are two starts\. Leave one of them"),
        ({"tune": "last"}, r"^--tune needs weights to start from"),
        ({"model": "knn"}, r"^--autoencode-epochs .*knn"),
        ({"model": "all_conv", "image_size": "32"}, r"^--autoencode-epochs: .* does not end in a linear layer, whose"),
    ],
)
def test_what_contradicts_it_is_refused_before_anything_is_written(settings: dict[str, Any], words: str) -> None:
    usual = {key: value for key, value in SHORT.items() if key not in ("epochs", "batch", "save_seconds")}
    with pytest.raises(pellucid.PellucidError, match=words):
        pellucid.train(few_labels(), out="no", progress="quiet", **{**usual, **settings})
    assert not Path("no").exists()


def test_segmentation_has_no_such_start() -> None:
    images, _ = arrays(12)
    with pytest.raises(pellucid.PellucidError, match="autoencode"):
        pellucid.train((images, (images > 120).astype(np.uint8)), out="no", progress="quiet", autoencode_epochs=1)
    assert not Path("no").exists()
