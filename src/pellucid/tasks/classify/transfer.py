"""Classifiers that start from weights that were trained on other pictures."""

from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.published.find import IMAGENET, published
from pellucid.models.published.load import fit
from pellucid.models.published.names import AUXILIARY
from pellucid.models.published.shapes import of_classes, wanted_shapes
from pellucid.tasks.classify.config import FITTED, ClassifyConfig
from pellucid.training.transfer.borrowed import Borrowed, prepare_like
from pellucid.training.transfer.plan import Plan

USUAL = "efficientnet_lite0"  # the smallest network whose ImageNet weights come as a package


def borrow(cfg: ClassifyConfig) -> tuple[ClassifyConfig, Borrowed | None]:
    """Read the weights that the settings name, and take over their network and preprocessing. No picture is read.

    Raises:
        ConfigError: the model has no use for weights, or the settings contradict them.
        WeightsError: they are not there, cannot be read, or belong to another network.
    """
    spec, name = cfg.transfer.weights, cfg.model.model
    if not spec:
        return cfg, None
    if name in FITTED:
        raise ConfigError(
            f"--weights means nothing for model {name}, which is fitted in one go. For the features of a trained "
            f"network say --features {spec if spec != IMAGENET else USUAL}."
        )
    notes = []
    if name == "auto" and spec == IMAGENET:
        name = USUAL
        notes.append(f"the network is {name}, since none is named: --model has others")
    found = published(spec, None if name == "auto" else name)
    preprocess, said = prepare_like(cfg.data, found)
    if (preprocess.size, preprocess.channels) != (found.preprocess.size, found.preprocess.channels):
        tensors = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
        fitted = fit(found.network, spec, tensors, preprocess, None, False)
        found = replace(found, net=fitted.net)
    cfg = replace(cfg, model=replace(cfg.model, model=found.network))
    start = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
    last = frozenset(_of_classes(found.network, preprocess))
    return cfg, Borrowed(found, preprocess, (*notes, *said), start, last)


def plan(cfg: ClassifyConfig, facts: DataFacts, net: nn.Module) -> Plan | None:
    """What is frozen in which epoch; None for a network that starts from scratch.

    Auxiliary heads are of the last stage, but for `tune="last"`, which trains the last layer of the answer alone.
    """
    if not cfg.transfer.weights:
        return None
    last = set(_of_classes(cfg.model.model, facts.preprocess))
    auxiliary = {name for name, _ in net.named_parameters() if name.startswith(AUXILIARY.get(cfg.model.model, ()))}
    return Plan(net, last - auxiliary if cfg.transfer.tune == "last" else last | auxiliary, cfg.transfer)


def _of_classes(network: str, preprocess: Preprocess) -> Mapping[str, tuple[int, ...]]:
    """Tensors that have a number of classes in their shape: those of the last layer."""
    return of_classes(wanted_shapes(network, preprocess.size, preprocess.channels))
