"""A network at full size throughout pays for every map with the whole picture's memory.

The plainest segmenter is a stack of convolutions that never give up a pixel. Training has to keep what its layers
gave, and all of that has the picture's height and width. Let the first one, two or three convolutions take steps of
two pixels, and resize the scores at the end: the same layers with the same weights keep a fourth, a sixteenth of the
memory and of the multiply-adds, and see farther, since a step at an eighth of the size is eight pixels. This is why
segmenters go down and come up again. What is lost are fine outlines; ways back up that have skips bring them back.

Memory is for one picture of 256 x 256 pixels. The first column is counted, layer by layer: three maps for a
convolution, its norm and its ReLU. Measured is by how much a process grows at its peak in a step of training, with as
many pictures as half a gigabyte holds. Less is kept than was counted, of a norm's result only what the ReLU made of it;
room for gradients and for the convolutions' own work comes on top.

    python recipes/segmentation/memory_of_full_resolution.py  # half a minute
"""

import resource
import subprocess
import sys
import time

import torch
from torch.nn import functional as F

from pellucid.models.segment.full_resolution import FullResolution
from pellucid.nn.geometry import describe
from pellucid.plots.bars import bars

SIDE, CLASSES = 256, 11
NETS = {0: "full size throughout", 1: "half the size", 2: "a quarter", 3: "an eighth"}


def peak(halvings: int) -> tuple[float, float]:
    """In a process of its own: megabytes by which one step of training lets it grow, a picture, and CPU seconds."""
    command = [sys.executable, __file__, str(halvings)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    megabytes, seconds = done.stdout.split()
    return float(megabytes), float(seconds)


def step(halvings: int) -> tuple[float, float]:
    """What `peak` asks its process for. A tiny step goes first, so that what torch prepares once is not counted."""
    torch.set_num_threads(1)
    batch = 2 * 4**halvings
    for side in (32, SIDE):
        net = FullResolution(CLASSES, 3, halvings=halvings)
        x, y = torch.randn(batch, 3, side, side), torch.randint(CLASSES, (batch, side, side))
        before, began = _peak_memory(), time.process_time()
        F.cross_entropy(net(x), y).backward()
        seconds = time.process_time() - began
    return (_peak_memory() - before) / batch / 1e6, seconds / batch


def _peak_memory() -> int:
    """The most this process has held, in bytes."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Costs of the same ten layers, with no, one, two and three steps down."""
    rows, counted, measured = [], [], []
    for halvings, name in NETS.items():
        with torch.device("meta"):
            found = describe(FullResolution(CLASSES, 3, halvings=halvings), 3, (SIDE, SIDE))
        megabytes, seconds = peak(halvings)
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
    if len(sys.argv) > 1:
        print(*step(int(sys.argv[1])))
    else:
        header, rows, _ = experiment()
        for row in [header, *rows]:
            print("  ".join(cell.rjust(22) for cell in row))
