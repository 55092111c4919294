"""Settings of classification. Imports no torch."""

from dataclasses import dataclass, field
from typing import Literal

from pellucid.core.config import require
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import CrossEntropyConfig, OptimConfig, ScheduleConfig, TrainConfig

FITTED = ("knn", "svm", "softmax")  # models that are fitted in one go, not trained by gradient steps


@dataclass(frozen=True)
class ModelConfig:
    model: str = "auto"
    """Name of the network (see `pellucid models`), or knn, svm, softmax; auto is convnet up to 64 px, else resnet18."""


@dataclass(frozen=True)
class ClassicConfig:
    """What only knn, svm and softmax have."""

    features: str = "pixels"
    """What they see: pixels, hog, hog2, color, hog+color, bow, or a run whose network sees for them."""
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
    """Network and number of classes of a run in --features, such as convnet:10; filled in by itself."""

    def __post_init__(self) -> None:
        require(bool(self.features), "features", "a name or a run", self.features)
        require(self.k >= 0, "k", "0 (chosen) or positive", self.k)
        require(self.reg >= 0, "reg", "0 (chosen) or positive", self.reg)
        require(self.folds == 0 or self.folds >= 2, "folds", "0 (none) or at least 2", self.folds)
        require(self.repeats >= 1, "repeats", "at least 1", self.repeats)


@dataclass(frozen=True)
class ClassifyConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    classic: ClassicConfig = field(default_factory=ClassicConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: CrossEntropyConfig = field(default_factory=CrossEntropyConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
