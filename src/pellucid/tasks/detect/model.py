"""The network of a detector, by name, in the form that tasks want."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect import BACKBONES, BOX_LOSS, COUNTED, KEYPOINTS, MASKS, MODELS, PROPOSED
from pellucid.models.detect import build as build_net
from pellucid.models.detect.found import Found, Limits
from pellucid.models.detect.one_by_one import OneByOne
from pellucid.models.detect.truth import Truth
from pellucid.nn.precision import as_float32
from pellucid.ops.normalise import normalise
from pellucid.tasks.detect.config import DetectConfig, usual_augment
from pellucid.tasks.detect.proposals import propose
from pellucid.training.resolve import resolve_backbone, resolve_batch, resolve_data

USUAL_MODEL = "yolo"
USUAL_BATCH = 16
AUTO = "auto"
LOSS = "loss_"  # before the names of losses among the outputs


class FromPictures(nn.Module):
    """Normalise `batch["image"]`, and give what a detector learns and finds.

    Outputs: `loss_NAME` 0-dim, the mean over pictures, where the batch says what is in them; outside training also
    `found_boxes_xyxy`, `found_scores` ..., see `models.detect.found`.

    Args:
        net: a `models.detect.detector.Detector`.
        limits: what of all that could be named counts as found; None leaves it to the network.
        proposed: whether the network judges boxes that are proposed to it, `net(x, truth, proposals_xyxy)`.
    """

    def __init__(
        self, net: nn.Module, preprocess: Preprocess, limits: Limits | None = None, proposed: bool = False
    ) -> None:
        super().__init__()
        self.net = net
        self.preprocess = preprocess
        self.proposed = proposed
        own: Limits | None = getattr(net, "limits", None)
        self.limits = limits or own or Limits()

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        truth = Truth.of(batch)
        outputs = self._look(batch["image"], truth)
        with torch.autocast(batch["image"].device.type, enabled=False):
            outputs = as_float32(outputs)
            losses = {} if truth is None else self.net.losses(outputs, truth)  # type: ignore[operator]
        # outlines and keypoints are read by convolutions, in the precision of all others
        found = {} if self.training else self.net.found(outputs, self.limits).outputs()  # type: ignore[operator]
        return {LOSS + name: each.mean() for name, each in losses.items()} | found

    def find(self, image: Tensor, limits: Limits) -> Found:
        """The things in (N, C, H, W) uint8 pictures, within other limits than those of training."""
        found: Found = self.net.found(as_float32(self._look(image, None)), limits)  # type: ignore[operator]
        return found

    def _look(self, image: Tensor, truth: Truth | None) -> dict[str, Tensor]:
        """The network's outputs; boxes are proposed now, where it judges such and no data brings them."""
        x = normalise(image, self.preprocess)  # (N, C, H, W)
        if not self.proposed or (truth is not None and truth.proposals_xyxy is not None):
            found: dict[str, Tensor] = self.net(x, truth)
            return found
        found = self.net(x, truth, propose(image))
        return found


def resolve(cfg: DetectConfig, facts: DataFacts) -> DetectConfig:
    """Settle model, backbone, augmentation, image settings and batch.

    Raises:
        ConfigError: the model or the backbone is unknown, or the model has no use for one or nothing that --metric
            measures.
    """
    name, backbone = names(cfg)
    _require_measured(cfg.train.metric, name)
    model = replace(cfg.model, model=name, backbone=backbone)
    cfg = replace(cfg, model=model, augment=usual_augment(cfg.augment))
    return resolve_batch(resolve_data(cfg, facts), facts, USUAL_BATCH)


def _require_measured(metric: str, model: str) -> None:
    for begins, able in (("mask_", MASKS), ("keypoint_", KEYPOINTS)):
        if metric.startswith(begins) and model not in able:
            raise ConfigError(
                f"--metric {metric} is not measured for model {model}, which finds boxes alone. Take --metric ap, or "
                f"--model {', '.join(able)}."
            )


def names(cfg: DetectConfig) -> tuple[str, str]:
    """The model and its backbone, "" for none or for an encoder of its own.

    Raises:
        ConfigError: one of them is unknown, or the model is made of one piece.
    """
    name = USUAL_MODEL if cfg.model.model == AUTO else cfg.model.model
    choose(name, MODELS, "model")
    if cfg.loss.box_loss != AUTO and name not in BOX_LOSS:
        raise ConfigError(
            f"--box-loss {cfg.loss.box_loss} means nothing for model {name}, whose losses are its own. Leave it "
            f"out, or take --model {', '.join(BOX_LOSS)}."
        )
    if cfg.model.proposals and name not in COUNTED:
        raise ConfigError(
            f"--proposals {cfg.model.proposals} means nothing for model {name}, which proposes no regions. Leave it "
            f"out, or take --model {', '.join(COUNTED)}."
        )
    return name, resolve_backbone(name, cfg.model.backbone, BACKBONES)


def make_model(cfg: DetectConfig, facts: DataFacts) -> FromPictures | OneByOne:
    """`forward(batch) -> {"loss_class": ..., "found_boxes_xyxy": ...}`."""
    name, backbone = names(cfg)
    preprocess = facts.preprocess
    box_loss = "" if cfg.loss.box_loss == AUTO else cfg.loss.box_loss
    net = build_net(
        name,
        facts.n_classes,
        preprocess.channels,
        preprocess.size,
        backbone,
        facts.n_keypoints,
        box_loss,
        cfg.model.proposals,
    )
    if preprocess.resize is not None:
        return OneByOne(net, preprocess)
    return FromPictures(net, preprocess, proposed=name in PROPOSED)
