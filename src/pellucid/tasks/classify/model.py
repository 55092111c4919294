"""The network of a classifier, by name."""

from dataclasses import fields, replace
from typing import Any

from torch import nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.models.classify import AUXILIARY_HEADS, MODELS
from pellucid.models.fitted.classifier import knn, linear
from pellucid.models.fitted.neighbours import require_k
from pellucid.models.from_batch import FromBatch, FromPixels
from pellucid.tasks.classify.config import (
    FITTED,
    ClassicConfig,
    ClassifyConfig,
    ClassifyLossConfig,
    require_choosable,
)
from pellucid.tasks.classify.features import PIXELS, is_deep, make_features, resolve_features
from pellucid.training.config import TrainConfig
from pellucid.training.resolve import resolve_batch, resolve_class_weights, resolve_data

SMALL_UP_TO = 64
USUAL_BATCH = 128
STEPS_ONLY = ("transfer", "loss", "regularise", "optim", "schedule")  # sections that only gradient steps have a use for
LOOP_ONLY = ("defaults", "epochs", "patience")  # and settings of the section that all share
NEIGHBOURS_ONLY = ("k", "distance", "ties")
LINEAR_ONLY = ("reg",)


def resolve(cfg: ClassifyConfig, facts: DataFacts) -> ClassifyConfig:
    """Settle model, image settings, batch and class weights.

    Raises:
        ConfigError: the model is unknown, the class weights do not fit the classes, or a setting was stated that this
            kind of model has no use for.
    """
    name = cfg.model.model
    if name in FITTED:
        return _resolve_fitted(cfg, facts)
    _refuse_changed(cfg, "classic", name, f"only for {', '.join(FITTED)}")
    cfg = resolve_class_weights(resolve_data(cfg, facts), facts)
    cfg = resolve_batch(cfg, facts, USUAL_BATCH, sum(facts.class_counts))
    if name == "auto":
        name = "convnet" if min(facts.preprocess.size) <= SMALL_UP_TO else "resnet18"
    choose(name, MODELS, "model")
    if cfg.loss.auxiliary_weight != ClassifyLossConfig().auxiliary_weight and name not in AUXILIARY_HEADS:
        _refuse("auxiliary_weight", name, "which has no auxiliary heads")
    if cfg.transfer.tune == "last" and name in AUXILIARY_HEADS:
        cfg = replace(cfg, loss=replace(cfg.loss, auxiliary_weight=0.0))  # they help layers that are frozen
    return replace(cfg, model=replace(cfg.model, model=name))


def _resolve_fitted(cfg: ClassifyConfig, facts: DataFacts) -> ClassifyConfig:
    """One pass over pictures as they are, in fp32. What would be left unused is refused before anything is written.

    Raises:
        ConfigError: as it says.
    """
    name, why = cfg.model.model, "which is fitted in one go, not trained by steps"
    usual = TrainConfig()
    for setting in LOOP_ONLY:
        value = getattr(cfg.train, setting)
        if value != getattr(usual, setting) and (setting, value) != ("epochs", 1):
            _refuse(setting, name, why)
    if cfg.train.batch == "auto":
        _refuse("batch", name, why)
    if cfg.train.accumulate > 1:
        _refuse("accumulate", name, why)
    for section in STEPS_ONLY:
        _refuse_changed(cfg, section, name, why)
    if cfg.model.mirror:
        _refuse("mirror", name, "only for networks")
    unchanged = replace(cfg, augment=replace(cfg.augment, augment=True))
    _refuse_changed(unchanged, "augment", name, "which sees pictures as they are")
    for setting in LINEAR_ONLY if name == "knn" else NEIGHBOURS_ONLY:
        if getattr(cfg.classic, setting) != getattr(ClassicConfig(), setting):
            _refuse(setting, name, "only for svm and softmax" if name == "knn" else "only for knn")
    if cfg.data.preprocess != DataConfig().preprocess and (name == "knn" or cfg.classic.features != PIXELS):
        own = "has the numbers of its network" if is_deep(cfg.classic.features) else "sees pixel values as they are"
        _refuse("preprocess", name, f"which {own} with features {cfg.classic.features}")
    n_train = sum(facts.class_counts)
    require_k(cfg.classic.k, n_train)
    require_choosable(cfg, n_train, facts.n_val)
    cfg = resolve_features(resolve_batch(resolve_data(cfg, facts), facts, USUAL_BATCH))
    train = replace(cfg.train, epochs=1, precision="fp32")
    return replace(cfg, train=train, augment=AugmentConfig(augment=False))


def _refuse_changed(cfg: ClassifyConfig, section: str, model: str, why: str) -> None:
    stated: Any = getattr(cfg, section)
    usual = type(stated)()
    for each in fields(stated):
        if getattr(stated, each.name) != getattr(usual, each.name):
            _refuse(each.name, model, why)


def _refuse(setting: str, model: str, why: str) -> None:
    raise ConfigError(f"--{setting.replace('_', '-')} means nothing for model {model}, {why}. Leave it out.")


def make_model(cfg: ClassifyConfig, facts: DataFacts) -> nn.Module:
    """`forward(batch) -> {"logits": (N, K)}`."""
    if cfg.model.model in FITTED:
        features = make_features(cfg, facts)
        net = knn(features, facts, cfg.classic.ties) if cfg.model.model == "knn" else linear(features, facts)
        return FromPixels(net, facts.preprocess)
    build = choose(cfg.model.model, MODELS, "model")
    network = build(facts.n_classes, facts.preprocess.channels, facts.preprocess.size)
    return FromBatch(network, facts.preprocess, cfg.model.mirror)
