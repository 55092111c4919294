"""Settings of detection. Imports no torch."""

from dataclasses import dataclass, field, replace
from typing import Literal

from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.training.config import OptimConfig, RegulariseConfig, ScheduleConfig, TrainConfig, TransferConfig

USUAL_ZOOM = (0.8, 1.25)  # the standard scale jitter of Ghiasi et al. 2021, arXiv 2012.07177


@dataclass(frozen=True)
class ModelConfig:
    model: str = "auto"
    """Name of the network (see `pellucid models`); auto is yolo, or what --weights are of."""
    backbone: str = "auto"
    """Network of the zoo whose maps the detector reads; auto is the usual one, or that of --weights."""
    proposals: int = 0
    """Regions of a picture that the second stage judges when it looks for things, in networks that propose regions
    themselves; 0 is the usual 100. Fewer are faster and miss more."""

    def __post_init__(self) -> None:
        require(self.proposals >= 0, "proposals", "0 or positive", self.proposals)


@dataclass(frozen=True)
class DetectLossConfig:
    box_weight: float = 1.0
    """Weight of the losses of boxes beside those of classes."""
    box_loss: Literal["auto", "l2", "l1", "smooth_l1", "giou"] = "auto"
    """How a localizer compares boxes, and keypoints with them; auto is l2. Other models have losses of their own."""
    mask_weight: float = 1.0
    """Weight of the loss of masks, in networks that have one."""
    keypoint_weight: float = 1.0
    """Weight of the loss of keypoints, in networks that have one."""

    def __post_init__(self) -> None:
        for name in ("box_weight", "mask_weight", "keypoint_weight"):
            require(getattr(self, name) >= 0, name, "0 or positive", getattr(self, name))


def usual_augment(augment: AugmentConfig) -> AugmentConfig:
    """The settings with what detection does unless it is told otherwise: things come in all sizes."""
    cuts = augment.short_side[0] or augment.crop < 1 or augment.policy or not augment.augment
    return augment if cuts or augment.zoom != (0, 0) else replace(augment, zoom=USUAL_ZOOM)


@dataclass(frozen=True)
class DetectConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: DetectLossConfig = field(default_factory=DetectLossConfig)
    regularise: RegulariseConfig = field(default_factory=RegulariseConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.augment.mixes:
            raise ConfigError(
                f"{', '.join(self.augment.mixes)} gives a picture the labels of two, which boxes have no place for. "
                "Leave it out."
            )
        if self.transfer.autoencode_epochs:
            raise ConfigError("--autoencode-epochs is for classifiers, whose last layer reads a code. Leave it out.")

    @property
    def title(self) -> str:
        """The model in words, for lists and headings."""
        on = f" on {self.model.backbone}" if self.model.backbone not in ("", "auto") else ""
        return f"{self.model.model}{on}"
