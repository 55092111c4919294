"""Which tensors a network wants, which ones a file has, and how the two differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from pellucid.core.errors import PellucidError
from pellucid.models import detect, segment
from pellucid.models.classify import MODELS
from pellucid.models.published.names import AUXILIARY, translate
from pellucid.models.published.torchvision import by_network

MARK = 1009  # a prime of which no width here is a multiple: where one shows up in a shape is the axis of classes
COUNTER = "num_batches_tracked"  # of batch norm; files older than 2018 lack it, and evaluation does not read it
SHOWN = 3
LIKELY = 0.5  # share of names and shapes in common from which another network is worth naming

Pattern = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Difference:
    """How a file differs from what a network wants.

    Attributes:
        missing, extra: names that only the network has, and that only the file has.
        shapes: (name, shape in the file, wanted shape), for other reasons than the number of classes.
        classes: numbers of classes that the last layers of the file have.
        heads: names of the tensors that hold them, in the network's order.
        n_wanted: how many tensors the network has.
    """

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    classes: tuple[int, ...]
    heads: tuple[str, ...]
    n_wanted: int

    @property
    def fits(self) -> bool:
        """Whether names and shapes agree but for the number of classes."""
        return not (self.missing or self.extra or self.shapes) and len(self.classes) <= 1

    @property
    def share(self) -> float:
        """Of all names on either side, how many are in common and have the wanted shape."""
        common = self.n_wanted - len(self.missing) - len(self.shapes)
        return common / max(1, self.n_wanted + len(self.extra))

    def sentence(self) -> str:
        """Counts, and the first of each kind."""
        parts = []
        if self.missing:
            parts.append(f"{len(self.missing)} of {self.n_wanted} names missing ({_some(self.missing)})")
        if self.extra:
            parts.append(f"{len(self.extra)} unexpected ({_some(self.extra)})")
        if self.shapes:
            told = [f"{name} is {_times(got)}, wanted {_times(wanted)}" for name, got, wanted in self.shapes]
            parts.append(f"{len(self.shapes)} of another shape ({_some(told)})")
        if len(self.classes) > 1:
            parts.append(f"last layers for {' and '.join(map(str, self.classes))} classes")
        return "; ".join(parts)


def make(network: str, n_classes: int, channels: int, size: tuple[int, int], backbone: str = "") -> nn.Module:
    """A fresh network of a family whose weights are published or lent: a classifier, a segmenter or a detector.

    Args:
        backbone: of a segmenter or detector that takes one; "" is its usual one.
    """
    if network in segment.MODELS:
        return segment.build(network, n_classes, channels, size, backbone)
    if network in detect.MODELS:
        return detect.build(network, n_classes, channels, size, backbone)
    return MODELS[network](n_classes, channels, size)


def n_unnamed(network: str) -> int:
    """How many outputs of a last layer belong to no class: the background in detectors that others publish."""
    return 1 if network in detect.PUBLISHED else 0


def of_classes(wanted: Pattern) -> Pattern:
    """Those tensors that have the number of classes in their shape, once or several times over."""
    return {name: shape for name, shape in wanted.items() if any(_per_class(side) for side in shape)}


def _per_class(side: int) -> int:
    """How often the number of classes is in this side of a shape: 0 where it has nothing to do with them."""
    return 0 if side % MARK else side // MARK


@lru_cache(maxsize=128)
def wanted_shapes(network: str, size: tuple[int, int], channels: int = 3, backbone: str = "") -> Pattern:
    """Name -> shape of every tensor of a network for pictures of this size, `MARK` where the classes are.

    Built on the meta device: no memory, no numbers. Some last layers have several numbers a class: multiples of `MARK`.

    Raises:
        ConfigError: the network cannot be built for this size.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        net = make(network, MARK - n_unnamed(network), channels, size, backbone)
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def compare(
    network: str, size: tuple[int, int], tensors: Mapping[str, Tensor], channels: int = 3, backbone: str = ""
) -> Difference:
    """How tensors, by the names used here, differ from what `network` wants. Absent counters do not count."""
    wanted = wanted_shapes(network, size, channels, backbone)
    missing = tuple(name for name in wanted if name not in tensors and not name.endswith(COUNTER))
    if without := AUXILIARY.get(network):
        below = tuple(name for name in wanted if name.startswith(without))
        if not any(name in tensors for name in below):  # all or none of them
            missing = tuple(name for name in missing if name not in below)
    shapes, classes, heads = [], set(), []
    for name, shape in wanted.items():
        if name not in tensors:
            continue
        got = tuple(tensors[name].shape)
        each = [_per_class(side) for side in shape]
        if any(each):
            heads.append(name)
        if len(got) == len(shape) and all(
            g % k == 0 if k else g == w for g, w, k in zip(got, shape, each, strict=True)
        ):
            classes |= {g // k - n_unnamed(network) for g, k in zip(got, each, strict=True) if k}
        else:
            shapes.append((name, got, shape))
    extra = tuple(name for name in tensors if name not in wanted)
    return Difference(missing, extra, tuple(shapes), tuple(sorted(classes)), tuple(heads), len(wanted))


def nearest(tensors: Mapping[str, Tensor], but: str) -> tuple[str, Difference] | None:
    """The network whose names and shapes agree most with a file's; None when none agrees by half.

    Args:
        tensors: as they were in the file, so that each network can translate them.
        but: the one that does not fit.
    """
    best: tuple[str, Difference] | None = None
    on_backbone = any(name.startswith("backbone.") for name in tensors)
    others = (*segment.AUXILIARY_HEADS, *detect.PUBLISHED)  # those that torchvision has, too
    for network in others if on_backbone else MODELS:
        entry = by_network(network)
        size = entry.preprocess.size if entry else (224, 224)
        try:
            found = compare(network, size, translate(network, tensors)[0])
        except PellucidError:  # not to be had for this size
            continue
        if network != but and found.share >= LIKELY and (best is None or found.share > best[1].share):
            best = (network, found)
        if best and best[1].fits:
            break
    return best


def _some(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(words[:SHOWN]) + ", ..." * (len(words) > SHOWN)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) if side % MARK else "classes" for side in shape) or "a number"
