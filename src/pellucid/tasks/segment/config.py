"""Settings of semantic segmentation. Imports no torch."""

from dataclasses import dataclass, field

from pellucid.core.errors import ConfigError
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import CrossEntropyConfig, OptimConfig, RegulariseConfig, ScheduleConfig, TrainConfig


@dataclass(frozen=True)
class ModelConfig:
    model: str = "fcn_small"
    """Name of the network; `pellucid models` lists them."""


@dataclass(frozen=True)
class SegmentConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: CrossEntropyConfig = field(default_factory=CrossEntropyConfig)
    regularise: RegulariseConfig = field(default_factory=RegulariseConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if "mixup" in self.augment.mixes:
            raise ConfigError("mixup would give pixels of masks two classes. Use cutmix, which moves whole pixels.")

    @property
    def title(self) -> str:
        """The model in words, for lists and headings."""
        return self.model.model
