"""Boxes that are proposed before a network looks, for those that judge proposals only.

They are those of Selective Search, made once for every packed picture and kept beside the packs; for pictures that are
shown later they are made when these come.

Letters: N pictures, C channels, H x W pixels, R boxes.
"""

import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.classic.proposals.selective_search import selective_search
from pellucid.core.progress import Progress
from pellucid.data.pack import Pack
from pellucid.data.pack.cache import SUFFIX, cache_folder, is_writable, note_use, prune
from pellucid.data.pack.file import open_arrays, write_arrays

MOST = 128  # R; on small pictures one grouping gives fewer
MODE = "single"
SMALLEST = 5.0  # px; smaller boxes hold nothing that could be told
FORMAT = 1  # of the file, and of what is proposed; another number makes all files anew


def propose(image: Tensor, most: int = MOST) -> Tensor:
    """(N, C, H, W) uint8 -> (N, R, 4) float32 x1, y1, x2, y2, the likeliest first; zeros where there are fewer."""
    found = torch.zeros(len(image), most, 4)
    for row, picture in enumerate(image.cpu().numpy()):
        boxes = selective_search(picture, MODE, most=most, smallest=SMALLEST)
        found[row, : len(boxes)] = torch.from_numpy(boxes)
    return found.to(image.device)


def packed_proposals(pack: Pack, progress: Progress) -> np.ndarray:
    """(N, R, 4) float32 of every picture of a pack, from a file where they were kept before."""
    folder = cache_folder(None)
    path = None if folder is None else folder / f"proposals-{_digest(pack)}{SUFFIX}"
    if path is not None and (kept := open_arrays(path)) is not None:
        note_use(path)
        return kept[0]["proposals"]
    found = np.zeros((len(pack), MOST, 4), dtype=np.float32)
    with progress.bar("Proposing boxes", len(pack)) as advance:
        for row in range(len(pack)):
            picture = torch.from_numpy(np.asarray(pack.images[row])).permute(2, 0, 1)[None]
            found[row] = propose(picture)[0].numpy()
            advance(row + 1)
    if path is not None and folder is not None and is_writable(folder):

        def fill(_: Any) -> tuple[int, dict[str, np.ndarray], dict[str, Any]]:
            return 0, {"proposals": found}, {}

        write_arrays(path, {}, fill)
        prune(folder)
    return found


def _digest(pack: Pack) -> str:
    """Of the pixels and of how boxes are proposed."""
    digest = hashlib.sha256(f"{FORMAT} {MOST} {MODE} {SMALLEST} {pack.images.shape}\n".encode())
    for start in range(0, len(pack), 256):
        digest.update(np.ascontiguousarray(pack.images[start : start + 256]).data)
    return digest.hexdigest()[:32]
