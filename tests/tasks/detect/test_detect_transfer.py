"""Which weights a detector starts from, what is kept of them, and what is refused in one line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.models import create
from pellucid.models.backbones import Backbone
from pellucid.models.detect import BACKBONES, build
from pellucid.models.published.find import published
from pellucid.models.weights import write_weights
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import make_model, resolve
from pellucid.tasks.detect.transfer import borrow, plan
from pellucid.training.transfer.borrowed import Borrowed

MADE = Preprocess((32, 32), shift=(1.0, 2.0, 3.0), scale=(0.5, 0.25, 0.125), mode="signed")
FACTS = DataFacts("detect", "made", ("box", "ball"), (3, 3), replace(MADE, fit="pad"), n_train=6)
THEIRS = ("ring", "box", "ball")


def lent(folder: Path, name: str = "convnet", backbone: str = "", points: int = 0, size: int = 32) -> str:
    """A run folder as far as weights are concerned, of a classifier or of a detector."""
    torch.manual_seed(0)
    made = replace(MADE, size=(size, size))
    task = "detect" if name in BACKBONES else "classify"
    facts = DataFacts(task, "made", THEIRS, (1, 1, 1), made, n_keypoints=points)
    net = build(name, 3, 3, made.size, backbone, points) if task == "detect" else create(name, 3, 3, made.size)
    about = {"task": task, "model": name, "facts": facts.as_dict(), "config": {"model": {"backbone": backbone}}}
    folder.mkdir()
    write_weights(folder / "model.safetensors", net.state_dict(), about)
    return str(folder)


def asked(**stated: Any) -> DetectConfig:
    return settings.change(DetectConfig(), stated)


def started(cfg: DetectConfig, facts: DataFacts = FACTS) -> tuple[DetectConfig, Borrowed, dict[str, Tensor]]:
    """The settings as a run settles them, and the network's tensors once it has started from the weights."""
    cfg, given = borrow(cfg)
    assert given is not None
    cfg = given.settle(resolve(cfg, facts), facts)
    net = make_model(cfg, facts).net
    state, start = net.state_dict(), given.tensors(cfg)
    assert start and all(start[name].shape == state[name].shape for name in start)
    net.load_state_dict({**state, **start})
    return cfg, given, net.state_dict()


def test_nothing_is_borrowed_unless_asked() -> None:
    assert borrow(asked())[1] is None and plan(asked(), FACTS, torch.nn.Linear(1, 1)) is None


@pytest.mark.parametrize("name", ["localizer", "yolo", "faster_rcnn"])
def test_a_classifier_becomes_the_backbone_bit_by_bit(tmp_path: Path, name: str) -> None:
    run = lent(tmp_path / "run")
    theirs = published(run).net.state_dict()
    cfg, given, ours = started(asked(weights=run, model=name))
    assert (cfg.model.model, cfg.model.backbone, cfg.transfer.head) == (name, "convnet", "fresh")
    net = make_model(cfg, FACTS).net
    (place,) = (at for at, part in net.named_modules() if isinstance(part, Backbone))
    shared = {key for key in theirs if f"{place}.{key}" in ours}
    assert set(theirs) - shared == {"head.weight"}
    assert all(torch.equal(ours[f"{place}.{key}"], theirs[key]) for key in shared)
    assert given.sentences(cfg, FACTS)[0] == (
        f"Weights: {run}, for the backbone convnet; what stands on it starts afresh."
    )
    assert isinstance(given.preprocess, Numbers) and cfg.data.colour == "rgb"
    made = plan(cfg, FACTS, net)
    assert made is not None and not any(key.startswith(place) for key in made.stages[-1].parameters)


@pytest.mark.parametrize(("name", "backbone"), [("localizer", ""), ("yolo", ""), ("faster_rcnn", "convnet")])
def test_a_detector_keeps_all_but_what_has_classes(tmp_path: Path, name: str, backbone: str) -> None:
    run = lent(tmp_path / "run", name, backbone)
    cfg, given, ours = started(asked(weights=run))
    assert (cfg.model.model, cfg.transfer.head) == (name, "fresh") and given.preprocess == MADE
    torch.manual_seed(0)
    theirs = build(name, 3, 3, (32, 32), backbone).state_dict()
    other = {key for key in theirs if theirs[key].shape != ours[key].shape}
    assert other == given.last and other
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs if key not in other)
    assert "the last layer starts afresh for 2 classes, theirs is for 3." in given.sentences(cfg, FACTS)[0]
    same = replace(FACTS, classes=THEIRS, class_counts=(1, 1, 1))
    kept, _, whole = started(asked(weights=run), same)
    assert kept.transfer.head == "keep" and all(torch.equal(whole[key], theirs[key]) for key in theirs)
    made = plan(cfg, FACTS, make_model(cfg, FACTS).net)
    assert made is not None and len(made.stages) > 1


def test_what_is_refused(tmp_path: Path) -> None:
    classifier, detector = lent(tmp_path / "classifier"), lent(tmp_path / "detector", "localizer", points=2)
    mlp, large = lent(tmp_path / "mlp", "mlp"), lent(tmp_path / "large", "resnet18", size=256)

    def refused(kind: type[Exception], facts: DataFacts = FACTS, **stated: Any) -> str:
        with pytest.raises(kind) as caught:
            started(asked(**stated), facts)
        return str(caught.value)

    assert refused(WeightsError, weights=detector, model="yolo") == (
        f"--model yolo: {detector} has weights of localizer. Leave that out, or give other weights."
    )
    assert refused(ConfigError, weights=detector) == (
        f"{detector} marks 2 keypoints on each thing, and things here have 0. Give other weights, such as those of a "
        "classifier for its backbone."
    )
    assert refused(WeightsError, weights=classifier, model="yolo", backbone="resnet18").startswith(
        f"Model yolo stands on resnet18, and {classifier} has weights of convnet: say --backbone convnet, or give"
    )
    assert refused(WeightsError, weights=mlp).startswith(f"{mlp} has weights of mlp, which has no maps for a detector.")
    assert "has another stem" in refused(ConfigError, weights=large, model="yolo")
    assert refused(ConfigError, weights=classifier, head="keep") == (
        "--head keep: the weights are for the backbone convnet alone, whose own last layer answers something else. "
        "Leave it out."
    )
    assert "There are no weights nowhere" in refused(WeightsError, weights="nowhere")
