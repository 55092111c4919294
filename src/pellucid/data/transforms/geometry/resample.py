"""Move pixels and labels by a map that is no matrix.

A warp is known by two functions. `back` says where each pixel of the new picture is taken from, and is exact: what
is seen is what it says. `forward` is its inverse, by which boxes and keypoints follow.

Letters: N pictures, k of them at a time, H x W pixels, K points.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.canvas import IGNORE
from pellucid.data.transforms.batch import Batch, moved_by
from pellucid.data.transforms.geometry.affine import sample_things
from pellucid.ops import buffers
from pellucid.ops.rounding import round_into

CHUNK = 8  # pictures that are floats at a time

Back = Callable[[Tensor, slice], Tensor]
Forward = Callable[[Tensor], Tensor]


def resampled(batch: Batch, back: Back, forward: Forward) -> Batch:
    """The batch after a warp of the canvas onto itself.

    Pictures are interpolated bilinearly and continued outwards by their edge pixels; masks take the nearest pixel, 255
    outside. A box becomes the one around its bowed edges. `canvas_affine` stays: no matrix describes the warp.

    Args:
        back: `(u, part) -> u`: (H, W, 2) coordinates of the new pixels' centres -> (k, H, W, 2) old coordinates for the
            pictures `part`, both from -1 to 1 across the canvas.
        forward: (N, K, 2) old coordinates -> new ones, in pixels.
    """
    image = batch["image"]
    n, _, height, width = image.shape
    centres = _centres(height, width, image.device)
    out = buffers.empty_like(image)
    mask = batch.get("mask")
    new_mask = None if mask is None else torch.empty_like(mask)
    things: list[Tensor] = []
    step = CHUNK if image.device.type == "cpu" else max(1, n)
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        grid = back(centres, part)  # (k, H, W, 2)
        pixels = image[part].to(torch.float32)
        sampled = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
        round_into(out[part], sampled)
        if mask is not None and new_mask is not None:
            above = mask[part, None].to(torch.float32) + 1  # so that 0 is left for outside
            nearest = F.grid_sample(above, grid, mode="nearest", padding_mode="zeros", align_corners=False)[:, 0] - 1
            new_mask[part] = torch.where(nearest < 0, IGNORE, nearest).to(mask.dtype)
        if "instance_mask" in batch:
            things.append(sample_things(batch["instance_mask"][part], grid))
    result = {**batch, "image": out}
    if things:
        result["instance_mask"] = torch.cat(things)
    if new_mask is not None:
        result["mask"] = new_mask
    if "valid_hw" in batch:  # edge pixels are drawn outwards, so the whole canvas may show picture
        result["valid_hw"] = torch.tensor([height, width], device=batch["valid_hw"].device).repeat(n, 1)
    return result | moved_by(result, forward, (height, width))


def _centres(height: int, width: int, device: torch.device) -> Tensor:
    """(H, W, 2): x and y of every pixel's centre, from -1 to 1 across the canvas."""
    x = (torch.arange(width, device=device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=device) * 2 + 1) / height - 1
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
