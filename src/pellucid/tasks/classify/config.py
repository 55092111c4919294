"""Settings of classification. Imports no torch."""

from dataclasses import dataclass, field
from typing import Literal

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.core.task import Wishes
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import (
    CrossEntropyConfig,
    OptimConfig,
    RegulariseConfig,
    ScheduleConfig,
    TrainConfig,
    TransferConfig,
)

FITTED = ("knn", "svm", "softmax")  # models that are fitted in one go, not trained by gradient steps
FITTED_METRICS = ("accuracy", "balanced_accuracy", "macro_f1")  # what can choose their settings: no probabilities


@dataclass(frozen=True)
class ClassifyWishes(Wishes):
    """What can be asked of predictions: flags of `pellucid predict` and keywords of `Run.predict`."""

    top: int = 5
    """How many of the most probable classes are told, at least 1."""

    def __post_init__(self) -> None:
        require(self.top >= 1, "top", "at least 1", self.top)


@dataclass(frozen=True)
class ModelConfig:
    model: str = "auto"
    """Name of the network (see `pellucid models`), or knn, svm, softmax; auto is convnet up to 64 px, else resnet18."""
    mirror: bool = False
    """Outside training, answer with the mean over the picture and its mirror image; twice the work."""


@dataclass(frozen=True)
class ClassicConfig:
    """What only knn, svm and softmax have."""

    features: str = "pixels"
    """What they see: pixels; hog (directions of edges in cells of 8 px), hog-blocks (finer, contrast evened out), hog2
    (hog-blocks at two scales, and pixels at half size); color (how often each hue), hog+color; bow (how often each
    patch of a codebook), bow-triangle (more exact, in four quarters); or a run folder, a model.safetensors, or packaged
    weights (efficientnet_lite0), whose network sees for them."""
    k: int = 0
    """How many neighbours vote (knn); 0 chooses by validation."""
    distance: Literal["l2", "l1", "auto"] = "l2"
    """Between neighbours (knn); auto chooses by validation."""
    ties: Literal["nearest", "smallest"] = "nearest"
    """Who wins when votes are equal (knn): the class of the nearest of them, or the first class."""
    reg: float = 0.0
    """Strength of the penalty on the weights (svm, softmax); 0 chooses by validation."""
    folds: int = 0
    """Choose by cross-validation with this many folds of the training split; 0 takes the validation split."""
    repeats: int = 1
    """How often cross-validation is repeated, with other folds."""
    backbone: str = ""
    """Network and number of classes of a run in --features, such as convnet:10. Filled in by itself, not to be set."""

    def __post_init__(self) -> None:
        require(bool(self.features), "features", "a name or a run", self.features)
        require(self.k >= 0, "k", "0 (chosen) or positive", self.k)
        require(self.reg >= 0, "reg", "0 (chosen) or positive", self.reg)
        require(self.folds == 0 or self.folds >= 2, "folds", "0 (none) or at least 2", self.folds)
        require(self.repeats >= 1, "repeats", "at least 1", self.repeats)


@dataclass(frozen=True)
class ClassifyLossConfig(CrossEntropyConfig):
    auxiliary_weight: float = 0.3
    """Weight of each auxiliary head beside the last one, in networks that have such; 0 leaves them untrained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.auxiliary_weight >= 0, "auxiliary_weight", "0 (without) or positive", self.auxiliary_weight)


@dataclass(frozen=True)
class ClassifyConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    classic: ClassicConfig = field(default_factory=ClassicConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: ClassifyLossConfig = field(default_factory=ClassifyLossConfig)
    regularise: RegulariseConfig = field(default_factory=RegulariseConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.augment.collects:
            raise ConfigError("mosaic shows things of four pictures, and one class would be told. Use mixup or cutmix.")

    @property
    def title(self) -> str:
        """The model in words, for lists and headings."""
        name = self.model.model
        return f"{name} on {self.classic.features}" if name in FITTED else name


def left_open(cfg: ClassifyConfig) -> tuple[str, ...]:
    """Flags of the settings that are not stated, so that fitting has to choose them."""
    own = cfg.classic
    if cfg.model.model == "knn":
        return ("--k",) * (own.k == 0) + ("--distance",) * (own.distance == "auto")
    return ("--reg",) * (own.reg == 0)


def require_choosable(cfg: ClassifyConfig, n_train: int, n_val: int) -> None:
    """Refuse to choose where nothing can tell candidates apart, and ways to choose where nothing is left to be chosen.

    Args:
        n_train, n_val: labelled pictures.

    Raises:
        ConfigError: no validation pictures and no folds, more folds than pictures, folds or repeats for nothing, or a
            metric that needs probabilities.
    """
    own, name, chosen = cfg.classic, cfg.model.model, left_open(cfg)
    if cfg.train.metric not in ("auto", *FITTED_METRICS):
        choose(cfg.train.metric, dict.fromkeys(FITTED_METRICS), f"metric of {name}")
    if own.repeats > 1 and not own.folds:
        raise ConfigError(f"--repeats {own.repeats} needs folds to repeat: say --folds 5, or leave it out.")
    if own.folds and not chosen:
        stated = f"--k {own.k}" if name == "knn" else f"--reg {own.reg:g}"
        raise ConfigError(f"--folds {own.folds} has nothing to choose beside {stated}: leave one of them out.")
    if own.folds > n_train:
        raise ConfigError(f"--folds must be at most the number of training pictures, {n_train}, got {own.folds}.")
    if chosen and not own.folds and not n_val:
        raise ConfigError(
            f"{chosen[0]} is left to be chosen by validation, and there is no validation split. State {chosen[0]}, or "
            "choose by cross-validation with --folds 5."
        )
