"""From pictures of any kind and size to what a segmenter says of them.

| size | what the network sees |
|---|---|
| `fit` | the whole picture on the canvas of training; its answer is brought back to the picture's size |
| `native` | the picture at the scale that the training pictures had, in overlapping tiles of their size (see `tiles`) |

The scale of training is noted with a run (`DataFacts.zoom`): things then have the size that the network knows. So a
picture that shows more than the training pictures did is seen in more tiles, not smaller.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.data.single import as_batch
from pellucid.data.tiles.native import at_scale, require_any_size
from pellucid.nn.precision import device_of
from pellucid.tasks.segment.loss import IGNORE
from pellucid.tasks.segment.prediction.canvas import on_file
from pellucid.tasks.segment.prediction.mistaken import looks_like_a_mask
from pellucid.tasks.segment.prediction.regions import Region, regions
from pellucid.tasks.segment.prediction.result import BACKGROUND, SegmentResult
from pellucid.tasks.segment.prediction.strips import resized
from pellucid.tasks.segment.prediction.tiles import tiled
from pellucid.tasks.segment.prediction.wishes import SegmentWishes

PIXELS = {"cpu": 1 << 16}  # of tiles that a network is given at once, by kind of device
PIXELS_ELSEWHERE = 1 << 20
MASK = "{} holds only numbers of classes, as masks do. Give the pictures: of a mask the answer means nothing."


@dataclass(frozen=True)
class Scores:
    """The scores of one picture, made when they are asked for.

    Attributes:
        size: (H, W) of the picture.
        strips: scores (K, rows, W) of some rows after the other, and where in them the model did not look (rows, W);
            None: nowhere.
        turned: the strips are of columns, (K, columns, H).
    """

    size: tuple[int, int]
    strips: Iterator[tuple[Tensor, Tensor | None]]
    turned: bool = False


def predict(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: SegmentWishes) -> list[SegmentResult]:
    """Segment pictures of any kind; masks have the pictures' own sizes, upright. Computes in fp32.

    Raises:
        ImageError: a picture cannot be opened, or is too large at this scale.
        ConfigError: native size was asked of a network that knows one size only.
    """
    answers = _native(model, images, facts, wishes) if wishes.size == "native" else _fitted(model, images, facts)
    results = []
    with torch.inference_mode():
        for number, (image, scores) in enumerate(zip(images, answers, strict=True)):
            mask, probabilities = _gather(scores, facts.n_classes if wishes.probabilities else 0)
            name = str(image) if isinstance(image, (str, Path)) else f"picture {number + 1}"
            note = MASK.format(name) if looks_like_a_mask(image, facts.n_classes) else ""
            found = _regions(mask, facts.classes, wishes)
            results.append(SegmentResult(name, mask, facts.classes, probabilities, found, note))
    return results


def _fitted(model: nn.Module, images: Sequence[Any], facts: DataFacts) -> Iterator[Scores]:
    """Of pictures that are seen all at once."""
    batch = as_batch(images, facts.preprocess, device_of(model))
    logits = model(batch)["logits"].float()  # (N, K, h, w)
    sizes = [(height, width) for height, width in batch["original_hw"].tolist()]
    for each, affine, size in zip(logits, batch["canvas_affine"], sizes, strict=True):
        yield Scores(size, iter(on_file(each, affine, size)))


def _native(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: SegmentWishes) -> Iterator[Scores]:
    """Of pictures that are seen one by one, tile by tile."""
    preprocess, scale = facts.preprocess, wishes.scale or facts.zoom
    require_any_size(preprocess)
    tile = (wishes.tile, wishes.tile) if wishes.tile else preprocess.size
    for image in images:
        shown = at_scale(image, preprocess, scale)
        yield _by_tiles(model, shown.pixels, shown.size, tile, wishes.overlap)


def _by_tiles(
    model: nn.Module, picture: Tensor, size: tuple[int, int], tile: tuple[int, int], overlap: float
) -> Scores:
    """Blended, in the file's size, of a picture (C, h, w); of a wide one by columns, since these are shorter."""
    device, turned = device_of(model), picture.shape[2] > picture.shape[1]

    def turn(x: Tensor) -> Tensor:
        return x.transpose(-1, -2) if turned else x

    def net(tiles: Tensor) -> Tensor:
        return turn(model({"image": turn(tiles).to(device)})["logits"])

    if turned:
        picture, tile, size = turn(picture), (tile[1], tile[0]), (size[1], size[0])
    strips = tiled(net, picture, tile, overlap, PIXELS.get(device.type, PIXELS_ELSEWHERE))
    if picture.shape[1:] != size:
        strips = resized(strips, picture.shape[1], size)
    return Scores((size[1], size[0]) if turned else size, ((strip, None) for strip in strips), turned)


def _gather(scores: Scores, n_classes: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(H, W) uint8 classes, and (K, H, W) float16 probabilities; of no classes none."""
    mask = np.empty(scores.size, dtype=np.uint8)
    kept = np.empty((n_classes, *scores.size), dtype=np.float16)
    into, kept_into = (mask.T, kept.transpose(0, 2, 1)) if scores.turned else (mask, kept)
    top = 0
    for strip, outside in scores.strips:
        rows = slice(top, top + strip.shape[1])
        classes = strip.argmax(0)  # (rows, W)
        into[rows] = (classes if outside is None else classes.masked_fill(outside, IGNORE)).to(torch.uint8).cpu()
        if n_classes:
            likely = strip.softmax(0)  # (K, rows, W)
            kept_into[:, rows] = (likely if outside is None else likely.masked_fill(outside, 0)).half().cpu()
        top = rows.stop
    return mask, kept if n_classes else None


def _regions(mask: np.ndarray, classes: tuple[str, ...], wishes: SegmentWishes) -> tuple[Region, ...] | None:
    """Those of every class but the background; None where they are not asked for."""
    if wishes.regions == "none":
        return None
    things = [k for k, name in enumerate(classes) if name.lower() != BACKGROUND]
    return tuple(regions(mask, things, wishes.regions, wishes.min_area))


def target_score(outputs: Mapping[str, Tensor], index: int) -> Tensor:
    """(N,): the mean logit of class `index` over all pixels."""
    return outputs["logits"][:, index].mean((1, 2))
