"""`published`: weights by whatever name they have: packaged, a file, a run, or a repository of the hub."""

from dataclasses import replace
from pathlib import Path

from pellucid.core.errors import ConfigError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.models import detect, segment
from pellucid.models.classify import MODELS
from pellucid.models.published import hub, timm
from pellucid.models.published.load import Published, fit, load_published, name_classes
from pellucid.models.published.packaged import PACKAGED, packaged_file
from pellucid.models.published.torchvision import by_file, by_network
from pellucid.models.weights import is_ours, read_weights

IMAGENET = "imagenet"
RUN_WEIGHTS = "model.safetensors"


def published(
    spec: str | Path,
    network: str | None = None,
    *,
    n_classes: int | None = None,
    new_head: bool = False,
    segmenters: bool = False,
    detectors: bool = False,
) -> Published:
    """Trained weights with their network, preprocessing and classes.

    Args:
        spec: `imagenet` (the packaged weights of `network`), the name of packaged weights, `hub:OWNER/NAME`, a run
            folder or its model.safetensors, or a file of torchvision or timm.
        network: the architecture; None where the weights say it: packaged ones, runs, files under the name that
            torchvision gave them, and timm's with their config.json.
        n_classes: K; None takes that of the weights.
        new_head: where the weights have another K, start the last layer afresh.
        segmenters: whether weights of a segmenter will do, too.
        detectors: whether those of a detector that torchvision has will do.

    Raises:
        ConfigError: there is no such network, or the weights do not say which it is.
        WeightsError: they are not there, cannot be read, or do not fit.
    """
    text = str(spec)
    if text == IMAGENET:
        return _packaged(_with_package(network), n_classes, new_head)
    if text in PACKAGED and not Path(text).exists():
        _require_same(text, network, text)
        return _packaged(text, n_classes, new_head)
    path = hub.fetch(text) if text.startswith(hub.PREFIX) else Path(text)
    if not path.exists():
        raise WeightsError(
            f"There are no weights {text}: give {IMAGENET}, {', '.join(PACKAGED)}, a file, a run folder, or "
            f"{hub.PREFIX}OWNER/NAME."
        )
    if path.is_dir() or is_ours(path):
        return _of_run(path, network, n_classes, new_head, segmenters)
    name = network or _network_of(path, text)
    if (name in segment.MODELS and not segmenters) or (name in detect.MODELS and not detectors):
        raise WeightsError(f"{text} holds a {name}; weights are taken from networks that were trained to classify.")
    return load_published(name, path, n_classes, new_head=new_head)


def _with_package(network: str | None) -> str:
    """The network, if ImageNet weights of it come as a package."""
    if network in PACKAGED:
        return str(network)
    entry = by_network(network) if network else None
    hint = f"For {network} give a file (torchvision's is {entry.file})" if entry else "Give a file"
    raise WeightsError(
        f"ImageNet weights come as packages for {', '.join(PACKAGED)}, got {network or 'no network'}. {hint}, or "
        f"{hub.PREFIX}OWNER/NAME."
    )


def _packaged(name: str, n_classes: int | None, new_head: bool) -> Published:
    entry = PACKAGED[name].entry
    loaded = load_published(
        entry.network, packaged_file(name), n_classes, new_head=new_head, preprocess=entry.preprocess
    )
    return replace(loaded, source=entry.source, licence=entry.licence)


def _of_run(path: Path, network: str | None, n_classes: int | None, new_head: bool, segmenters: bool) -> Published:
    file = path / RUN_WEIGHTS if path.is_dir() else path
    if not file.exists():
        raise WeightsError(f"{path} is a folder without {RUN_WEIGHTS}: give the folder of a finished run.")
    weights = read_weights(file)
    name, task = str(weights.about.get("model")), weights.about.get("task")
    if not (task == "classify" and name in MODELS) and not (
        segmenters and task == "segment" and name in segment.MODELS
    ):
        kinds = "to classify or to segment" if segmenters else "to classify"
        raise WeightsError(f"{path} holds a {name}; weights are taken from networks that were trained {kinds}.")
    _require_same(str(path), network, name)
    facts = DataFacts.from_dict(weights.about["facts"])
    stated = weights.about.get("config", {}).get("model", {}) if task == "segment" else {}
    backbone = str(stated.get("backbone", "")).removeprefix("auto")
    fitted = fit(name, str(path), weights.tensors, facts.preprocess, n_classes, new_head, backbone)
    own = fitted.n_classes == fitted.in_file
    classes = name_classes(facts.classes if own else None, fitted, name)
    return Published(name, fitted.net, facts.preprocess, classes, str(path), "", fitted.notes, fitted.fresh, backbone)


def _network_of(path: Path, text: str) -> str:
    """The architecture that a foreign file is said to be of."""
    entry, config = by_file(path.name), timm.read_config(path)
    found = entry.network if entry else config.architecture if config else ""
    if not any(found in models for models in (MODELS, segment.MODELS, detect.PUBLISHED)):
        said = f"It says {found!r}, which is not here" if found else "It does not say"
        raise ConfigError(
            f"Of which network are the weights {text}? {said}: name one of `pellucid models`, as --model in training "
            "or for load_published."
        )
    return found


def _require_same(where: str, network: str | None, name: str) -> None:
    if network not in (None, name):
        raise WeightsError(f"{where} has weights of {name}, not of {network}. Choose {name}, or other weights.")
