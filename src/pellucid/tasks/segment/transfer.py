"""Segmenters that start from weights: those of a whole segmenter, or of a classifier that becomes the encoder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers
from pellucid.core.shapes import parse_size
from pellucid.models.backbones import LAYOUTS, Backbone, backbone
from pellucid.models.published.find import IMAGENET, published
from pellucid.models.published.hub import PREFIX
from pellucid.models.published.load import Published, fit
from pellucid.models.published.packaged import PACKAGED
from pellucid.models.published.read import read_foreign
from pellucid.models.published.shapes import of_classes, wanted_shapes
from pellucid.models.published.timm import read_config
from pellucid.models.published.torchvision import by_file
from pellucid.models.segment import BACKBONES, MODELS
from pellucid.models.segment import build as build_net
from pellucid.models.segment.fcn import head_of_vgg
from pellucid.models.weights import is_ours
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.model import AUTO
from pellucid.training.transfer.borrowed import Borrowed, prepare_like, require_numbers
from pellucid.training.transfer.plan import Plan

USUAL_ENCODER = "efficientnet_lite0"  # the smallest network whose ImageNet weights come as a package
USUAL_ON_ENCODER = "unet"  # the segmenter that a classifier becomes the encoder of unless one is named
EXAMPLES = ("resnet18", "vgg11_bn", "mobilenet_v2", "efficientnet_lite0", "convnet")
ENCODER = "backbone"  # what a segmenter calls the part that gives its maps


@dataclass(frozen=True)
class BorrowedEncoder(Borrowed):
    """A classifier's weights without its head.

    Attributes:
        above: what may be taken over of the head, where the run's network has such layers: VGG's two fully connected
            ones, as convolutions.
    """

    above: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    def settle(self, cfg: SegmentConfig, facts: DataFacts) -> SegmentConfig:
        """See `Borrowed.settle`.

        Raises:
            ConfigError: pictures here are of a size at which the encoder has another stem.
        """
        model, size = cfg.model, facts.preprocess.size
        wanted = wanted_shapes(model.model, size, facts.preprocess.channels, model.backbone)
        self.require_stem(wanted, size)
        return super().settle(cfg, facts)

    def tensors(self, cfg: SegmentConfig) -> dict[str, Tensor]:
        """See `Borrowed.tensors`; and the layers above the encoder that fit."""
        return {**super().tensors(cfg), **self._fitting(cfg)}

    def sentences(self, cfg: SegmentConfig, facts: DataFacts) -> list[str]:
        """See `Borrowed.sentences`."""
        said = super().sentences(cfg, facts)
        if self._fitting(cfg):
            said.append("The fully connected layers of the classifier are taken over as convolutions.")
        return said

    def _fitting(self, cfg: SegmentConfig) -> dict[str, Tensor]:
        if not self.above:
            return {}
        size, channels = parse_size(cfg.data.image_size), self.found.preprocess.channels
        wanted = wanted_shapes(cfg.model.model, size, channels, cfg.model.backbone)
        fit = all(wanted.get(name) == tuple(tensor.shape) for name, tensor in self.above.items())
        return dict(self.above) if fit else {}


def borrow(cfg: SegmentConfig) -> tuple[SegmentConfig, Borrowed | None]:
    """Read the weights that the settings name, and take over what they are of. No picture is read.

    Weights of a segmenter bring the network and how its pictures are prepared. Weights of a classifier bring the
    encoder and the numbers of its pictures; size and fit are left to the data.

    Raises:
        ConfigError: the settings contradict the weights.
        WeightsError: they are not there, cannot be read, or belong to another network.
    """
    spec = cfg.transfer.weights
    if not spec:
        return cfg, None
    if cfg.model.model != AUTO:
        choose(cfg.model.model, MODELS, "model")
    if cfg.model.backbone not in (AUTO, ""):
        choose(cfg.model.backbone, LAYOUTS, "backbone")
    found = published(spec, _asked_for(cfg), segmenters=True)
    return _whole(cfg, found) if found.task == "segment" else _encoder(cfg, found)


def _asked_for(cfg: SegmentConfig) -> str | None:
    """The network to load weights as that do not say it themselves; None where they do."""
    spec, stated = cfg.transfer.weights, cfg.model.backbone
    path = Path(spec)
    if spec == IMAGENET:
        own = _encoder_of(cfg.model.model, stated)
        return own if own and (stated != AUTO or cfg.model.model not in BACKBONES) else USUAL_ENCODER
    says = spec.startswith(PREFIX) or spec in PACKAGED or not path.is_file() or is_ours(path)
    if says or by_file(path.name) or read_config(path):
        return None
    if any(name.startswith(f"{ENCODER}.") for name in read_foreign(path).tensors):
        return None if cfg.model.model == AUTO else cfg.model.model
    return _encoder_of(cfg.model.model, stated) or None


def _encoder_of(model: str, stated: str) -> str:
    """The network of the zoo that a segmenter has its maps from; "" for none, or where nobody says it."""
    if stated not in (AUTO, ""):
        return stated
    if model == AUTO:
        return ""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        inner = getattr(build_net(model, 2, 3, (128, 128)), ENCODER, None)
    return inner.name if isinstance(inner, Backbone) else ""


def _whole(cfg: SegmentConfig, found: Published) -> tuple[SegmentConfig, Borrowed]:
    """Start from a whole segmenter."""
    on = f"{found.network} on {found.backbone}" if found.backbone else found.network
    stated, under = cfg.model.model, cfg.model.backbone
    if stated not in (AUTO, found.network) or under not in (AUTO, "", found.backbone):
        asked = " ".join(
            f"--{flag} {value}" for flag, value in (("model", stated), ("backbone", under)) if value not in (AUTO, "")
        )
        raise WeightsError(f"{asked}: {found.source} has weights of {on}. Leave that out, or give other weights.")
    preprocess, said = prepare_like(cfg.data, found)
    if (preprocess.size, preprocess.channels) != (found.preprocess.size, found.preprocess.channels):
        state = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
        net = fit(found.network, cfg.transfer.weights, state, preprocess, None, False, found.backbone).net
        found = replace(found, net=net)
    start = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
    wanted = wanted_shapes(found.network, preprocess.size, preprocess.channels, found.backbone)
    model = replace(cfg.model, model=found.network, backbone=found.backbone or BACKBONES.get(found.network, ""))
    return replace(cfg, model=model), Borrowed(found, preprocess, tuple(said), start, frozenset(of_classes(wanted)))


def _encoder(cfg: SegmentConfig, found: Published) -> tuple[SegmentConfig, Borrowed]:
    """Start from a classifier as encoder."""
    notes = []
    model, name = cfg.model, cfg.model.model
    if found.network not in LAYOUTS:
        raise WeightsError(
            f"{found.source} has weights of {found.network}, which has no maps for a segmenter. Give those of a "
            f"network with stages, such as {', '.join(EXAMPLES)}, or of a segmenter."
        )
    if name == AUTO:
        name = USUAL_ON_ENCODER
        notes.append(f"the network is {name} on {found.network}, since none is named: --model has others")
    own = found.network if name in BACKBONES and model.backbone in (AUTO, "") else _encoder_of(name, model.backbone)
    if not own:
        raise ConfigError(
            f"--weights {cfg.transfer.weights} are of {found.network}, a classifier, and model {name} takes none as "
            f"encoder. Say --model {', '.join(BACKBONES)}, or give weights of a {name}."
        )
    if own != found.network:
        other = f"say --backbone {found.network}, or " if name in BACKBONES else ""
        raise WeightsError(
            f"Model {name} stands on {own}, and {found.source} has weights of {found.network}: {other}give weights of "
            f"{own}."
        )
    colour = require_numbers(cfg.data, found.preprocess)
    notes.append(f"pixels are prepared as for the weights ({colour}); size and fit are those of the data")
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        keys = list(backbone(own, found.preprocess.channels, found.preprocess.size).state_dict())
    state = found.net.state_dict()
    start = {f"{ENCODER}.{key}": state[key] for key in keys}
    under = own if name in BACKBONES else model.backbone
    cfg = replace(
        cfg,
        model=replace(model, model=name, backbone=under),
        data=replace(cfg.data, colour=colour),
    )
    numbers, encoder = Numbers(found.preprocess), f"the encoder {own}"
    above = head_of_vgg(state) if own.startswith("vgg") and name.startswith("fcn") else {}
    return cfg, BorrowedEncoder(found, numbers, tuple(notes), start, frozenset(), encoder, above)


def plan(cfg: SegmentConfig, facts: DataFacts, net: nn.Module) -> Plan | None:
    """What is frozen in which epoch; None for a network that starts from scratch.

    The last layer is everything that stands on the encoder; of a network without one, what has a number of classes.
    """
    if not cfg.transfer.weights:
        return None
    names = [name for name, _ in net.named_parameters()]
    above = {name for name in names if not name.startswith(f"{ENCODER}.")}
    if above == set(names):
        preprocess = facts.preprocess
        above = set(
            of_classes(wanted_shapes(cfg.model.model, preprocess.size, preprocess.channels, cfg.model.backbone))
        )
    return Plan(net, above, cfg.transfer)
