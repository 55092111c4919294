"""Segmenters that start from weights: those of a whole segmenter, or of a classifier that becomes the encoder."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers
from pellucid.core.shapes import parse_size
from pellucid.models.published.find import published
from pellucid.models.published.load import Published, fit
from pellucid.models.published.shapes import of_classes, wanted_shapes
from pellucid.models.segment import BACKBONES, MODELS, build
from pellucid.models.segment.fcn import head_of_vgg
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.training.transfer.borrowed import Borrowed, prepare_like
from pellucid.training.transfer.encoder import Family, place_of, require_same
from pellucid.training.transfer.plan import Plan

USUAL_ON_ENCODER = "unet"  # the segmenter that a classifier becomes the encoder of unless one is named
FAMILY = Family("segmenter", "encoder", MODELS, BACKBONES, MODELS, USUAL_ON_ENCODER, build)


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
    FAMILY.require_known(cfg)
    found = published(spec, FAMILY.asked_for(cfg), segmenters=True)
    return _whole(cfg, found) if found.task == "segment" else _encoder(cfg, found)


def _whole(cfg: SegmentConfig, found: Published) -> tuple[SegmentConfig, Borrowed]:
    """Start from a whole segmenter."""
    require_same(cfg, found)
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
    made = FAMILY.on_classifier(cfg, found)
    is_vgg = found.network.startswith("vgg") and made.cfg.model.model.startswith("fcn")
    above = head_of_vgg(found.net.state_dict()) if is_vgg else {}
    numbers = Numbers(found.preprocess)
    return made.cfg, BorrowedEncoder(found, numbers, made.notes, made.start, frozenset(), made.encoder, above)


def plan(cfg: SegmentConfig, facts: DataFacts, net: nn.Module) -> Plan | None:
    """What is frozen in which epoch; None for a network that starts from scratch.

    The last layer is everything that stands on the encoder; of a network without one, what has a number of classes.
    """
    if not cfg.transfer.weights:
        return None
    names, (place, _) = [name for name, _ in net.named_parameters()], place_of(net)
    above = {name for name in names if not name.startswith(f"{place}.")}
    if not place:
        preprocess = facts.preprocess
        above = set(
            of_classes(wanted_shapes(cfg.model.model, preprocess.size, preprocess.channels, cfg.model.backbone))
        )
    return Plan(net, above, cfg.transfer)
