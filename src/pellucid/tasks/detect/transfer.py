"""Detectors that start from weights: those of a whole detector, or of a classifier that becomes the backbone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from pellucid.core.errors import ConfigError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.models.detect import BACKBONES, FITTED, KEYPOINTS, MODELS, PUBLISHED, build
from pellucid.models.detect.published_rcnn import COCO_KEYPOINTS
from pellucid.models.published.find import RUN_WEIGHTS, published
from pellucid.models.published.load import Published
from pellucid.models.weights import Weights, is_ours, load_into, read_weights
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import AUTO, USUAL_MODEL, names
from pellucid.training.transfer.borrowed import Borrowed, prepare_like, require_numbers
from pellucid.training.transfer.encoder import Family, place_of, require_same
from pellucid.training.transfer.plan import Plan

FAMILY = Family("detector", "backbone", MODELS, BACKBONES, PUBLISHED, USUAL_MODEL, build)

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class BorrowedBackbone(Borrowed):
    """A classifier's weights without its head."""

    def settle(self, cfg: DetectConfig, facts: DataFacts) -> DetectConfig:
        """See `Borrowed.settle`.

        Raises:
            ConfigError: pictures here are of a size at which the backbone has another stem.
        """
        self.require_stem(_shapes(cfg, facts, facts.n_classes), facts.preprocess.size)
        return super().settle(cfg, facts)


@dataclass(frozen=True)
class BorrowedDetector(Borrowed):
    """A whole detector's weights.

    Attributes:
        n_keypoints: how many points it marks on each thing.
    """

    n_keypoints: int = 0

    def settle(self, cfg: DetectConfig, facts: DataFacts) -> DetectConfig:
        """See `Borrowed.settle`.

        Raises:
            ConfigError: things here have another number of keypoints.
        """
        if self.n_keypoints and self.n_keypoints != facts.n_keypoints:
            raise ConfigError(
                f"{self.found.source} marks {self.n_keypoints} keypoints on each thing, and things here have "
                f"{facts.n_keypoints}. Give other weights, such as those of a classifier for its backbone."
            )
        return super().settle(cfg, facts)


def borrow(cfg: DetectConfig) -> tuple[DetectConfig, Borrowed | None]:
    """Read the weights that the settings name, and take over what they are of. No picture is read.

    Weights of a detector bring the network and how its pictures are prepared; what has a number of classes in its shape
    starts afresh where these differ. Weights of a classifier bring the backbone and the numbers of its pictures; size
    and fit are left to the data.

    Raises:
        ConfigError: the settings contradict the weights, or name none where the model cannot do without.
        WeightsError: they are not there, cannot be read, or belong to another network.
    """
    spec = cfg.transfer.weights
    if not spec and cfg.model.model in FITTED:
        raise ConfigError(
            f"{cfg.model.model} reads features of a network that was trained before, and none was named: say "
            "--weights imagenet, or --weights RUN with the run of a classifier."
        )
    if not spec:
        return cfg, None
    FAMILY.require_known(cfg)
    own = _of_detector(spec)
    if own is not None:
        return _whole(cfg, *own)
    found = published(spec, FAMILY.asked_for(cfg), detectors=True)
    if found.task == "detect":
        return _whole(cfg, found, COCO_KEYPOINTS if found.network in KEYPOINTS else 0)
    made = FAMILY.on_classifier(cfg, found)
    numbers = Numbers(found.preprocess)
    return made.cfg, BorrowedBackbone(found, numbers, made.notes, made.start, frozenset(), made.encoder)


def _of_detector(spec: str) -> tuple[Published, int] | None:
    """A run's detector and how many keypoints it marks; None where the weights are of something else.

    Raises:
        WeightsError: they are of a network that is not here, or do not fit it.
    """
    path = Path(spec)
    file = path / RUN_WEIGHTS if path.is_dir() else path
    if not file.is_file() or not is_ours(file):
        return None
    weights: Weights = read_weights(file)
    if weights.about.get("task") != "detect":
        return None
    name, facts = str(weights.about.get("model")), DataFacts.from_dict(weights.about["facts"])
    if name not in MODELS:
        raise WeightsError(f"{spec} holds a {name}, which this version does not know. Give other weights.")
    stated = weights.about.get("config", {}).get("model", {})
    under = str(stated.get("backbone", "")).removeprefix(AUTO)
    preprocess = facts.preprocess
    with torch.random.fork_rng(devices=[]):  # who loads weights does not expect other random numbers after it
        net = build(name, facts.n_classes, preprocess.channels, preprocess.size, under, facts.n_keypoints)
    load_into(net, weights.tensors, spec)
    return Published(name, net.eval(), preprocess, facts.classes, spec, backbone=under), facts.n_keypoints


def _whole(cfg: DetectConfig, found: Published, n_keypoints: int) -> tuple[DetectConfig, Borrowed]:
    """Start from a whole detector."""
    require_same(cfg, found)
    theirs = found.preprocess
    preprocess: Preprocess | Numbers = theirs
    if theirs.resize is None:
        theirs, said = prepare_like(cfg.data, found)
        preprocess = theirs
    else:  # of pictures of any size, made so large that few machines could train on them
        colour = require_numbers(cfg.data, theirs)
        cfg = replace(cfg, data=replace(cfg.data, colour=colour))
        preprocess = Numbers(theirs)
        said = [f"pixels are prepared as for the weights ({colour}); size and fit are those of the data"]
    start = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
    two, three = (
        _shapes_of(_on_meta(found.network, k, theirs.channels, theirs.size, found.backbone, n_keypoints))
        for k in (2, 3)
    )
    some = _shapes_of(
        _on_meta(found.network, found.n_classes, theirs.channels, theirs.size, found.backbone, n_keypoints)
    )
    other = next((key for key, tensor in start.items() if some.get(key) != tuple(tensor.shape)), None)
    if other is not None:
        size, trained = ("x".join(map(str, each.size)) for each in (theirs, found.preprocess))
        raise ConfigError(
            f"--image-size {size}: at that size {found.network} has another shape ({other}) than {found.source}, which "
            f"was trained on pictures of {trained} px. Leave it out."
        )
    last = frozenset(key for key in two if two[key] != three[key])
    model = replace(cfg.model, model=found.network, backbone=found.backbone)
    return replace(cfg, model=model), BorrowedDetector(found, preprocess, tuple(said), start, last, "", n_keypoints)


def plan(cfg: DetectConfig, facts: DataFacts, net: nn.Module) -> Plan | None:
    """What is frozen in which epoch; None for a network that starts from scratch.

    The last layer is everything that stands on the backbone; of a detector without one, what has a number of classes.
    """
    if not cfg.transfer.weights:
        return None
    parameters = [name for name, _ in net.named_parameters()]
    place, _ = place_of(net)
    if place:
        return Plan(net, {name for name in parameters if not name.startswith(f"{place}.")}, cfg.transfer)
    two, three = (_shapes(cfg, facts, k) for k in (2, 3))
    return Plan(net, {name for name in parameters if two[name] != three[name]}, cfg.transfer)


def _shapes(cfg: DetectConfig, facts: DataFacts, n_classes: int) -> Shapes:
    name, under = names(cfg)
    preprocess = facts.preprocess
    return _shapes_of(_on_meta(name, n_classes, preprocess.channels, preprocess.size, under, facts.n_keypoints))


def _on_meta(
    name: str, n_classes: int, channels: int, size: tuple[int, int], under: str = "", n_keypoints: int = 0
) -> nn.Module:
    """A detector without numbers in it."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return build(name, n_classes, channels, size, under, n_keypoints)


def _shapes_of(net: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
