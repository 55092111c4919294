"""The network of a segmenter, by name."""

from dataclasses import replace

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.facts import DataFacts
from pellucid.models.from_batch import FromBatch
from pellucid.models.segment import AUXILIARY_HEADS, BACKBONES, MODELS
from pellucid.models.segment import build as build_net
from pellucid.tasks.segment.config import SegmentConfig, SegmentLossConfig
from pellucid.training.resolve import resolve_backbone, resolve_batch, resolve_class_weights, resolve_data

USUAL_MODEL = "fcn_small"
USUAL_BATCH = 32
AUTO = "auto"


def resolve(cfg: SegmentConfig, facts: DataFacts) -> SegmentConfig:
    """Settle model, backbone, image settings, batch and class weights.

    Raises:
        ConfigError: the model or the backbone is unknown, the model has no use for one or no auxiliary head to weigh,
            or the class weights do not fit the classes.
        DataError: the training masks show fewer than two classes.
    """
    _require_classes(facts)
    name, backbone = names(cfg)
    if cfg.loss.auxiliary_weight != SegmentLossConfig().auxiliary_weight and name not in AUXILIARY_HEADS:
        raise ConfigError(
            f"--auxiliary-weight means nothing for model {name}, which has no auxiliary head. Leave it out."
        )
    cfg = replace(cfg, model=replace(cfg.model, model=name, backbone=backbone))
    return resolve_batch(resolve_class_weights(resolve_data(cfg, facts), facts), facts, USUAL_BATCH)


def _require_classes(facts: DataFacts) -> None:
    if not facts.n_train:
        return
    shown = [name for name, count in zip(facts.classes, facts.class_counts, strict=True) if count]
    if not shown:
        raise DataError(
            f"{facts.source}: every pixel of the {facts.n_train} training masks is ignored (255), so nothing can be "
            "learned. Look at the values of one mask: write class numbers 0..K-1, or name the value of each class in "
            "classes.txt."
        )
    if len(shown) == 1:
        raise DataError(
            f"{facts.source}: the {facts.n_train} training masks show nothing but {shown[0]}, so nothing can be told "
            f"apart. Classes that never occur: {', '.join(name for name in facts.classes if name not in shown)}."
        )


def names(cfg: SegmentConfig) -> tuple[str, str]:
    """The model and its backbone, "" for none or for an encoder of its own.

    Raises:
        ConfigError: one of them is unknown, or the model is made of one piece.
    """
    name = USUAL_MODEL if cfg.model.model == AUTO else cfg.model.model
    choose(name, MODELS, "model")
    return name, resolve_backbone(name, cfg.model.backbone, BACKBONES)


def make_model(cfg: SegmentConfig, facts: DataFacts) -> FromBatch:
    """`forward(batch) -> {"logits": (N, K, H, W)}`, in training also `auxiliary` of networks that have such a head."""
    name, backbone = names(cfg)
    net = build_net(name, facts.n_classes, facts.preprocess.channels, facts.preprocess.size, backbone)
    return FromBatch(net, facts.preprocess)
