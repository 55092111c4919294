"""Mirror images.

Which pictures of a batch are mirrored: neighbours, a share p of the batch from a random place on. Each picture is
mirrored with probability p; in the random order of training the neighbours are strangers, so this differs from
tossing a coin for each only in that their number is even. In return whole blocks are copied, none by index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.data.transforms.batch import Batch, back_matrix, moved
from pellucid.ops import buffers

SIDES, OTHER = re.compile("left|right"), {"left": "right", "right": "left"}
CHUNK_BYTES = 600_000  # mirrored at a time, so that they stay in the cache until they are copied


@dataclass(frozen=True)
class Flip:
    """Mirror left and right, each picture with probability `p`. For `mirror` see `mirror_order`."""

    p: float = 0.5
    mirror: tuple[int, ...] = ()

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return _mirror(batch, self.p, generator, 3, self.mirror)


@dataclass(frozen=True)
class VFlip:
    """Turn upside down, each picture with probability `p`: what is left of a thing becomes its right here too."""

    p: float = 0.5
    mirror: tuple[int, ...] = ()

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return _mirror(batch, self.p, generator, 2, self.mirror)


def mirror_order(names: Sequence[str]) -> tuple[int, ...]:
    """Which keypoint of a mirrored thing is which of the thing itself: its left eye was the right one.

    A name with `left` in it changes places with the one that has `right` there instead. All others keep theirs, and
    so do points that have no names.
    """
    plain = [name.lower() for name in names]
    return tuple(
        plain.index(other) if (other := SIDES.sub(lambda side: OTHER[side[0]], name)) in plain else i
        for i, name in enumerate(plain)
    )


def _mirror(batch: Batch, p: float, generator: torch.Generator, axis: int, order: tuple[int, ...]) -> Batch:
    """Along axis 3 (x) or 2 (y) of the pictures."""
    image = batch["image"]
    n, _, height, width = image.shape
    runs = _draw_runs(n, p, generator)
    chosen = torch.zeros(n)
    for run in runs:
        chosen[run] = 1
    result = {**batch, "image": _mirrored(image, runs, axis)}
    if "mask" in batch:
        result["mask"] = _mirrored(batch["mask"][:, None], runs, axis)[:, 0]
    if "instance_mask" in batch:
        result["instance_mask"] = batch["instance_mask"].clone()
        for run in runs:
            result["instance_mask"][run] = batch["instance_mask"][run].flip(axis)
    sign, still, zero = 1 - 2 * chosen, torch.ones(n), torch.zeros(n)
    if axis == 3:
        back = back_matrix(sign, still, width * chosen, zero)
    else:
        back = back_matrix(still, sign, zero, height * chosen)
    if "valid_hw" in batch:  # what was padding at one side is at the other now
        valid = batch["valid_hw"].clone()
        for run in runs:
            valid[run, axis - 2] = (height, width)[axis - 2]
        result["valid_hw"] = valid
    result |= moved(result, back, (height, width))
    if "keypoints" in batch and order:
        for run in runs:
            result["keypoints"][run] = result["keypoints"][run][:, :, list(order)]
    return result


def _draw_runs(n: int, p: float, generator: torch.Generator) -> list[slice]:
    """Which pictures: a run of p * n of them (rounded up or down by chance) that starts anywhere and may wrap."""
    start, spare = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    first, length = int(start * n), int(p * n + spare)
    runs = [slice(first, min(first + length, n)), slice(0, max(0, first + length - n))]
    return [run for run in runs if run.stop > run.start]


def _mirrored(images: Tensor, runs: list[slice], axis: int) -> Tensor:
    """(N, C, H, W) with the pictures in `runs` mirrored; channels last."""
    pixels = images.permute(0, 2, 3, 1)  # (N, H, W, C)
    on_cpu = images.device.type == "cpu"
    out = buffers.empty(tuple(pixels.shape), pixels.dtype) if on_cpu else torch.empty_like(pixels)
    step = max(1, CHUNK_BYTES // max(1, pixels[:1].nbytes)) if on_cpu else len(images)
    end = 0
    for run in sorted(runs, key=lambda run: run.start):
        out[end : run.start] = pixels[end : run.start]
        for start in range(run.start, run.stop, step):
            part = slice(start, min(start + step, run.stop))
            out[part] = images[part].flip(axis).permute(0, 2, 3, 1)
        end = run.stop
    out[end:] = pixels[end:]
    return out.permute(0, 3, 1, 2)
