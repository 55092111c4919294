"""The network of a segmenter, by name."""

from pellucid.core.choose import choose
from pellucid.core.facts import DataFacts
from pellucid.models.from_batch import FromBatch
from pellucid.models.segment import MODELS
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.training.resolve import resolve_batch, resolve_class_weights, resolve_data

USUAL_BATCH = 32


def resolve(cfg: SegmentConfig, facts: DataFacts) -> SegmentConfig:
    """Settle image settings, batch and class weights.

    Raises:
        ConfigError: the model is unknown, or the class weights do not fit the classes.
    """
    choose(cfg.model.model, MODELS, "model")
    return resolve_batch(resolve_class_weights(resolve_data(cfg, facts), facts), facts, USUAL_BATCH)


def make_model(cfg: SegmentConfig, facts: DataFacts) -> FromBatch:
    """`forward(batch) -> {"logits": (N, K, H, W)}`."""
    build = choose(cfg.model.model, MODELS, "model")
    net = build(facts.n_classes, facts.preprocess.channels, facts.preprocess.size)
    return FromBatch(net, facts.preprocess)
