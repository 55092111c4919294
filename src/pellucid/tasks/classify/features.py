"""What a fitted classifier sees: pixels, features by hand, or the features of a network that was trained before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pellucid.classic.features.table import FEATURES
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.classify import MODELS
from pellucid.models.fitted.features import Deep, HandMade, Pixels
from pellucid.models.published import hub
from pellucid.models.published.find import published
from pellucid.models.published.packaged import PACKAGED
from pellucid.models.weights import load_into, read_weights
from pellucid.tasks.classify.config import FITTED, ClassifyConfig

PIXELS = "pixels"


@dataclass(frozen=True)
class Backbone:
    """A trained classifier whose features are borrowed.

    Attributes:
        name, n_classes: which network it is.
        preprocess: what its pictures are like; the features are of such pictures.
        tensors: its weights, by name.
    """

    name: str
    n_classes: int
    preprocess: Preprocess
    tensors: Mapping[str, Tensor]

    @property
    def words(self) -> str:
        return f"{self.name}:{self.n_classes}"


def is_deep(features: str) -> bool:
    """Whether they are those of a network."""
    return features != PIXELS and features not in FEATURES


def sees_raw_pixels(cfg: ClassifyConfig) -> bool:
    """Whether a fitted model takes the numbers 0..255 as they are: neighbours among pixels, and features by hand."""
    features = cfg.classic.features
    return features in FEATURES and (features != PIXELS or cfg.model.model == "knn")


def read_backbone(features: str) -> Backbone:
    """The classifier in a run folder or weights file, or one that was published: packaged, a file, on the hub.

    Raises:
        ConfigError: `features` is neither the name of features by hand nor a path, or it is no network for classes.
        WeightsError: the file is damaged, or the package is not installed.
    """
    path = Path(features)
    if features.startswith(hub.PREFIX) or (features in PACKAGED and not path.exists()):
        return _of_published(features)
    if not path.exists():
        choose(features, {PIXELS: None, **FEATURES, **PACKAGED, "a run folder": None}, "features")
    if path.suffix in (".pth", ".pt", ".bin"):
        return _of_published(features)
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.exists():
        names = ", ".join((PIXELS, *(name for name in FEATURES if name != PIXELS)))
        raise ConfigError(
            f"--features {features} is a folder without model.safetensors: give the folder of a finished run, or one "
            f"of {names}."
        )
    weights = read_weights(file)
    task, name = weights.about.get("task"), str(weights.about.get("model"))
    if task != "classify" or name in FITTED:
        what = f"a {name}" if name in FITTED else f"a model for --task {task}"
        raise ConfigError(
            f"--features {features} is {what}; features come from a network that was trained to classify."
        )
    facts = DataFacts.from_dict(weights.about["facts"])
    return Backbone(name, facts.n_classes, facts.preprocess, weights.tensors)


def _of_published(spec: str) -> Backbone:
    found = published(spec)
    return Backbone(found.network, found.n_classes, found.preprocess, found.net.state_dict())


def make_features(cfg: ClassifyConfig, facts: DataFacts) -> Any:
    """The module `forward(image) -> (N, D)`, with the state that fitting or loading will fill.

    Raises:
        ConfigError: unknown features, or such as pictures of this size or colour do not have.
    """
    preprocess = facts.preprocess
    name = cfg.classic.features
    if name == PIXELS:
        return Pixels(preprocess, raw=cfg.model.model == "knn")
    if name in FEATURES:
        return HandMade(name, preprocess.channels, preprocess.size)
    network, _, n_classes = cfg.classic.backbone.rpartition(":")
    build = choose(network, MODELS, "model")
    return Deep(build(int(n_classes), preprocess.channels, preprocess.size), preprocess)


def resolve_features(cfg: ClassifyConfig) -> ClassifyConfig:
    """Name the network behind deep features, so that the weights file of this run is enough to build it again.

    Raises:
        ConfigError: another one is stated.
    """
    words = read_backbone(cfg.classic.features).words if is_deep(cfg.classic.features) else ""
    if cfg.classic.backbone not in ("", words):
        there = f"{cfg.classic.features} is of {words}" if words else f"{cfg.classic.features} has no network"
        raise ConfigError(f"--backbone is filled in by itself: {there}, got {cfg.classic.backbone}. Leave it out.")
    return replace(cfg, classic=replace(cfg.classic, backbone=words))


def borrow(features: nn.Module, cfg: ClassifyConfig) -> None:
    """Load the trained network into deep features.

    Raises:
        WeightsError: it is not the network that was found when the run began.
    """
    if isinstance(features, Deep):
        load_into(features.net, read_backbone(cfg.classic.features).tensors, cfg.classic.features)
