"""Which weights a segmenter starts from, what is kept of them, and what is refused in one line."""

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
from pellucid.models.published.find import published
from pellucid.models.published.load import Published
from pellucid.models.segment import build
from pellucid.models.weights import write_weights
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.loss import expected_initial_loss
from pellucid.tasks.segment.model import make_model, resolve
from pellucid.tasks.segment.transfer import BorrowedEncoder, borrow, plan
from pellucid.training.transfer.borrowed import Borrowed

MADE = Preprocess((32, 32), shift=(1.0, 2.0, 3.0), scale=(0.5, 0.25, 0.125), mode="signed")
FACTS = DataFacts("segment", "made", ("ground", "box"), (3, 3), replace(MADE, fit="pad"), n_train=6)


def lent(folder: Path, name: str = "convnet", backbone: str = "", size: int = 32) -> str:
    """A run folder as far as weights are concerned, of a classifier or, with another name, of a segmenter."""
    torch.manual_seed(0)
    made = replace(MADE, size=(size, size))
    task = "segment" if backbone or name.startswith(("fcn", "unet", "segnet")) else "classify"
    facts = DataFacts(task, "made", ("ground", "box", "ball"), (1, 1, 1), made)
    net = build(name, 3, 3, made.size, backbone) if task == "segment" else create(name, 3, 3, made.size)
    about = {"task": task, "model": name, "facts": facts.as_dict(), "config": {"model": {"backbone": backbone}}}
    folder.mkdir()
    write_weights(folder / "model.safetensors", net.state_dict(), about)
    return str(folder)


def asked(**stated: Any) -> SegmentConfig:
    return settings.change(SegmentConfig(), stated)


def started(cfg: SegmentConfig, facts: DataFacts = FACTS) -> tuple[SegmentConfig, Borrowed, dict[str, Tensor]]:
    """The settings as a run settles them, and the network's tensors once it has started from the weights."""
    cfg, given = borrow(cfg)
    assert given is not None
    cfg = given.settle(resolve(cfg, facts), facts)
    net = make_model(cfg, facts).net
    state, start = net.state_dict(), given.tensors(cfg)
    assert start and all(start[name].shape == state[name].shape for name in start)
    net.load_state_dict({**state, **start})
    return cfg, given, net.state_dict()


def test_a_classifier_becomes_the_encoder_bit_by_bit(tmp_path: Path) -> None:
    run = lent(tmp_path / "run")
    theirs = published(run).net.state_dict()
    for name in ("fcn8s", "unet"):
        cfg, given, ours = started(asked(weights=run, model=name))
        assert (cfg.model.model, cfg.model.backbone, cfg.transfer.head) == (name, "convnet", "fresh")
        shared = {key for key in theirs if f"backbone.{key}" in ours}
        assert set(theirs) - shared == {"head.weight"}
        assert all(torch.equal(ours[f"backbone.{key}"], theirs[key]) for key in shared)
        assert given.sentences(cfg, FACTS)[0] == (
            f"Weights: {run}, for the encoder convnet; what stands on it starts afresh."
        )


def test_numbers_travel_with_an_encoder_and_the_size_is_the_datas(tmp_path: Path) -> None:
    cfg, given = borrow(asked(weights=lent(tmp_path / "run"), model="fcn8s"))
    assert given is not None and isinstance(given.preprocess, Numbers) and cfg.data.colour == "rgb"
    made = given.preprocess.on(Preprocess((50, 70), fit="pad", background=(1, 2, 3)))
    assert (made.size, made.fit, made.background) == ((50, 70), "pad", (1, 2, 3))
    assert (made.shift, made.scale, made.mode) == (MADE.shift, MADE.scale, MADE.mode)


def test_a_segmenter_brings_all_of_itself(tmp_path: Path) -> None:
    run = lent(tmp_path / "run", "fcn16s", "convnet")
    theirs = published(run, segmenters=True)
    assert (theirs.network, theirs.backbone, theirs.task, theirs.n_classes) == ("fcn16s", "convnet", "segment", 3)
    cfg, given, ours = started(asked(weights=run))
    assert (cfg.model.model, cfg.model.backbone, cfg.transfer.head) == ("fcn16s", "convnet", "fresh")
    assert isinstance(given.preprocess, Preprocess) and given.preprocess.size == (32, 32)
    state = theirs.net.state_dict()
    per_class = {"scores.32.weight", "scores.32.bias", "scores.16.weight", "scores.16.bias", "ups.32.weight"}
    assert {key for key in ours if ours[key].shape != state[key].shape} == per_class == given.last
    assert all(torch.equal(ours[key], state[key]) for key in ours if key not in per_class)
    same = replace(FACTS, classes=("ground", "box", "ball"), class_counts=(2, 2, 2))
    cfg, given, ours = started(asked(weights=run), same)
    assert cfg.transfer.head == "keep" and all(torch.equal(ours[key], state[key]) for key in state)
    assert expected_initial_loss(cfg, same) == {} and "keeps its weights" in given.sentences(cfg, same)[0]


