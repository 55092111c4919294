"""`load_published`: a file of torchvision or timm as a network that is ready to use, or a sentence why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import WeightsError
from pellucid.core.preprocess import Preprocess
from pellucid.models import detect, segment
from pellucid.models.classify import MODELS
from pellucid.models.detect.one_by_one import OneByOne
from pellucid.models.from_batch import FromBatch
from pellucid.models.published import timm
from pellucid.models.published.classes import COCO, PERSON, VOC, imagenet_classes
from pellucid.models.published.names import AUXILIARY, translate
from pellucid.models.published.read import read_foreign
from pellucid.models.published.shapes import COUNTER, Difference, compare, make, nearest
from pellucid.models.published.torchvision import USUAL, by_file, by_network

IMAGENET = 1000
NAMES = {len(each): each for each in (PERSON, VOC, COCO)}  # number of classes in files of torchvision -> their names


@dataclass(frozen=True)
class Published:
    """A network with weights that somebody trained, and what it takes to use it.

    Attributes:
        network: its name among `pellucid models`.
        net: plain tensors in, logits out; in evaluation mode.
        preprocess: from a decoded picture to what `net` was trained on.
        classes: class names; class k is `classes[k]`. Numbered where nobody says them.
        source: where the weights come from.
        licence: of the weights, "" where nobody says it.
        notes: what was decided or changed while loading, one sentence each.
        fresh: names of the tensors that did not come from the file: a new last layer.
        backbone: of a segmenter or detector that was built on another than its usual one.
    """

    network: str
    net: nn.Module
    preprocess: Preprocess
    classes: tuple[str, ...]
    source: str
    licence: str = ""
    notes: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    backbone: str = ""

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    @property
    def task(self) -> str:
        """What it is trained to do, as in `--task`."""
        others = (("segment", segment.MODELS), ("detect", detect.MODELS))
        return next((task for task, models in others if self.network in models), "classify")

    @property
    def model(self) -> nn.Module:
        """`forward({"image": (N, C, H, W) uint8}) -> {"logits": (N, K)}`: the network behind its preprocessing.

        A segmenter's are (N, K, H, W). A detector's outputs are those of `models.detect.one_by_one`.
        """
        if self.task == "detect":
            return OneByOne(self.net, self.preprocess)
        return FromBatch(self.net, self.preprocess)


@dataclass(frozen=True)
class Fitted:
    """A network with the tensors of a file in it.

    Attributes:
        net: in evaluation mode.
        n_classes, in_file: K of the network, and of the file.
        fresh: names of the tensors that are not the file's.
        notes: what to say of them.
    """

    net: nn.Module
    n_classes: int
    in_file: int
    fresh: tuple[str, ...]
    notes: tuple[str, ...]


def load_published(
    name: str,
    file: str | Path,
    n_classes: int | None = None,
    *,
    new_head: bool = False,
    preprocess: Preprocess | None = None,
    classes: Sequence[str] | None = None,
) -> Published:
    """Load a `.pth` or `.safetensors` file that torchvision or timm published, every tensor of it or none.

    What to do with pictures is known from torchvision's file names, and from the `config.json` that timm puts beside
    its files; else the usual preprocessing of the network is taken, and `notes` says so.

    Args:
        name: architecture, a classifier or a segmenter among `pellucid models`, or a detector of torchvision.
        file: the file. Pickles are read as plain tensors only, never run.
        n_classes: K; None takes the file's.
        new_head: where the file has another K, start the last layer afresh, and say so in `notes`.
        preprocess: instead of what is known of the file.
        classes: K names, instead of ImageNet's for the 1000 of a classifier's file, VOC's and COCO's for torchvision's
            segmenters and detectors, and numbers else.

    Raises:
        ConfigError: no network has that name, or K is below 1.
        WeightsError: the file cannot be read, belongs to another architecture (the message counts and lists what
            differs, and names the architecture it fits), or has another number of classes.
    """
    choose(name, {**MODELS, **segment.MODELS, **{each: detect.MODELS[each] for each in detect.PUBLISHED}}, "model")
    path = Path(file)
    foreign = read_foreign(path)
    entry, config, usual = by_file(path.name), timm.read_config(path), by_network(name)
    notes = list(foreign.notes)
    if preprocess is None and config is not None:
        preprocess = config.preprocess
    elif preprocess is None and entry is not None:
        preprocess = entry.preprocess
    elif preprocess is None:
        preprocess = usual.preprocess if usual else USUAL
        whose = usual.name if usual else "most ImageNet weights"
        notes.append(f"the file does not say how to prepare pictures: it is done as for {whose}")
    fitted = fit(name, str(path), foreign.tensors, preprocess, n_classes, new_head)
    return Published(
        name,
        fitted.net,
        preprocess,
        name_classes(classes, fitted, name),
        source=f"{path} ({entry.source})" if entry else str(path),
        licence=config.licence if config else entry.licence if entry else "",
        notes=(*notes, *fitted.notes),
        fresh=fitted.fresh,
    )


def fit(
    name: str,
    where: str,
    tensors: Mapping[str, Tensor],
    preprocess: Preprocess,
    n_classes: int | None,
    new_head: bool,
    backbone: str = "",
) -> Fitted:
    """A network with these tensors in it.

    Args:
        where: what the tensors come from, for messages.
        tensors: by the names of their publisher.
        preprocess: says the size and colour the network is built for.
        n_classes, new_head: see `load_published`.
        backbone: of a segmenter or detector that takes one; "" is its usual one.

    Raises:
        ConfigError, WeightsError: see `load_published`.
    """
    require(n_classes is None or n_classes >= 1, "n_classes", "1 or more", n_classes)
    named, who = translate(name, tensors)
    found = compare(name, preprocess.size, named, preprocess.channels, backbone)
    if not found.fits:
        raise WeightsError(_does_not_fit(name, where, found, tensors))
    has = found.classes[0]
    if n_classes not in (None, has) and not new_head:
        shapes = ", ".join(f"{head} is {'x'.join(map(str, named[head].shape))}" for head in found.heads[:3])
        raise WeightsError(
            f"{where} does not fit {name} for {n_classes} classes: it has {has} ({shapes}). Leave n_classes out, or "
            "say new_head=True to start the last layer afresh."
        )
    fitted = _build(name, n_classes or has, preprocess, named, found, backbone)
    return replace(fitted, notes=(f"names translated from those of {who}", *fitted.notes)) if who else fitted


def _build(
    name: str,
    n_classes: int,
    preprocess: Preprocess,
    tensors: Mapping[str, Tensor],
    found: Difference,
    backbone: str,
) -> Fitted:
    with torch.random.fork_rng(devices=[]):  # who loads weights does not expect other random numbers after it
        net = make(name, n_classes, preprocess.channels, preprocess.size, backbone)
    state, has = net.state_dict(), found.classes[0]
    heads = found.heads if n_classes != has else ()
    auxiliary = tuple(key for key in state if key not in tensors and not key.endswith(COUNTER))
    for key in state:
        if key in tensors and key not in heads:
            state[key] = tensors[key].to(state[key].dtype)
        elif key.endswith(COUNTER):
            state[key] = torch.zeros_like(state[key])
    net.load_state_dict(state)
    notes = []
    if heads:
        told = ", ".join(heads)
        notes.append(f"the last layer starts afresh for {n_classes} classes, the file has {has}: {told}")
    if auxiliary:
        prefixes = ", ".join(prefix.rstrip(".") for prefix in AUXILIARY[name])
        notes.append(f"the file has no auxiliary heads ({prefixes}): they start afresh, and play no part in answers")
    return Fitted(net.eval(), n_classes, has, (*heads, *auxiliary), tuple(notes))


def name_classes(given: Sequence[str] | None, fitted: Fitted, network: str) -> tuple[str, ...]:
    """Names of the K classes: as given, ImageNet's if a classifier's own are 1000, VOC's 21, COCO's 90, or numbers.

    Raises:
        WeightsError: another number of names is given, or two are the same.
    """
    if given is not None:
        if len(given) != fitted.n_classes or len(set(given)) != len(given):
            raise WeightsError(f"There must be {fitted.n_classes} class names, all different; got {len(given)}.")
        return tuple(given)
    entry = by_network(network)
    if entry and fitted.in_file == fitted.n_classes == entry.n_classes and entry.n_classes in NAMES:
        return NAMES[entry.n_classes]
    if fitted.in_file == fitted.n_classes == IMAGENET:
        try:
            return imagenet_classes()
        except WeightsError:  # weights from a file work without the package of names
            pass
    return tuple(f"class {k}" for k in range(fitted.n_classes))


def _does_not_fit(name: str, where: str, found: Difference, tensors: Mapping[str, Tensor]) -> str:
    other = nearest(tensors, name)
    if other is None:
        hint = "No network here has such names."
    elif other[1].fits:
        hint = f"It fits {other[0]}: load it as that."
    else:
        hint = f"Nearest is {other[0]}, with {other[1].share:.0%} of its names and shapes."
    return f"{where} does not fit {name}: {found.sentence()}. {hint}"
