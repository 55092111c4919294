"""Where the keypoints of the thing in a region are: a map for each, in which one cell is the point.

He et al. 2017, "Mask R-CNN" (https://arxiv.org/abs/1703.06870), section 5: a softmax over all cells of a map, so that
exactly one of them is named. Names are torchvision's.

Letters: N pictures, R regions of all pictures, M feature maps, S cells along a side of the pooled features, P
keypoints, T = 4S cells along a side of a heat map, Q regions that hold a thing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.detect.mask_head import mean_by_picture, start_he

MOST_CELLS = 2**24  # of maps that are enlarged at once


class KeypointHead(nn.Sequential):
    """3x3 convolutions with ReLU that keep the size.

    Args:
        width: M of what comes in.
        widths: M after each convolution.
    """

    def __init__(self, width: int, widths: tuple[int, ...]) -> None:
        layers: list[nn.Module] = []
        for a, b in zip((width, *widths), widths, strict=False):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU()]
        super().__init__(*layers)
        start_he(self)


class KeypointPredictor(nn.Module):
    """Twice the size by a transposed convolution, and twice again by interpolation.

    Args:
        width: M.
        n_keypoints: P.
    """

    def __init__(self, width: int, n_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(width, n_keypoints, 4, 2, 1)
        nn.init.normal_(self.kps_score_lowres.weight, std=0.001)
        nn.init.zeros_(self.kps_score_lowres.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(R, M, S, S) -> (R, P, T, T) logits."""
        return F.interpolate(self.kps_score_lowres(x), scale_factor=2.0, mode="bilinear", align_corners=False)


def keypoint_cells(keypoints: Tensor, boxes_xyxy: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The cell of each keypoint, and which of them a heat map of the region can learn.

    Args:
        keypoints: (Q, P, 3): x, y, and 0 where the point is not marked.
        boxes_xyxy: (Q, 4) pixels.
        side: T.

    Returns:
        (Q, P) int64 y * T + x, 0 where it cannot; (Q, P) bool: marked and in the box, whose border belongs to it.
    """
    low, size = boxes_xyxy[:, None, :2], boxes_xyxy[:, None, 2:] - boxes_xyxy[:, None, :2]
    at = (keypoints[..., :2] - low) / size.clamp_min(1e-6)  # (Q, P, 2) in 0..1 within the box
    cell = (at * side).floor().long()
    cell = torch.where(at == 1, side - 1, cell)  # the far border belongs to the last cell
    usable = (keypoints[..., 2] > 0) & ((cell >= 0) & (cell < side)).all(-1) & (size > 0).all(-1)
    return torch.where(usable, cell[..., 1] * side + cell[..., 0], 0), usable


def keypoint_loss(logits: Tensor, cells: Tensor, usable: Tensor, picture: Tensor, n_pictures: int) -> Tensor:
    """(N,): cross-entropy over the cells of a map, the mean over the usable keypoints of a picture.

    Args:
        logits: (Q, P, T, T).
        cells, usable: see `keypoint_cells`.
        picture: (Q,) int64.
    """
    each = F.cross_entropy(logits.flatten(2).transpose(1, 2), cells, reduction="none")[usable]
    return mean_by_picture(each, picture[:, None].expand_as(cells)[usable], n_pictures)


def keypoints_from(logits: Tensor, boxes_xyxy: Tensor) -> Tensor:
    """(R, P, 3): x, y in pixels, and the score of each keypoint, the logit there.

    Each heat map is enlarged to the pixels of its box, rounded up, by cubic interpolation, and its highest pixel is the
    point, as the paper's code has it: finer than a cell.

    Args:
        logits: (R, P, T, T).
        boxes_xyxy: (R, 4).
    """
    points = logits.new_zeros(*logits.shape[:2], 3)
    size = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).clamp_min(1)  # (R, 2)
    pixels = size.ceil().long()
    with torch.autocast(logits.device.type, enabled=False):  # places, of which bf16 tells too few apart
        for rows in _chunks(pixels, logits.shape[1]):
            points[rows] = _highest(logits[rows], boxes_xyxy[rows, :2], size[rows], pixels[rows])
    return points


def _chunks(pixels: Tensor, n_keypoints: int) -> list[Tensor]:
    """Regions of similar size together, as many as fit into memory: all are enlarged to the largest of them."""
    order = pixels.amax(1).argsort()
    sides = pixels.amax(1)[order].tolist()
    chunks, start = [], 0
    for end in range(1, len(sides) + 1):
        if end == len(sides) or (end + 1 - start) * n_keypoints * sides[end] ** 2 > MOST_CELLS:
            chunks.append(order[start:end])
            start = end
    return chunks


def _highest(logits: Tensor, low: Tensor, size: Tensor, pixels: Tensor) -> Tensor:
    """The highest pixel of each map, enlarged to (h, w) = `pixels` (y after x there) by two small matrices a region."""
    across, down = (_cubic(logits.shape[-1], pixels[:, axis]) for axis in (0, 1))  # (R, X, T), (R, Y, T)
    large = down[:, None] @ logits @ across[:, None].transpose(-1, -2)  # (R, P, Y, X)
    y, x = (torch.arange(n, device=low.device) for n in large.shape[-2:])
    outside = (y[:, None] >= pixels[:, 1, None, None]) | (x >= pixels[:, 0, None, None])  # (R, Y, X)
    score, place = large.masked_fill(outside[:, None], -torch.inf).flatten(2).max(2)  # (R, P)
    at = torch.stack([place % large.shape[-1], place // large.shape[-1]], -1) + 0.5  # (R, P, 2)
    xy = at * (size / pixels)[:, None] + low[:, None]
    return torch.cat([xy, score[..., None]], -1)


def _cubic(cells: int, pixels: Tensor) -> Tensor:
    """(R, largest, T): row i has the share of each of T cells in pixel i of as many as `pixels` (R,) says.

    Keys 1981, "Cubic Convolution Interpolation" (https://doi.org/10.1109/TASSP.1981.1163711), a = -0.75 as usual for
    pictures; the border is repeated.
    """
    a = -0.75
    at = (torch.arange(int(pixels.max()), device=pixels.device) + 0.5) * (cells / pixels)[:, None] - 0.5  # (R, X)
    first = at.floor()
    matrix = at.new_zeros(*at.shape, cells)
    for tap in (-1, 0, 1, 2):
        t = (at - first - tap).abs()
        near = ((a + 2) * t - (a + 3)) * t * t + 1
        far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
        cell = (first + tap).clamp(0, cells - 1).long()
        matrix.scatter_add_(2, cell[..., None], torch.where(t <= 1, near, far)[..., None])
    return matrix
