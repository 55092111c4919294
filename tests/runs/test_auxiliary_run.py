"""A run of a network with auxiliary heads: they train, are logged, and are not there in validation."""

import json
from pathlib import Path

import pytest
import torch
from small_runs import QUICK, Tiny, outcome
from torch import nn

import pellucid
from pellucid.models import classify
from pellucid.models.weights import read_weights
from pellucid.training import checkpoint, loop


class TwoHeads(Tiny):
    """A tiny network with one auxiliary head."""

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__(n_classes, channels, image_size)
        self.aux = nn.Sequential(nn.Dropout(0.5), nn.Linear(8, n_classes))

    def outputs(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        low = self.features(x).mean((2, 3))
        heads = {"auxiliary1": self.aux(low) / 4} if self.training else {}
        return {"logits": self.head(low) / 4, **heads}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outputs(x)["logits"]


class Enough(BaseException):
    """Ends a run as a kill would."""


SHORT = {**QUICK, "model": "two_heads", "save_seconds": 0}


@pytest.fixture(autouse=True)
def two_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classify.MODELS, "two_heads", TwoHeads)
    monkeypatch.setitem(classify.AUXILIARY_HEADS, "two_heads", 1)


def lines(folder: Path, kind: str) -> list[dict[str, float]]:
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [record for record in records if record["kind"] == kind]


def test_heads_train_and_are_not_validated(photos: Path) -> None:
    run = pellucid.train(photos, out="run", progress="quiet", **SHORT)
    step, epoch = lines(Path("run"), "step")[0], lines(Path("run"), "epoch")[-1]
    assert step["loss"] == pytest.approx(step["loss_cross_entropy"] + step["loss_auxiliary1"])
    assert step["loss_auxiliary1"] / step["loss_cross_entropy"] == pytest.approx(0.3, rel=0.2)
    assert epoch["val_loss"] == epoch["val_loss/cross_entropy"]
    verdicts = json.loads(Path("run/doctor.json").read_text(encoding="utf-8"))
    about = [verdict["evidence"].split()[0] for verdict in verdicts if verdict["rule"] == "initial-loss"]
    assert about == ["cross_entropy", "auxiliary1"]
    assert "aux.1.weight" in read_weights(Path("run/model.safetensors")).tensors
    assert "loss/auxiliary1" not in run.evaluate()


def test_without_weight_the_head_stays_as_it_began(photos: Path) -> None:
    """Whatever the length of the run; with a weight it moves."""
    kept = {}
    for name, weight, epochs in (("one", 0.0, 1), ("two", 0.0, 2), ("trained", 0.3, 2)):
        pellucid.train(photos, out=name, progress="quiet", auxiliary_weight=weight, **{**SHORT, "epochs": epochs})
        kept[name] = read_weights(Path(name) / "model.safetensors").tensors["aux.1.weight"]
    assert torch.equal(kept["one"], kept["two"]) and not torch.equal(kept["one"], kept["trained"])
    assert "loss_auxiliary1" not in lines(Path("one"), "step")[0]


def test_resumed_it_equals_the_straight_run(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pellucid.train(photos, out="straight", progress="quiet", **SHORT)
    save = checkpoint.save

    def save_and_stop(where: Path, at: int, state: dict[str, object]) -> Path:
        path = save(where, at, state)
        if at == 3:
            raise Enough
        return path

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", save_and_stop)
        with pytest.raises(Enough):
            pellucid.train(photos, out="run", progress="quiet", **SHORT)
    pellucid.train(None, resume="run", progress="quiet")
    assert outcome(Path("run")) == outcome(Path("straight"))


@pytest.mark.slow
def test_googlenet_learns_colours(photos: Path) -> None:
    settings = {**QUICK, "model": "googlenet", "epochs": 25}  # batch norm follows after some 50 steps
    run = pellucid.train(photos, out="run", progress="quiet", **settings)
    assert lines(Path("run"), "epoch")[-1]["train_loss"] < lines(Path("run"), "epoch")[0]["train_loss"]
    assert run.evaluate()["accuracy"] > 0.5
