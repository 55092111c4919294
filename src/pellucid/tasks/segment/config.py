"""Settings of semantic segmentation. Imports no torch."""

from dataclasses import dataclass, field

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import (
    CrossEntropyConfig,
    OptimConfig,
    RegulariseConfig,
    ScheduleConfig,
    TrainConfig,
    TransferConfig,
)

BY_PIXEL = ("cross-entropy", "focal", "boundary")  # losses that are a mean over pixels, which can weigh their classes
LOSSES = (*BY_PIXEL, "dice", "lovasz")
GAMMA = 2.0


@dataclass(frozen=True)
class ModelConfig:
    model: str = "auto"
    """Name of the network (see `pellucid models`); auto is fcn_small, or what --weights are of or can be built into."""
    backbone: str = "auto"
    """Network of the zoo whose maps fcn8s, unet and others segment; auto is the usual one, or that of --weights."""


@dataclass(frozen=True)
class SegmentLossConfig(CrossEntropyConfig):
    loss: str = "cross-entropy"
    """cross-entropy, dice, focal, lovasz, boundary (cross-entropy that counts borders more), or several added up with
    equal weights, such as cross-entropy+dice."""
    focal_gamma: float = GAMMA
    """How little of focal loss is for pixels that are right already; 0 makes it cross-entropy."""
    auxiliary_weight: float = 0.5
    """Weight of the auxiliary head beside the last one, in networks that have such; 0 leaves it untrained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.parts:
            choose(name, dict.fromkeys(LOSSES), "loss")
        twice = next((name for name in self.parts if self.parts.count(name) > 1), None)
        if twice:
            raise ConfigError(f"--loss {self.loss} names {twice} twice; all are added with equal weights.")
        require(self.focal_gamma >= 0, "focal_gamma", "0 or positive", self.focal_gamma)
        require(self.auxiliary_weight >= 0, "auxiliary_weight", "0 (without) or positive", self.auxiliary_weight)
        if "focal" not in self.parts and self.focal_gamma != GAMMA:
            raise ConfigError(f"--focal-gamma means nothing beside --loss {self.loss}, only with focal. Leave it out.")
        if not set(self.parts) & set(BY_PIXEL):
            stated = {"--label-smoothing": self.label_smoothing, "--balance": self.balance}
            flag = next((flag for flag, value in stated.items() if value), "--class-weights" * bool(self.class_weights))
            if flag:
                raise ConfigError(
                    f"{flag} means nothing beside --loss {self.loss}: it weighs classes alike and has no targets "
                    f"to smooth. Leave it out, or add one of {', '.join(BY_PIXEL)}: --loss cross-entropy+{self.loss}."
                )

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the losses that are added up."""
        return tuple(self.loss.split("+"))


@dataclass(frozen=True)
class SegmentConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: SegmentLossConfig = field(default_factory=SegmentLossConfig)
    regularise: RegulariseConfig = field(default_factory=RegulariseConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if "mixup" in self.augment.mixes:
            raise ConfigError("mixup would give pixels of masks two classes. Use cutmix, which moves whole pixels.")
        if self.transfer.autoencode_epochs:
            raise ConfigError(
                "--autoencode-epochs is for classifiers, whose last layer reads a code. For a segmenter train one so, "
                "and start from it: --weights RUN."
            )

    @property
    def title(self) -> str:
        """The model in words, for lists and headings."""
        on = f" on {self.model.backbone}" if self.model.backbone not in ("", "auto") else ""
        return f"{self.model.model}{on}"
