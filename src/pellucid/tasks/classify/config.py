"""Settings of classification. Imports no torch."""

from dataclasses import dataclass, field

from pellucid.core.config import require
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import OptimConfig, ScheduleConfig, TrainConfig


@dataclass(frozen=True)
class ModelConfig:
    model: str = "convnet"
    """Name of the network; `pellucid models` lists them."""


@dataclass(frozen=True)
class LossConfig:
    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over all classes."""
    balance: bool = False
    """Weigh classes by the inverse of how often they occur."""
    class_weights: tuple[float, ...] = ()
    """Weight of each class in the loss, in the order of the classes; replaces --balance."""

    def __post_init__(self) -> None:
        require(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)", self.label_smoothing)
        fits = all(weight >= 0 for weight in self.class_weights) and (not self.class_weights or any(self.class_weights))
        require(fits, "class_weights", "0 or positive, and not all 0", self.class_weights)


@dataclass(frozen=True)
class ClassifyConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
