"""What every transform takes and gives, and how coordinates follow the pixels.

A transform is a frozen dataclass called as `t(batch, generator) -> batch`. It works on whole batches, on the
device where the pixels are, draws everything from the generator, and changes none of the tensors it was given.

| key | what happens to it |
|---|---|
| `image` (N, C, H, W) uint8 | the pixels; the result is channels last in memory |
| `mask` (N, H, W), any integers | moves with the pixels by the nearest pixel; pixels that come from nowhere are 255 |
| `instance_mask` (N, M, H, W) bool | moves as `mask` does; pixels that come from nowhere are no thing's |
| `boxes_xyxy` (N, M, 4) | moved and clipped; a box whose middle leaves the canvas becomes 0 and its `box_label` -1 |
| `keypoints` (N, M, P, 3) | moved; one that leaves the canvas, or whose thing does, gets visibility 0 |
| `proposals_xyxy` (N, R, 4) | moved and clipped; one that leaves the canvas becomes 0 |
| `canvas_affine` (N, 2, 3) | leads from the new canvas to the file's pixels |
| `valid_hw` (N, 2) | everything that is picture lies in these first rows and columns |

A thing is there with its box, its label and its mask, or with none of them: one of whose mask no pixel is left has gone
too. `Mosaic` alone changes how many places for things there are.

`canvas_affine` is what it says as long as the pixels moved by matrices; warps that are none leave it as it was.

Two pictures that became one (`mixing`) add two keys:

| key | meaning |
|---|---|
| `label_mix` (N, 2) int64 | the label of the picture itself and that of the one mixed in |
| `label_mix_weight` (N,) float32 | how much of the result is the second: 0 where nothing was mixed in |

Every other key, `label` among them, is handed on as it is.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

Batch = dict[str, Tensor]

EDGE = 17  # points of an edge that bows


class Transform(Protocol):
    """A batch in, a batch out."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch: ...


@runtime_checkable
class Cut(Transform, Protocol):
    """A transform that begins by taking parts of pictures, so that it can take them from where they are stored."""

    def cut(self, batch: Batch, rows: Tensor, generator: torch.Generator) -> Batch:
        """What `__call__` gives for the pictures `rows` (N,), without gathering them first.

        Here `image` and `mask` hold any number of pictures, the other entries N.
        """


