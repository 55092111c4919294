"""A network and what its pictures are like, from a name, a run or a file."""

import inspect
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.preprocess import Preprocess
from pellucid.models import FAMILIES, create
from pellucid.models.fitted import ABOUT
from pellucid.models.fitted.classifier import FittedClassifier
from pellucid.nn.blank import without_numbers
from pellucid.runs.stored.trained import load_trained

Size = tuple[int, int]

RUN_NAME = "network_file"  # what __name__ is in a user's file, so that a `main` guard does not run


@dataclass(frozen=True)
class Opened:
    """One network.

    Attributes:
        net: tensors in, tensors out.
        preprocess: size and channels of its pictures, and how a run normalises them.
        trained: whether it is a run's.
    """

    net: nn.Module
    preprocess: Preprocess
    trained: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What the network says about how it was built."""
        return tuple(getattr(self.net, "notes", ()))


def open_network(
    name: str, n_classes: int | None = None, channels: int | None = None, size: Size | None = None, blank: bool = False
) -> Opened:
    """The network that a name stands for: for 1000 classes of RGB at 224 px unless said.

    Args:
        name: an entry of `pellucid models`, a run folder, or `FILE.py:NAME`, NAME being a class or function without
            required arguments other than n_classes, channels and image_size. The file is executed.
        n_classes, channels, size: for a fresh network.
        blank: shapes without numbers will do for a network by name; it is then on the meta device.

    Raises:
        ConfigError: no network has that name, or numbers were given for a run, which has its own.
        DataError: a file cannot be run, or what it makes is no network.
    """
    file, colon, entry = name.rpartition(":")
    if colon and file.endswith(".py"):
        preprocess = _fresh(channels, size)
        return Opened(_from_file(Path(file), entry, n_classes, preprocess), preprocess, False)
    if name.endswith(".py"):
        raise ConfigError(f"Which network of {name}? Name its class or function behind a colon: {name}:Net")
    if name in ABOUT:
        raise ConfigError(f"{name} is fitted to features and has no layers to open. `pellucid models` says which have.")
    if any(name in table for table in FAMILIES.values()) or not _is_path(name):
        preprocess = _fresh(channels, size)
        classes = 1000 if n_classes is None else n_classes
        if not blank:
            return Opened(create(name, classes, preprocess.channels, preprocess.size), preprocess, False)
        with without_numbers():
            return Opened(create(name, classes, preprocess.channels, preprocess.size), preprocess, False)
    if (n_classes, channels, size) != (None, None, None):
        raise ConfigError(f"{name} is a run and has its own classes, channels and image size. Leave those options out.")
    trained = load_trained(Path(name))
    if isinstance(trained.model.net, FittedClassifier):
        raise ConfigError(
            f"{name} is a {trained.cfg.model.model}, which has no layers to open. Its report shows what it sees."
        )
    return Opened(trained.model.net, trained.facts.preprocess, True)  # type: ignore[arg-type]


def _is_path(name: str) -> bool:
    """Whether a file or folder is meant, be it there or not: names of networks have neither dots nor slashes."""
    return Path(name).exists() or "/" in name or "." in name


def _fresh(channels: int | None, size: Size | None) -> Preprocess:
    n = channels or 3
    return Preprocess(size or (224, 224), channels=n, shift=(0.0,) * n, scale=(1 / 255,) * n)


def _from_file(path: Path, entry: str, n_classes: int | None, preprocess: Preprocess) -> nn.Module:
    """Call NAME of a file, or take it as it is if it is a network already."""
    things = {name: thing for name, thing in _run(path).items() if _makes_networks(thing)}
    made = choose(entry, things, f"network in {path.name}")
    if isinstance(made, nn.Module):
        return made
    known: dict[str, Any] = {"channels": preprocess.channels, "image_size": preprocess.size, "n_classes": n_classes}
    parameters = inspect.signature(made).parameters.values()
    given = {p.name: known[p.name] for p in parameters if p.name in known and known[p.name] is not None}
    needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if any(p.name == "n_classes" for p in needed):
        given.setdefault("n_classes", 1000)
    missing = [p.name for p in needed if p.name not in given]
    if missing:
        raise ConfigError(
            f"{entry} in {path.name} needs {', '.join(missing)}, which nobody gives. "
            "Give those a default; n_classes, channels and image_size are filled in."
        )
    try:
        net = made(**given)
    except Exception as error:
        raise DataError(f"{entry} in {path.name} could not be built: {type(error).__name__}: {error}.") from error
    if not isinstance(net, nn.Module):
        raise DataError(f"{entry} in {path.name} must make an nn.Module, it made a {type(net).__name__}.")
    return net


def _makes_networks(thing: Any) -> bool:
    if isinstance(thing, nn.Module):
        return True
    if inspect.isclass(thing):
        return issubclass(thing, nn.Module) and thing.__module__ == RUN_NAME
    return inspect.isfunction(thing) and thing.__module__ == RUN_NAME


def _run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    try:
        return runpy.run_path(str(path), run_name=RUN_NAME)
    except SyntaxError as error:
        raise DataError(f"{path.name} is not Python: {error.msg}, line {error.lineno}.") from error
    except (Exception, SystemExit) as error:
        raise DataError(f"{path.name} could not be run: {type(error).__name__}: {error}.") from error
