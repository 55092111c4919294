"""Fill in the settings that were left to "auto", once the data is known. Shared by tasks with the common sections."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.models.backbones import LAYOUTS

Config = TypeVar("Config")

STEPS_AN_EPOCH = 16
SMALLEST_BATCH = 8  # fewer pictures make the statistics of batch norm too noisy


def resolve_data(cfg: Config, facts: DataFacts) -> Config:
    """Image size, fit and colour as they were decided from the pictures."""
    preprocess = facts.preprocess
    settled: Any = cfg
    data = replace(
        settled.data,
        image_size=f"{preprocess.size[0]}x{preprocess.size[1]}",
        fit=preprocess.fit,
        colour="grey" if preprocess.channels == 1 else "rgb",
    )
    return replace(settled, data=data)


def resolve_backbone(model: str, stated: str, usual: Mapping[str, str]) -> str:
    """The network of the zoo that a model stands on, "" for none or for an encoder of its own.

    Args:
        stated: what `--backbone` says; "auto" and "" leave it open.
        usual: model -> the backbone it has unless told; only these take one.

    Raises:
        ConfigError: it is unknown, or the model is made of one piece.
    """
    if stated in ("auto", ""):
        return usual.get(model, "")
    if model not in usual:
        raise ConfigError(
            f"--backbone {stated} means nothing for model {model}, which is made of one piece. Leave it out, or take "
            f"--model {', '.join(usual)}."
        )
    choose(stated, LAYOUTS, "backbone")
    return stated


def resolve_batch(cfg: Config, facts: DataFacts, usual: int, labelled: int = 0) -> Config:
    """The usual batch, halved until an epoch has at least 16 steps: a small set in few large steps learns little.

    Args:
        labelled: pictures that steps are made of, where that is not all of the training split.
    """
    settled: Any = cfg
    if settled.train.batch:
        return cfg
    batch = usual
    while batch > SMALLEST_BATCH and (labelled or facts.n_train) < STEPS_AN_EPOCH * batch:
        batch //= 2
    return replace(settled, train=replace(settled.train, batch=batch))


def resolve_class_weights(cfg: Config, facts: DataFacts) -> Config:
    """`--balance` as numbers; stated weights are checked against the classes.

    Raises:
        ConfigError: another number of weights than classes, or both ways asked for at once.
    """
    settled: Any = cfg
    loss = settled.loss
    if loss.class_weights and loss.balance:
        raise ConfigError("Give either --balance or --class-weights, not both.")
    if loss.class_weights and len(loss.class_weights) != facts.n_classes:
        raise ConfigError(
            f"class_weights needs one number for each of the {facts.n_classes} classes "
            f"({', '.join(facts.classes)}), got {len(loss.class_weights)}."
        )
    if loss.balance:
        loss = replace(loss, balance=False, class_weights=balanced_weights(facts.class_counts))
    return replace(settled, loss=loss)


def balanced_weights(counts: tuple[int, ...]) -> tuple[float, ...]:
    """Weights proportional to 1 / count, whose mean over all training examples is 1; 0 for absent classes.

    With n examples and k classes present: n / (k * count), the "balanced" rule of scikit-learn.
    """
    present = sum(count > 0 for count in counts)
    total = sum(counts)
    return tuple(total / (present * count) if count else 0.0 for count in counts)