def test_several_numbers_a_class_are_known_as_the_last_layer(tmp_path: Path) -> None:
    """U-Net makes four logits a class and cell: they start afresh for another number of classes, and fit for theirs."""
    run = lent(tmp_path / "run", "unet", "convnet", size=80)
    at80 = replace(FACTS, preprocess=replace(FACTS.preprocess, size=(80, 80)))
    _, given, _ = started(asked(weights=run), at80)
    assert given.last == {"head.weight", "head.bias"} and given.found.n_classes == 3


def test_without_a_name_the_network_is_one_that_takes_an_encoder(tmp_path: Path) -> None:
    cfg, given = borrow(asked(weights=lent(tmp_path / "run")))
    assert (cfg.model.model, cfg.model.backbone) == ("unet", "convnet")
    assert given is not None and "the network is unet on convnet" in given.notes[0]
    assert resolve(asked(), FACTS).model.model == "fcn_small"


def test_the_last_stage_is_what_stands_on_the_encoder(tmp_path: Path) -> None:
    cfg, _, _ = started(asked(weights=lent(tmp_path / "run"), model="unet", tune="last"))
    net = make_model(cfg, FACTS).net
    found = plan(cfg, FACTS, net)
    assert found is not None
    found.enter(0)
    trained = {name for name, p in net.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in net.named_parameters() if not name.startswith("backbone.")}
    assert not net.backbone.blocks.training and net.ups.training
    decayed = replace(cfg, transfer=replace(cfg.transfer, tune="all", layer_decay=0.5))
    rates = [rate for rate, _ in plan(decayed, FACTS, net).rates()]  # type: ignore[union-attr]
    assert rates[-1] == 1 and rates == sorted(rates) and len(rates) >= 5
    assert plan(asked(model="fcn8s"), FACTS, net) is None


def test_of_a_network_in_one_piece_the_last_layer_is_the_scores(tmp_path: Path) -> None:
    cfg, _, _ = started(asked(weights=lent(tmp_path / "run", "fcn_small"), tune="last"))
    net = make_model(cfg, FACTS).net
    plan(cfg, FACTS, net).enter(0)  # type: ignore[union-attr]
    assert {name for name, p in net.named_parameters() if p.requires_grad} == {"head.weight", "head.bias"}


def test_packaged_weights_are_an_encoder() -> None:
    cfg, given = borrow(asked(weights="imagenet", model="fcn8s"))
    assert cfg.model.backbone == "efficientnet_lite0" and given is not None
    start = given.tensors(cfg)
    assert torch.equal(
        start["backbone._conv_stem.weight"], published("efficientnet_lite0").net.state_dict()["_conv_stem.weight"]
    )
    assert not any("_fc" in name or "_conv_head" in name for name in start)
    assert borrow(asked(weights="imagenet", backbone="efficientnet_lite1"))[0].model.backbone == "efficientnet_lite1"


