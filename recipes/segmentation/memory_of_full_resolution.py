"""A network at full size throughout pays for every map with the whole picture's memory.

The plainest segmenter is a stack of convolutions that never give up a pixel. Training has to keep what its layers
gave, and all of that has the picture's height and width. Let the first one, two or three convolutions take steps of
two pixels, and resize the scores at the end: the same layers with the same weights keep a fourth, a sixteenth of the
memory and of the multiply-adds, and see farther, since a step at an eighth of the size is eight pixels. This is why
segmenters go down and come up again. What is lost are fine outlines; ways back up that have skips bring them back.

Memory is for a step of training with one picture of 256 x 256 pixels. The first column is counted, layer by layer:
three maps for a convolution, its norm and its ReLU. Measured is what all tensors together hold at their most, which is
as the way back begins. Of what was counted a third is not kept, since of a norm's result only what the ReLU made of it
stays. Most of the last row are the scores resized to full size and what the loss makes of them.

    python recipes/segmentation/memory_of_full_resolution.py
"""

import time
import weakref
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pellucid.models.segment.full_resolution import FullResolution
from pellucid.nn.geometry import describe
from pellucid.plots.bars import bars

SIDE, CLASSES = 256, 11
NETS = {0: "full size throughout", 1: "half the size", 2: "a quarter", 3: "an eighth"}


class Held(TorchDispatchMode):
    """Watches the memory that operations ask for, and when it is given back.

    Attributes:
        now, peak: bytes of all results that are alive, and the most there were at one time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                key, size = storage._cdata, storage.nbytes()
                if key not in self._known:
                    self._known.add(key)
                    self.now += size
                    self.peak = max(self.peak, self.now)
                    weakref.finalize(storage, self._given_back, key, size)
        return out

    def _given_back(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def step(halvings: int) -> tuple[float, float]:
    """Megabytes that a step of training holds at its most, the weights left out, and CPU seconds of one."""
    net = FullResolution(CLASSES, 3, halvings=halvings)
    x, y = torch.randn(1, 3, SIDE, SIDE), torch.randint(CLASSES, (1, SIDE, SIDE))
    held = Held()
    with held:
        F.cross_entropy(net(x), y).backward()
    net.zero_grad()
    began = time.process_time()
    F.cross_entropy(net(x), y).backward()
    return (held.peak + x.nbytes) / 1e6, time.process_time() - began


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Costs of the same ten layers, with no, one, two and three steps down."""
    rows, counted, measured = [], [], []
    for halvings, name in NETS.items():
        with torch.device("meta"):
            found = describe(FullResolution(CLASSES, 3, halvings=halvings), 3, (SIDE, SIDE))
        megabytes, seconds = step(halvings)
        last = next(row for row in found.rows if row.name == "head")
        counted.append(found.training_bytes / 1e6)
        measured.append(megabytes)
        rows.append(
            [
                name,
                f"{found.parameters:,}",
                f"{found.macs / 1e6:,.0f} million",
                f"{counted[-1]:.1f} MB",
                f"{megabytes:.1f} MB",
                f"{seconds:.2f} s",
                f"{last.receptive_field[0]} px",
            ]
        )
    picture = bars({"counted": counted, "measured": measured}, list(NETS.values()), "MB a picture of 256 × 256 pixels")
    header = ["ten layers at", "parameters", "multiply-adds", "maps, counted", "peak, measured", "CPU time", "field"]
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