def draw(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """(n,) float32, uniform in [low, high)."""
    return torch.rand(n, generator=generator) * (high - low) + low


def draw_whole(highest: Tensor, generator: torch.Generator) -> Tensor:
    """(n,) int64, uniform over 0..highest[i], both included."""
    drawn = (torch.rand(len(highest), generator=generator, dtype=torch.float64) * (highest + 1)).long()
    return torch.minimum(drawn, highest)


def back_matrix(scale_x: Tensor, scale_y: Tensor, left: Tensor, top: Tensor) -> Tensor:
    """(N, 2, 3) float32, from new to old coordinates: `x_old = scale_x * x + left`. All (N,)."""
    back = torch.zeros(len(left), 2, 3)
    back[:, 0, 0], back[:, 1, 1], back[:, 0, 2], back[:, 1, 2] = scale_x, scale_y, left, top
    return back


def moved(batch: Batch, back: Tensor, size: tuple[int, int]) -> Batch:
    """The entries that hold coordinates, after the pixels moved, and the masks of things that are still there.

    Args:
        batch: with old coordinates, and masks that have moved already.
        back: (N, 2, 3) float32 on the CPU, from new to old canvas coordinates.
        size: new height and width.
    """
    found: Batch = {}
    if "canvas_affine" in batch:
        affine = batch["canvas_affine"]
        turn = affine[..., :2] @ back.to(affine)  # (N, 2, 3)
        turn[..., 2] += affine[..., 2]
        found["canvas_affine"] = turn
    return found | moved_by(batch, lambda xy: _forward(xy, back), size, edge=2)


def moved_by(batch: Batch, forward: Callable[[Tensor], Tensor], size: tuple[int, int], edge: int = EDGE) -> Batch:
    """Boxes and keypoints after the pixels moved, and the masks of things that are still there.

    Args:
        batch: with old coordinates, and masks that have moved already.
        forward: (N, K, 2) old coordinates -> new ones.
        size: new height and width.
        edge: points of each edge of a box that are looked at; the ends alone where edges stay straight.
    """
    found: Batch = {}
    limit = torch.tensor([size[1], size[0]])

    def box(boxes: Tensor) -> Tensor:
        around = _around(boxes, edge)  # (N, M, P, 2)
        around = forward(around.flatten(1, 2)).reshape(around.shape)
        return torch.cat([around.amin(2), around.amax(2)], dim=-1)

    there = None
    if "boxes_xyxy" in batch:
        boxes, there = seen(box(batch["boxes_xyxy"]), torch.zeros(2), limit)
        if "instance_mask" in batch:
            there &= shows(batch["instance_mask"])
            found["instance_mask"] = only(batch["instance_mask"], there)
        found["boxes_xyxy"] = boxes * there[..., None]
        if "box_label" in batch:
            found["box_label"] = torch.where(there, batch["box_label"], -1)
    if "proposals_xyxy" in batch:
        found["proposals_xyxy"], _ = seen(box(batch["proposals_xyxy"]), torch.zeros(2), limit, by_middle=False)
    if "keypoints" in batch:
        points = batch["keypoints"]
        n, m, p, _ = points.shape
        xy = forward(points[..., :2].reshape(n, m * p, 2)).reshape(n, m, p, 2)
        inside = ((xy >= 0) & (xy < limit.to(xy))).all(-1)  # (N, M, P)
        inside = inside if there is None else inside & there[..., None]
        found["keypoints"] = torch.cat([xy, (points[..., 2] * inside)[..., None]], dim=-1)
    return found


def shows(masks: Tensor) -> Tensor:
    """(..., H, W) bool -> (...,) bool, whether any pixel is True."""
    return masks.flatten(-2).view(torch.uint8).amax(-1) > 0  # fifty times as fast as `any`


def only(masks: Tensor, there: Tensor) -> Tensor:
    """(N, M, H, W) with the masks of things alone that are `there` (N, M); `masks` itself where that is so already."""
    gone = (shows(masks) & ~there).flatten().nonzero()[:, 0]
    if not len(gone):
        return masks
    kept = masks.clone()
    kept.flatten(0, 1)[gone] = kept.new_zeros(
        len(gone), *masks.shape[2:]
    )  # whole masks are copied, none filled bit by bit
    return kept


def seen(boxes: Tensor, low: Tensor, high: Tensor, by_middle: bool = True) -> tuple[Tensor, Tensor]:
    """What of boxes lies in a window.

    Args:
        boxes: (..., 4).
        low, high: (..., 2), left top and right bottom of the window.
        by_middle: whether a box is there only where its middle is.

    Returns:
        (..., 4) clipped, zeros where a box is not there; and (...,) bool, whether it is.
    """
    low, high = low.to(boxes), high.to(boxes)
    corners = boxes.unflatten(-1, (2, 2))  # (..., corner, axis)
    middle = corners.mean(-2)
    corners = corners.maximum(low[..., None, :]).minimum(high[..., None, :])
    there = (corners[..., 1, :] > corners[..., 0, :]).all(-1)
    if by_middle:
        there = there & ((middle >= low) & (middle <= high)).all(-1)
    return corners.flatten(-2) * there[..., None], there


def _around(boxes: Tensor, edge: int) -> Tensor:
    """(N, M, P, 2): `edge` points of each of the four edges of (N, M, 4)."""
    share = torch.linspace(0, 1, edge, device=boxes.device, dtype=boxes.dtype)
    low, high = boxes[..., None, :2], boxes[..., None, 2:]  # (N, M, 1, 2)
    along = torch.lerp(low, high, share[:, None])  # (N, M, edge, 2), exact at both ends
    x, y = along.unbind(-1)
    (x1, y1), (x2, y2) = (side.expand_as(along).unbind(-1) for side in (low, high))
    parts = ((x, y1), (x, y2), (x1, y), (x2, y))
    return torch.cat([torch.stack(part, -1) for part in parts], 2)


def _forward(xy: Tensor, back: Tensor) -> Tensor:
    """(N, K, 2) old coordinates -> new ones: the inverse of `back`, written out so that whole pixels stay exact."""
    back = back.to(xy)
    (a, b, left), (c, d, top) = back[:, 0].T, back[:, 1].T  # (N,) each
    x, y = xy[..., 0] - left[:, None], xy[..., 1] - top[:, None]  # (N, K)
    det = (a * d - b * c)[:, None]
    new_x = (d[:, None] * x - b[:, None] * y) / det
    new_y = (a[:, None] * y - c[:, None] * x) / det
    return torch.stack([new_x, new_y], dim=-1)
