"""`features`: what a layer of any network gives for pictures of any kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.core.config import require
from pellucid.core.device import choose_device
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.preprocess import Preprocess
from pellucid.data.single import as_batch
from pellucid.data.source import Source
from pellucid.models.features import averaged, layer_features, require_layer
from pellucid.models.fitted.classifier import FittedClassifier
from pellucid.models.published.load import Published
from pellucid.nn.precision import device_of
from pellucid.ops.normalise import normalise
from pellucid.runs.predict import expand
from pellucid.runs.stored.record import Record
from pellucid.runs.stored.trained import Trained, load_trained

# N pictures, C channels or maps, H x W pixels, h x w cells, T tokens, D numbers


def features(
    model: Any,
    images: Any,
    layer: str | None = None,
    *,
    average: bool = False,
    preprocess: Preprocess | None = None,
    batch: int = 32,
    device: str = "auto",
) -> np.ndarray:
    """What a layer of a network gives for pictures, as numbers for a classifier, a search, or a plot.

    The network stays as it is: it answers in evaluation mode, without gradients, and goes back to its mode.

    Args:
        model: a run, a run folder or weights file, the name of packaged weights (`efficientnet_lite0`), what
            `models.load_published` returned, or any `nn.Module` that takes (N, C, H, W).
        images: files, folders, globs, PIL images, arrays (H, W, C), tensors (C, H, W), a list of such, a batch
            (N, H, W, C) or tensor (N, C, H, W), or a data set (`pellucid.load`).
        layer: dotted name as in `pellucid summary`; None or "" is the input of the last linear layer.
        average: one number a channel instead of a map: the mean over its cells, or over tokens.
        preprocess: how a plain `nn.Module` wants its pictures. Without one it takes tensors (N, C, H, W) of floats
            as they are.
        batch: pictures at a time.
        device: where a run or named weights are computed: auto, cpu, cuda, cuda:N or mps. A module stays where it is.

    Returns:
        float32, one row a picture: (N, D), or what the layer gives: (N, C, h, w), (N, T, D).

    Raises:
        ConfigError: there is no such layer (the message lists them), or a module came without preprocessing.
        DataError: there are no pictures, or the network does not take them.
        ImageError: a picture cannot be opened.
    """
    require(batch >= 1, "batch", "1 or more", batch)
    net, own = _network(model, device)
    preprocess = preprocess or own
    require_layer(net, layer)
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        parts = []
        for x in _inputs(images, preprocess, batch, device_of(net)):
            found = _read(net, x, layer)
            parts.append((averaged(found) if average else found).cpu())
    finally:
        for module, mode in modes.items():
            module.training = mode
    return torch.cat(parts).numpy()


def _read(net: nn.Module, x: Tensor, layer: str | None) -> Tensor:
    """The layer's numbers in float32; what torch says of inputs that do not fit becomes one line."""
    try:
        return layer_features(net, x, layer).float()
    except RuntimeError as error:
        shape, reason = "x".join(map(str, x.shape[1:])), str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{type(net).__name__} does not take pictures of {shape} (C x H x W): {reason}. Give them the channels and "
            "the size it was made for."
        ) from error


def _network(model: Any, device: str) -> tuple[nn.Module, Preprocess | None]:
    """The plain network, and what its pictures are like if that is known."""
    if isinstance(model, Published):
        return model.net, model.preprocess
    if isinstance(model, (str, Path)):
        model = load_trained(Path(model), choose_device(device))
    if isinstance(model, Record):
        model = model.trained
    if isinstance(model, Trained):
        if isinstance(model.model.net, FittedClassifier):
            raise ConfigError(f"A {model.cfg.model.model} has no layers to read. Its own features are its input.")
        return model.model.net, model.facts.preprocess  # type: ignore[return-value]
    if isinstance(model, nn.Module):
        inner, own = getattr(model, "net", None), getattr(model, "preprocess", None)
        wrapped = isinstance(inner, nn.Module) and isinstance(own, Preprocess)
        return (inner, own) if wrapped else (model, None)  # type: ignore[return-value]
    raise ConfigError(
        f"Features come from a run, its folder, named or published weights, or an nn.Module; got "
        f"{type(model).__name__}."
    )


def _inputs(images: Any, preprocess: Preprocess | None, batch: int, device: torch.device) -> Iterator[Tensor]:
    """Standardised pixels (n, C, H, W), some at a time."""
    if preprocess is None:
        if not (isinstance(images, Tensor) and images.dim() == 4 and images.is_floating_point()):
            raise ConfigError(
                "A plain nn.Module takes a tensor (N, C, H, W) of floats, as its layers want them. For pictures, say "
                "how they are prepared: preprocess=Preprocess(...)."
            )
        yield from (part.to(device) for part in images.split(batch))
        return
    pictures = _pictures(images)
    for start in range(0, len(pictures), batch):
        yield normalise(as_batch(pictures[start : start + batch], preprocess, device)["image"], preprocess)


def _pictures(images: Any) -> list[Any]:
    """One entry a picture."""
    if isinstance(images, Source):
        return list(images.images)
    if isinstance(images, (np.ndarray, Tensor)) and images.ndim == 4:
        return list(images)
    if isinstance(images, (str, Path, Image.Image, np.ndarray, Tensor)):
        images = [images]
    return expand(images)
