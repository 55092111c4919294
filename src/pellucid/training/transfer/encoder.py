"""Weights under segmenters and detectors, which stand on a network of the zoo: what both make of what is asked for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, WeightsError
from pellucid.models.backbones import LAYOUTS, Backbone, backbone
from pellucid.models.published.find import IMAGENET
from pellucid.models.published.hub import PREFIX
from pellucid.models.published.load import Published
from pellucid.models.published.packaged import PACKAGED
from pellucid.models.published.read import read_foreign
from pellucid.models.published.timm import read_config
from pellucid.models.published.torchvision import by_file
from pellucid.models.weights import is_ours
from pellucid.training.transfer.borrowed import require_numbers

AUTO = "auto"
USUAL_ENCODER = "efficientnet_lite0"  # the smallest network whose ImageNet weights come as a package
EXAMPLES = ("resnet18", "vgg11_bn", "mobilenet_v2", "efficientnet_lite0", "convnet")
INSIDE = "backbone."  # how names of tensors begin in files of whole segmenters and detectors


@dataclass(frozen=True)
class Family:
    """Networks that stand on one of the zoo.

    Attributes:
        network, part: what messages call one, and what it stands on, such as `segmenter` and `encoder`.
        models: names of all.
        backbones: name -> the network it stands on unless told; only these take one.
        published: those that others have published weights of.
        usual: the one that is built on weights of a classifier unless another is named.
        build: `(name, n_classes, channels, image_size, backbone) -> network`.
    """

    network: str
    part: str
    models: Mapping[str, Any]
    backbones: Mapping[str, str]
    published: Iterable[str]
    usual: str
    build: Callable[..., nn.Module]

    def require_known(self, cfg: Any) -> None:
        """Refuse settings that name what is not there.

        Raises:
            ConfigError: an unknown model or backbone.
        """
        if cfg.model.model != AUTO:
            choose(cfg.model.model, self.models, "model")
        if cfg.model.backbone not in (AUTO, ""):
            choose(cfg.model.backbone, LAYOUTS, "backbone")

    def asked_for(self, cfg: Any) -> str | None:
        """The network to load weights as that do not say it themselves; None where they do."""
        spec, model, stated = cfg.transfer.weights, cfg.model.model, cfg.model.backbone
        path = Path(spec)
        if spec == IMAGENET:
            own = self.encoder_of(model, stated)
            return own if own and (stated != AUTO or model not in self.backbones) else USUAL_ENCODER
        says = spec.startswith(PREFIX) or spec in PACKAGED or not path.is_file() or is_ours(path)
        if says or by_file(path.name) or read_config(path):
            return None
        is_whole = any(name.startswith(INSIDE) for name in read_foreign(path).tensors)
        if is_whole and (model == AUTO or model in self.published):
            return None if model == AUTO else str(model)
        return self.encoder_of(model, stated) or None

    def encoder_of(self, model: str, stated: str) -> str:
        """The network of the zoo that a model stands on; "" for none, or where nobody says it."""
        if stated not in (AUTO, ""):
            return stated
        return "" if model == AUTO else place_of(self.on_meta(model, 3, (128, 128)))[1]

    def on_meta(self, model: str, channels: int, size: tuple[int, int], under: str = "") -> nn.Module:
        """One without numbers in it, for two classes."""
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            return self.build(model, 2, channels, size, under)

    def on_classifier(self, cfg: Any, found: Published) -> "OnClassifier":
        """A network of the family that starts from weights of a classifier.

        Raises:
            ConfigError: the model takes no such part, or other colours or numbers are asked for.
            WeightsError: the classifier has no maps, or the model stands on another.
        """
        notes = []
        model, name = cfg.model, cfg.model.model
        if found.network not in LAYOUTS:
            raise WeightsError(
                f"{found.source} has weights of {found.network}, which has no maps for a {self.network}. Give those of "
                f"a network with stages, such as {', '.join(EXAMPLES)}, or of a {self.network}."
            )
        if name == AUTO:
            name = self.usual
            notes.append(f"the network is {name} on {found.network}, since none is named: --model has others")
        free = name in self.backbones
        own = found.network if free and model.backbone in (AUTO, "") else self.encoder_of(name, model.backbone)
        if not own:
            raise ConfigError(
                f"--weights {cfg.transfer.weights} are of {found.network}, a classifier, and model {name} takes none "
                f"as {self.part}. Say --model {', '.join(self.backbones)}, or give weights of a {name}."
            )
        if own != found.network:
            other = f"say --backbone {found.network}, or " if free else ""
            raise WeightsError(
                f"Model {name} stands on {own}, and {found.source} has weights of {found.network}: {other}give weights "
                f"of {own}."
            )
        colour = require_numbers(cfg.data, found.preprocess)
        notes.append(f"pixels are prepared as for the weights ({colour}); size and fit are those of the data")
        channels, size = found.preprocess.channels, found.preprocess.size
        whole = self.on_meta(name, channels, size, own if free else "")
        place, inside = place_of(whole)[0], whole.state_dict()
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            keys = list(backbone(own, channels, size).state_dict())
        state = found.net.state_dict()
        # Norms that are frozen there do not count their batches, so not every key is inside.
        start = {f"{place}.{key}": state[key] for key in keys if f"{place}.{key}" in inside}
        under = replace(model, model=name, backbone=own if free else model.backbone)
        cfg = replace(cfg, model=under, data=replace(cfg.data, colour=colour))
        return OnClassifier(cfg, start, tuple(notes), f"the {self.part} {own}")


@dataclass(frozen=True)
class OnClassifier:
    """What follows from weights of a classifier: settings, tensors by their names in the whole network, what to say of
    it, and what the weights are for.
    """

    cfg: Any
    start: Mapping[str, Tensor]
    notes: tuple[str, ...]
    encoder: str


def place_of(net: nn.Module) -> tuple[str, str]:
    """Where in a network one of the zoo lies (a dotted name), and which it is; "" for none."""
    found = ((name, part.name) for name, part in net.named_modules() if isinstance(part, Backbone))
    return next(found, ("", ""))


def require_same(cfg: Any, found: Published) -> None:
    """Refuse weights of a whole network where another one is named.

    Raises:
        WeightsError: it is.
    """
    on = f"{found.network} on {found.backbone}" if found.backbone else found.network
    stated, under = cfg.model.model, cfg.model.backbone
    if stated not in (AUTO, found.network) or under not in (AUTO, "", found.backbone):
        asked = " ".join(
            f"--{flag} {value}" for flag, value in (("model", stated), ("backbone", under)) if value not in (AUTO, "")
        )
        raise WeightsError(f"{asked}: {found.source} has weights of {on}. Leave that out, or give other weights.")
