"""Four pictures in one, as YOLOv4 trains (Bochkovskiy, Wang, Liao 2020, arXiv 2004.10934, section 3.3).

Letters: N pictures, B of them that become mosaics, M places for things, q = 0..3 the quarter.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.canvas import resize
from pellucid.data.transforms.batch import Batch, draw, draw_whole, only, seen, shows
from pellucid.data.transforms.geometry.crop import dealt, nearest
from pellucid.data.transforms.geometry.windows import mask_windows, windows

THINGS = ("boxes_xyxy", "box_label", "is_crowd", "box_area", "keypoints", "instance_mask")
NO_THING = -1


@dataclass(frozen=True)
class Mosaic:
    """Divide the canvas at a random point, and fill each quarter with a part of another picture of the batch.

    The first quarter shows the picture itself. Parts are scaled by a factor drawn evenly in its logarithm from `scale`,
    and lie at random places inside their pictures. A thing is there if the middle of its box is in the part; its box
    ends where the part does. Afterwards there are 4 M places for things, in pictures that are no mosaics too.
    `canvas_affine` and `original_hw` stay those of the first picture.

    At most `shapes` different divisions are drawn for a batch and dealt out evenly.

    Attributes:
        p: probability that a picture becomes a mosaic.
        scale: smallest and largest factor; 0.5 shows whole pictures where the canvas is divided in the middle.
        middle: how far from the top and the left, as a share of the side, the canvas is divided at least and at most.
    """

    p: float = 1.0
    scale: tuple[float, float] = (0.5, 1.0)
    middle: tuple[float, float] = (0.3, 0.7)
    shapes: int = 4

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        image = batch["image"]
        n, canvas = len(image), torch.tensor(image.shape[2:])
        places = (torch.rand(n, generator=generator) < self.p).nonzero()[:, 0]  # (B,)
        k = min(max(1, len(places)), self.shapes)
        split = torch.stack([(draw(k, *self.middle, generator) * side).round().long() for side in canvas], 1)  # (k, 2)
        zero, end = torch.zeros_like(split), canvas.expand(k, 2)
        # (k, q, 2), y and x: above and left, above and right, below and left, below and right
        low = torch.stack([zero, _first(zero, split), _first(split, zero), split], 1)
        high = torch.stack([split, _first(split, end), _first(end, split), end], 1)
        smallest, largest = map(math.log, self.scale)
        factor = torch.exp(draw(k * 4, smallest, largest, generator)).view(k, 4, 1)
        part_hw = ((high - low) / factor).round().long().clamp(min=1).minimum(canvas)  # (k, q, 2)
        deal = torch.arange(len(places)) % k
        source = _sources(n, generator)[places]  # (B, q)
        valid = batch["valid_hw"].cpu() if "valid_hw" in batch else canvas.expand(n, 2)
        room = (valid[source] - part_hw[deal]).clamp(min=0)  # (B, q, 2)
        start = torch.stack([draw_whole(room[..., axis].flatten(), generator) for axis in (0, 1)], 1).view(
            *source.shape, 2
        )
        result = {**batch, "image": image.clone(memory_format=torch.channels_last)}
        if "mask" in batch:
            result["mask"] = batch["mask"].clone()
        result |= _wider(batch)
        if "instance_mask" in result:
            result["instance_mask"][places] = False
        for q in range(4):
            for number, (dealt_out, part) in enumerate(dealt(len(places), part_hw[:, q])):
                area = low[number, q].tolist(), high[number, q].tolist()
                _fill(result, batch, places[dealt_out], source[dealt_out, q], start[dealt_out, q], part, q, area)
        if "valid_hw" in batch:
            result["valid_hw"] = batch["valid_hw"].clone()
            result["valid_hw"][places.to(batch["valid_hw"].device)] = canvas.to(batch["valid_hw"])
        _place(result, batch, places, source, start, (part_hw / (high - low).clamp(min=1))[deal], low[deal], high[deal])
        return result


def _first(one: Tensor, other: Tensor) -> Tensor:
    """The y of the one and the x of the other."""
    return torch.stack([one[:, 0], other[:, 1]], 1)


def _sources(n: int, generator: torch.Generator) -> Tensor:
    """(N, 4): each picture itself and three others, all different where the batch has as many."""
    away = torch.randperm(max(1, n - 1), generator=generator)[:3] + 1
    away = torch.cat([torch.zeros(1, dtype=torch.long), away.repeat(3)[:3]])
    return (torch.arange(n)[:, None] + away) % max(1, n)


def _wider(batch: Batch) -> Batch:
    """The entries of things with 4 M places, of which the first M are as they were."""
    found: Batch = {}
    for key in (key for key in THINGS if key in batch):
        values = batch[key]
        n, m, *rest = values.shape
        found[key] = values.new_full((n, 4 * m, *rest), NO_THING if key == "box_label" else 0)
        found[key][:, :m] = values
    if "proposals_xyxy" in batch:
        proposals = batch["proposals_xyxy"]
        found["proposals_xyxy"] = F.pad(proposals, (0, 0, 0, 3 * proposals.shape[1]))
    return found


def _fill(
    result: Batch,
    batch: Batch,
    places: Tensor,
    source: Tensor,
    start: Tensor,
    part: tuple[int, int],
    q: int,
    area: tuple[list[int], list[int]],
) -> None:
    """Quarter q of the pictures `places`, by the parts of `source` that begin at `start`; `area` is where it lies."""
    (y1, x1), (y2, x2) = area
    size = (y2 - y1, x2 - x1)
    if not (len(places) and min(size) > 0):
        return
    top, left = start.T
    pixels = windows(batch["image"], source, top, left, part)
    result["image"][places, :, y1:y2, x1:x2] = pixels if part == size else resize(pixels, size)
    if "mask" in batch:
        result["mask"][places, y1:y2, x1:x2] = nearest(mask_windows(batch["mask"], source, top, left, part), size)
    if "instance_mask" in batch:
        masks = batch["instance_mask"]
        m = masks.shape[1]
        there = batch["box_label"][source.to(masks.device)] >= 0 if "box_label" in batch else torch.ones(len(source), m)
        row, number = there.nonzero().cpu().T  # places of things alone
        each = mask_windows(masks.flatten(0, 1), source[row] * m + number, top[row], left[row], part)
        result["instance_mask"][places[row], q * m + number, y1:y2, x1:x2] = nearest(each, size)


def _place(
    result: Batch,
    batch: Batch,
    places: Tensor,
    source: Tensor,
    start: Tensor,
    scale: Tensor,
    low: Tensor,
    high: Tensor,
) -> None:
    """Boxes, labels and keypoints of the things in the mosaics.

    Args:
        places, source, start: (B,), (B, q) and (B, q, 2) on the CPU: which pictures, and what they show from where on.
        scale: (B, q, 2), old pixels a new one.
        low, high: (B, q, 2), where the quarters lie. All pairs are y, x.
    """
    device = batch["image"].device
    places, source = places.to(device), source.to(device)
    start, scale, low, high = (each.flip(-1)[:, :, None].to(device) for each in (start, scale, low, high))  # x, y

    def at(xy: Tensor) -> Tensor:
        return (xy - start) / scale + low

    for key in ("boxes_xyxy", "proposals_xyxy"):
        if key not in batch:
            continue
        boxes = batch[key][source]  # (B, q, M, 4)
        boxes, there = seen(torch.cat([at(boxes[..., :2]), at(boxes[..., 2:])], -1), low, high, key == "boxes_xyxy")
        result[key][places] = boxes.flatten(1, 2)
        if key == "boxes_xyxy":
            _keep(result, batch, places, source, there)
    if "keypoints" in batch:
        points = batch["keypoints"][source]  # (B, q, M, P, 3)
        xy = (points[..., :2] - start[..., None, :]) / scale[..., None, :] + low[..., None, :]
        inside = ((xy >= low[..., None, :]) & (xy < high[..., None, :])).all(-1)
        if "boxes_xyxy" in batch:
            inside &= (result["boxes_xyxy"][places].unflatten(1, (4, -1)) > 0).any(-1)[..., None]
        points = torch.cat([xy, (points[..., 2] * inside)[..., None]], -1)
        result["keypoints"][places] = points.flatten(1, 2)


def _keep(result: Batch, batch: Batch, places: Tensor, source: Tensor, there: Tensor) -> None:
    """What else is known of the things that are there (B, q, M), and no mask, box or label of those that are not."""
    there = there.flatten(1, 2)  # (B, 4 M)
    if "instance_mask" in batch:
        drawn = result["instance_mask"][places]
        there = there & shows(drawn)
        if (kept := only(drawn, there)) is not drawn:
            result["instance_mask"][places] = kept
        result["boxes_xyxy"][places] *= there[..., None]
    if "box_label" in batch:
        result["box_label"][places] = torch.where(there, batch["box_label"][source].flatten(1, 2), NO_THING)
    for key in ("is_crowd", "box_area"):
        if key in batch:
            result[key][places] = batch[key][source].flatten(1, 2) * there
