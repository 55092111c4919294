"""Classifiers that start from weights that were trained on other pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.shapes import parse_size
from pellucid.core.verdict import Verdict
from pellucid.data.config import DataConfig
from pellucid.models.published.find import IMAGENET, published
from pellucid.models.published.load import Published, fit
from pellucid.models.published.names import AUXILIARY
from pellucid.models.published.shapes import MARK, wanted_shapes
from pellucid.tasks.classify.config import FITTED, ClassifyConfig
from pellucid.training.transfer.advice import advise_transfer
from pellucid.training.transfer.plan import Plan

USUAL = "efficientnet_lite0"  # the smallest network whose ImageNet weights come as a package


@dataclass(frozen=True)
class Borrowed:
    """Weights to start from.

    Attributes:
        found: the network they are in, and what is known of them.
        preprocess: what the pictures of the run have to be like: as those of the weights, but for what the settings
            state otherwise.
        notes: what was decided, one sentence each.
    """

    found: Published
    preprocess: Preprocess
    notes: tuple[str, ...]

    def settle(self, cfg: ClassifyConfig, facts: DataFacts) -> ClassifyConfig:
        """Decide on the last layer, once the classes are known.

        Raises:
            ConfigError: the last layer is to be kept, and has another number of classes.
        """
        head, has = cfg.transfer.head, self.found.n_classes
        if head == "keep" and has != facts.n_classes:
            raise ConfigError(
                f"--head keep: the weights have {has} classes and the data {facts.n_classes}. Leave it out, to start "
                "the last layer afresh."
            )
        if head == "auto":
            head = "keep" if self.found.classes == facts.classes else "fresh"
        data = replace(cfg.data, preprocess=self.preprocess.mode)
        return replace(cfg, data=data, transfer=replace(cfg.transfer, head=head))

    def tensors(self, cfg: ClassifyConfig) -> dict[str, Tensor]:
        """What a network of these settings starts from, by name; the rest of it keeps its random start."""
        afresh = set(self.found.fresh)
        if cfg.transfer.head == "fresh":
            afresh |= set(_of_classes(self.found.network, self.preprocess))
        return {name: tensor for name, tensor in self.found.net.state_dict().items() if name not in afresh}

    def sentences(self, cfg: ClassifyConfig, facts: DataFacts) -> list[str]:
        """Where the weights are from, and what becomes of their last layer and of their preprocessing."""
        kept, has = cfg.transfer.head == "keep", self.found.n_classes
        last = "keeps its weights" if kept else f"starts afresh for {facts.n_classes} classes, theirs is for {has}"
        licence = f" ({self.found.licence})" if self.found.licence else ""
        said = [f"Weights: {self.found.source}{licence}; the last layer {last}."]
        return [*said, *(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in (*self.found.notes, *self.notes))]

    def verdicts(self, cfg: ClassifyConfig, facts: DataFacts) -> list[Verdict]:
        """What the table of data size and similarity advises."""
        stated = cfg.transfer.similarity
        similarity = "unknown" if stated == "auto" else stated
        return [advise_transfer(facts.n_train, facts.n_classes, similarity, cfg.transfer.tune)]


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
    preprocess, said = _prepare_like(cfg.data, found)
    if (preprocess.size, preprocess.channels) != (found.preprocess.size, found.preprocess.channels):
        tensors = {key: tensor for key, tensor in found.net.state_dict().items() if key not in found.fresh}
        fitted = fit(found.network, spec, tensors, preprocess, None, False)
        found = replace(found, net=fitted.net)
    cfg = replace(cfg, model=replace(cfg.model, model=found.network))
    return cfg, Borrowed(found, preprocess, (*notes, *said))


def _prepare_like(data: DataConfig, found: Published) -> tuple[Preprocess, list[str]]:
    """The preprocessing of the weights, with what the settings state otherwise; and a sentence on both.

    Raises:
        ConfigError: other colours or numbers were asked for, which the weights were not trained on.
    """
    theirs, usual = found.preprocess, DataConfig()
    colour = "grey" if theirs.channels == 1 else "rgb"
    if data.colour not in ("auto", colour):
        raise ConfigError(f"--colour {data.colour}: the weights were trained on {colour} pictures. Leave it out.")
    if data.preprocess not in (usual.preprocess, theirs.mode):
        raise ConfigError(
            f"--preprocess {data.preprocess}: the weights were trained on pictures prepared their own way, which is "
            "taken over. Leave it out."
        )
    ours, stated = theirs, []
    if data.image_size != "auto" and parse_size(data.image_size) != theirs.size:
        ours = _resized(ours, parse_size(data.image_size))
        stated.append(f"{ours.size[0]}x{ours.size[1]} px instead of {theirs.size[0]}x{theirs.size[1]}")
    if data.fit != "auto" and data.fit != theirs.fit:
        whole = data.fit in ("pad", "stretch")
        ours = replace(ours, fit=data.fit, canvas=None if whole else ours.canvas)
        stated.append(f"{data.fit} instead of {theirs.fit}")
    if data.background not in (usual.background, theirs.background):
        ours = replace(ours, background=data.background)
        stated.append(f"background {data.background} instead of {theirs.background}")
    size = f"{ours.size[0]}x{ours.size[1]} px, {colour}, {ours.fit}, {ours.interpolation}"
    said = [f"pictures are prepared as for the weights ({size})" + "".join(f"; as asked for, {s}" for s in stated)]
    return ours, said


def _resized(preprocess: Preprocess, size: tuple[int, int]) -> Preprocess:
    """For pictures of another size, of which the network sees the same middle share."""
    canvas = preprocess.canvas
    if canvas is not None:
        grown = [round(c * new / old) for c, new, old in zip(canvas, size, preprocess.size, strict=True)]
        canvas = (grown[0], grown[1])
    return replace(preprocess, size=size, canvas=canvas)


def plan(cfg: ClassifyConfig, facts: DataFacts, net: nn.Module) -> Plan | None:
    """What is frozen in which epoch; None for a network that starts from scratch.

    Auxiliary heads are of the last stage, but for `tune="last"`, which trains the last layer of the answer alone.
    """
    if not cfg.transfer.weights:
        return None
    of_classes = set(_of_classes(cfg.model.model, facts.preprocess))
    auxiliary = {name for name, _ in net.named_parameters() if name.startswith(AUXILIARY.get(cfg.model.model, ()))}
    last = of_classes - auxiliary if cfg.transfer.tune == "last" else of_classes | auxiliary
    return Plan(net, last, cfg.transfer)


def _of_classes(network: str, preprocess: Preprocess) -> Mapping[str, tuple[int, ...]]:
    """Tensors that have a number of classes in their shape: those of the last layer."""
    wanted = wanted_shapes(network, preprocess.size, preprocess.channels)
    return {name: shape for name, shape in wanted.items() if MARK in shape}
