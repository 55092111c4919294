"""A picture of any size, in which a detector looks for things tile by tile. C channels, h x w pixels, T tiles.

All tiles have one size, so that they go through the network together: where the picture ends within one, the rest is
filled with the background, as in training where pictures are fitted whole. A thing larger than a tile is found in
parts, which are united; what is larger than several tiles, the network has never seen at this scale.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pellucid.data.tiles.spans import spans
from pellucid.models.detect.found import Found
from pellucid.ops.boxes.suppress import nms_per_class
from pellucid.tasks.detect.prediction.merge import Seen, merge
from pellucid.tasks.detect.prediction.things import Thing, Things, View, view

Find = Callable[[Tensor], Found]  # (n, C, h, w) uint8 -> what is in them


def tiled(
    find: Find,
    picture: Tensor,
    tile: tuple[int, int],
    overlap: float,
    pixels: int,
    background: tuple[int, ...],
    iou: float,
) -> Things:
    """The things in a picture, each once.

    Args:
        find: the network.
        picture: (C, h, w) uint8.
        tile: height and width of a tile.
        overlap: least share of it that neighbours have in common, see `data.tiles.spans`.
        pixels: how many the network is given at once, at least one tile.
        background: a number for each of the C channels, of what lies beyond the picture.
        iou: of two things of one class that overlap more than this, the less sure one is left out.
    """
    height, width = picture.shape[1:]
    rows, columns = spans(height, tile[0], overlap), spans(width, tile[1], overlap)
    windows = [(row.start, column.start) for row in rows for column in columns]
    together = max(1, pixels // (tile[0] * tile[1]))
    found = [find(_cut(picture, part, tile, background)) for part in _parts(windows, together)]
    boxes, scores, labels = (
        torch.cat([getattr(each, name) for each in found]).cpu() for name in ("boxes_xyxy", "scores", "labels")
    )  # (T, D, 4), (T, D), (T, D)
    tops_lefts = torch.tensor(windows)
    corners = tops_lefts.flip(1).repeat(1, 2)  # (T, 4): left, top, left, top
    ends = torch.minimum(corners[:, :2] + torch.tensor([tile[1], tile[0]]), torch.tensor([width, height]))
    inside = torch.cat([corners[:, :2], ends], dim=1)  # (T, 4)
    placed = torch.minimum(torch.maximum(boxes + corners[:, None], corners[:, None]), ends.repeat(1, 2)[:, None])
    is_thing = (labels >= 0) & (placed[..., :2] < placed[..., 2:]).all(-1)  # (T, D)
    places = is_thing.nonzero()  # (n, 2)
    seen = Seen(
        placed[is_thing].double().numpy(),
        scores[is_thing].double().numpy(),
        labels[is_thing].numpy(),
        places[:, 0].numpy(),
        inside.double().numpy(),
        (height, width),
    )
    things = []
    for each in merge(seen):
        first = each.members[0]
        views = [_view(found, together, places[member].tolist(), corners) for member in each.members]
        things.append(Thing(each.box_xyxy, float(seen.scores[first]), int(seen.labels[first]), views))
    points = found[0].keypoints
    return Things(_suppressed(things, iou), found[0].masks is not None, 0 if points is None else points.shape[2])


def _cut(picture: Tensor, windows: list[tuple[int, int]], tile: tuple[int, int], background: tuple[int, ...]) -> Tensor:
    """(n, C, h, w) uint8, channels last in memory."""
    tiles = torch.tensor(background, dtype=torch.uint8)[:, None, None].expand(-1, *tile)
    tiles = tiles.expand(len(windows), -1, -1, -1).contiguous(memory_format=torch.channels_last)
    for each, (top, left) in zip(tiles, windows, strict=True):
        part = picture[:, top : top + tile[0], left : left + tile[1]]
        each[:, : part.shape[1], : part.shape[2]] = part
    return tiles


def _parts(windows: list[tuple[int, int]], most: int) -> list[list[tuple[int, int]]]:
    return [windows[start : start + most] for start in range(0, len(windows), most)]


def _view(found: list[Found], together: int, place: list[int], corners: Tensor) -> View:
    """What one tile says of a thing, in pixels of the picture at scale; its box not clipped: its mask fills it."""
    tile, number = place
    return view(found[tile // together], tile % together, number, corners[tile].tolist())


def _suppressed(things: list[Thing], iou: float) -> list[Thing]:
    """Less those that surer ones of their class overlap too much: views too unlike to be taken for one thing."""
    if not things:
        return things
    boxes = torch.from_numpy(np.stack([thing.box_xyxy for thing in things])).float()
    scores, labels = torch.tensor([thing.score for thing in things]), torch.tensor([thing.label for thing in things])
    return [things[kept] for kept in nms_per_class(boxes, scores, labels, iou).tolist()]
