"""Weights that a run starts from, with what they ask of its pictures. What tasks do alike with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.core.shapes import parse_size
from pellucid.core.verdict import Verdict
from pellucid.data.config import DataConfig
from pellucid.models.published.load import Published
from pellucid.training.transfer.advice import advise_transfer


@dataclass(frozen=True)
class Borrowed:
    """Weights to start from.

    Attributes:
        found: the network they are in, and what is known of them.
        preprocess: what the pictures of the run have to be like: as those of the weights, but for what the settings
            state otherwise. Only their numbers where the size is left to the data.
        notes: what was decided, one sentence each.
        start: what the run's network starts from, by the names that it has there.
        last: names of those of them that have a number of classes in their shape.
        encoder: name of the part they are for, such as `the encoder resnet18`; "" where they are of the whole network.
    """

    found: Published
    preprocess: Preprocess | Numbers
    notes: tuple[str, ...]
    start: Mapping[str, Tensor] = field(repr=False)
    last: frozenset[str]
    encoder: str = ""

    def settle(self, cfg: Any, facts: DataFacts) -> Any:
        """Decide on the last layer, once the classes are known.

        Raises:
            ConfigError: the last layer is to be kept, and has another number of classes, or there is none.
        """
        head, has = cfg.transfer.head, self.found.n_classes
        if head == "keep" and self.encoder:
            raise ConfigError(
                f"--head keep: the weights are for {self.encoder} alone, whose own last layer answers something else. "
                "Leave it out."
            )
        if head == "keep" and has != facts.n_classes:
            raise ConfigError(
                f"--head keep: the weights have {has} classes and the data {facts.n_classes}. Leave it out, to start "
                "the last layer afresh."
            )
        if head == "auto":
            head = "keep" if self.found.classes == facts.classes and not self.encoder else "fresh"
        data = replace(cfg.data, preprocess=facts.preprocess.mode)
        return replace(cfg, data=data, transfer=replace(cfg.transfer, head=head))

    def require_stem(self, wanted: Mapping[str, tuple[int, ...]], size: tuple[int, int]) -> None:
        """Refuse an encoder that is built otherwise for pictures of this size.

        Args:
            wanted: shapes of the run's network, by name.
            size: height and width of its pictures.

        Raises:
            ConfigError: a tensor has another shape.
        """
        other = next((name for name, tensor in self.start.items() if tuple(tensor.shape) != wanted[name]), None)
        if other is None:
            return
        theirs, ours = ("x".join(map(str, each)) for each in (self.found.preprocess.size, size))
        raise ConfigError(
            f"{self.found.source} was trained on pictures of {theirs} px, and at {ours} px {self.found.network} has "
            f"another stem ({other} has another shape). Say --image-size {theirs}, or give weights that were trained "
            "on pictures nearer in size."
        )

    def tensors(self, cfg: Any) -> dict[str, Tensor]:
        """What a network of these settings starts from, by name; the rest of it keeps its random start."""
        afresh = self.last if cfg.transfer.head == "fresh" else frozenset()
        return {name: tensor for name, tensor in self.start.items() if name not in afresh}

    def sentences(self, cfg: Any, facts: DataFacts) -> list[str]:
        """Where the weights are from, and what becomes of their last layer and of their preprocessing."""
        kept, has = cfg.transfer.head == "keep", self.found.n_classes
        last = "keeps its weights" if kept else f"starts afresh for {facts.n_classes} classes, theirs is for {has}"
        licence = f" ({self.found.licence})" if self.found.licence else ""
        rest = f"for {self.encoder}; what stands on it starts afresh" if self.encoder else f"the last layer {last}"
        said = [f"Weights: {self.found.source}{licence}{',' if self.encoder else ';'} {rest}."]
        return [*said, *(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in (*self.found.notes, *self.notes))]

    def verdicts(self, cfg: Any, facts: DataFacts) -> list[Verdict]:
        """What the table of data size and similarity advises."""
        stated = cfg.transfer.similarity
        similarity: Literal["high", "low", "unknown"] = "unknown" if stated == "auto" else stated
        return [advise_transfer(facts.n_train, facts.n_classes, similarity, cfg.transfer.tune)]


def prepare_like(data: DataConfig, found: Published) -> tuple[Preprocess, list[str]]:
    """The preprocessing of the weights, with what the settings state otherwise; and a sentence on both.

    Raises:
        ConfigError: other colours or numbers were asked for, which the weights were not trained on.
    """
    theirs = found.preprocess
    colour = require_numbers(data, theirs)
    ours, stated = theirs, []
    if data.image_size != "auto" and parse_size(data.image_size) != theirs.size:
        ours = _resized(ours, parse_size(data.image_size))
        stated.append(f"{ours.size[0]}x{ours.size[1]} px instead of {theirs.size[0]}x{theirs.size[1]}")
    if data.fit != "auto" and data.fit != theirs.fit:
        whole = data.fit in ("pad", "stretch")
        ours = replace(ours, fit=data.fit, canvas=None if whole else ours.canvas)
        stated.append(f"{data.fit} instead of {theirs.fit}")
    if data.background not in (DataConfig().background, theirs.background):
        ours = replace(ours, background=data.background)
        stated.append(f"background {data.background} instead of {theirs.background}")
    size = f"{ours.size[0]}x{ours.size[1]} px, {colour}, {ours.fit}, {ours.interpolation}"
    said = [f"pictures are prepared as for the weights ({size})" + "".join(f"; as asked for, {s}" for s in stated)]
    return ours, said


def require_numbers(data: DataConfig, theirs: Preprocess) -> Literal["rgb", "grey"]:
    """The colour the weights know, grey or rgb.

    Raises:
        ConfigError: other colours or numbers were asked for, which the weights were not trained on.
    """
    colour: Literal["rgb", "grey"] = "grey" if theirs.channels == 1 else "rgb"
    if data.colour not in ("auto", colour):
        raise ConfigError(f"--colour {data.colour}: the weights were trained on {colour} pictures. Leave it out.")
    if data.preprocess not in (DataConfig().preprocess, theirs.mode):
        raise ConfigError(
            f"--preprocess {data.preprocess}: the weights were trained on pictures prepared their own way, which is "
            "taken over. Leave it out."
        )
    return colour


def _resized(preprocess: Preprocess, size: tuple[int, int]) -> Preprocess:
    """For pictures of another size, of which the network sees the same middle share."""
    canvas = preprocess.canvas
    if canvas is not None:
        grown = [round(c * new / old) for c, new, old in zip(canvas, size, preprocess.size, strict=True)]
        canvas = (grown[0], grown[1])
    return replace(preprocess, size=size, canvas=canvas)
