"""The network of a classifier, by name."""

from dataclasses import replace

from pellucid.core.choose import choose
from pellucid.core.facts import DataFacts
from pellucid.models.classify import MODELS
from pellucid.models.from_batch import FromBatch
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.training.resolve import resolve_batch, resolve_class_weights, resolve_data

SMALL_UP_TO = 64
USUAL_BATCH = 128


def resolve(cfg: ClassifyConfig, facts: DataFacts) -> ClassifyConfig:
    """Settle model, image settings, batch and class weights.

    Raises:
        ConfigError: the model is unknown, or the class weights do not fit the classes.
    """
    cfg = resolve_batch(resolve_class_weights(resolve_data(cfg, facts), facts), facts, USUAL_BATCH)
    name = cfg.model.model
    if name == "auto":
        name = "convnet" if min(facts.preprocess.size) <= SMALL_UP_TO else "resnet18"
    choose(name, MODELS, "model")
    return replace(cfg, model=replace(cfg.model, model=name))


def make_model(cfg: ClassifyConfig, facts: DataFacts) -> FromBatch:
    """`forward(batch) -> {"logits": (N, K)}`."""
    build = choose(cfg.model.model, MODELS, "model")
    net = build(facts.n_classes, facts.preprocess.channels, facts.preprocess.size)
    return FromBatch(net, facts.preprocess)
