"""Settings of classification. Imports no torch."""

from dataclasses import dataclass, field

from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import CrossEntropyConfig, OptimConfig, ScheduleConfig, TrainConfig


@dataclass(frozen=True)
class ModelConfig:
    model: str = "auto"
    """Name of the network (see `pellucid models`); auto is convnet up to 64 px, else resnet18."""


@dataclass(frozen=True)
class ClassifyConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: CrossEntropyConfig = field(default_factory=CrossEntropyConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