def test_a_file_of_a_classifier_is_the_encoder_that_is_named(tmp_path: Path) -> None:
    state = create("mobilenet_v3_small", 7).state_dict()
    torch.save(state, tmp_path / "mine.pth")
    torch.save(state, tmp_path / "mobilenet_v3_small-047dcff4.pth")
    told = asked(weights=str(tmp_path / "mine.pth"), model="fcn8s", backbone="mobilenet_v3_small")
    known = asked(weights=str(tmp_path / "mobilenet_v3_small-047dcff4.pth"), model="fcn8s")
    for cfg in (told, known):
        cfg, given = borrow(cfg)
        assert cfg.model.backbone == "mobilenet_v3_small" and given is not None
        assert torch.equal(given.start["backbone.features.0.0.weight"], state["features.0.0.weight"])
    with pytest.raises(ConfigError, match="Of which network are the weights"):
        borrow(asked(weights=str(tmp_path / "mine.pth")))


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "another backbone": (
        {"weights": "convnet", "model": "fcn8s", "backbone": "resnet18"},
        WeightsError,
        "Model fcn8s stands on resnet18, and .*convnet has weights of convnet: say --backbone convnet, or give weights "
        "of resnet18.$",
    ),
    "an encoder of its own": (
        {"weights": "convnet", "model": "deeplabv3_resnet50"},
        WeightsError,
        "Model deeplabv3_resnet50 stands on resnet50, and .* has weights of convnet: give weights of resnet50.$",
    ),
    "no encoder": (
        {"weights": "convnet", "model": "segnet"},
        ConfigError,
        "are of convnet, a classifier, and model segnet takes none as encoder. Say --model unet, .*fcn8s, or give",
    ),
    "no maps": (
        {"weights": "mlp", "model": "fcn8s"},
        WeightsError,
        "has weights of mlp, which has no maps for a segmenter. Give those of a network with stages, such as resnet18",
    ),
    "another segmenter": (
        {"weights": "fcn8s", "model": "unet", "backbone": "convnet"},
        WeightsError,
        "^--model unet --backbone convnet: .*fcn8s has weights of fcn8s on convnet. Leave that out, or give other",
    ),
    "a head of a classifier": (
        {"weights": "convnet", "model": "fcn8s", "head": "keep"},
        ConfigError,
        "--head keep: the weights are for the encoder convnet alone",
    ),
    "a head of other classes": (
        {"weights": "fcn8s", "head": "keep"},
        ConfigError,
        "--head keep: the weights have 3 classes and the data 2.",
    ),
    "other colours": (
        {"weights": "convnet", "colour": "grey"},
        ConfigError,
        "--colour grey: the weights were trained on rgb pictures. Leave it out.",
    ),
    "other numbers": ({"weights": "convnet", "preprocess": "unit"}, ConfigError, "--preprocess unit: the weights were"),
    "no such backbone": ({"weights": "convnet", "backbone": "resnet81"}, ConfigError, "Unknown backbone 'resnet81'"),
    "no such model": ({"weights": "convnet", "model": "fcn9s"}, ConfigError, "Unknown model 'fcn9s'"),
    "nothing there": ({"weights": "gone"}, WeightsError, "There are no weights .*gone: give imagenet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_contradicts_the_weights_is_said_in_one_line(case: str, tmp_path: Path) -> None:
    stated, kind, message = REFUSED[case]
    name = stated["weights"]
    if name != "gone":
        lent(tmp_path / name, name, "convnet" if name == "fcn8s" else "")
    with pytest.raises(kind, match=message) as caught:
        started(asked(**{**stated, "weights": str(tmp_path / name)}))
    assert "\n" not in str(caught.value)


def test_another_stem_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    """Up to 64 px ResNets have a stem that keeps the resolution; its weights are of no use above."""
    run = lent(tmp_path / "run", "resnet18")
    large = replace(FACTS, preprocess=replace(FACTS.preprocess, size=(96, 96)))
    message = "trained on pictures of 32x32 px, and at 96x96 px resnet18 has another stem .*Say --image-size 32x32"
    with pytest.raises(ConfigError, match=message):
        started(asked(weights=run, model="fcn8s"), large)


def test_what_a_segmenter_has_no_use_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="--backbone convnet means nothing for model fcn_small, .* take --model unet"):
        resolve(asked(backbone="convnet"), FACTS)
    with pytest.raises(ConfigError, match="--auxiliary-weight means nothing for model fcn8s, which has no auxiliary"):
        resolve(asked(model="fcn8s", auxiliary_weight=0.2), FACTS)
    with pytest.raises(ConfigError, match="--autoencode-epochs is for classifiers"):
        asked(autoencode_epochs=2)
    with pytest.raises(ConfigError, match="Unknown backbone 'mlp'"):
        resolve(asked(model="fcn8s", backbone="mlp"), FACTS)


def test_a_mean_image_is_of_one_size() -> None:
    import numpy as np

    measured = Preprocess((4, 4), mode="mean-image", mean_image=np.zeros((3, 4, 4), np.float32))
    assert Numbers(measured).on(Preprocess((4, 4))).mean_image is measured.mean_image
    with pytest.raises(
        ConfigError, match="less a mean image of 4x4 px, and pictures here have 8x8. Say --image-size 4x4"
    ):
        Numbers(measured).on(Preprocess((8, 8)))


@pytest.mark.parametrize(("size", "taken"), [(224, True), (96, False)])
def test_fully_connected_layers_are_taken_over_where_the_head_has_them(size: int, taken: bool) -> None:
    """By shapes alone: a hundred million numbers would have to be written and read."""
    shapes = {"head.0.weight": (4096, 512, 7, 7), "head.0.bias": (4096,), "head.3.weight": (4096, 4096, 1, 1)}
    above = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    facts = replace(FACTS, preprocess=replace(FACTS.preprocess, size=(size, size)))
    cfg = resolve(asked(weights="vgg11", model="fcn32s", backbone="vgg11", image_size=str(size), head="fresh"), facts)
    found = Published("vgg11", torch.nn.Identity(), MADE, ("a", "b"), "vgg11.pth")
    given = BorrowedEncoder(found, Numbers(MADE), (), {}, frozenset(), "the encoder vgg11", above)
    assert (set(given.tensors(cfg)) == set(above)) == taken and bool(given.tensors(cfg)) == taken
    assert any("fully connected" in sentence for sentence in given.sentences(cfg, facts)) == taken
