"""One pass of convolutions answers for every pixel what a classifier says of the window around it.

The oldest way to segment a picture asks a classifier of small pictures about each pixel: cut out the window around
it, and take the answer as the pixel's class. Windows of neighbours share all but a column, so nearly all of the work
is done again and again. A linear layer that reads a map is a convolution with a kernel as large as the map. Written
so, the same weights run over the whole picture at once, and what windows share is computed once.

The answers are the same, in every pixel and up to rounding. That takes care at the borders: the picture is framed with
zeros, half a window wide, and no layer pads. The classifier here reads windows of 21 x 21 pixels; its weights are
drawn at random, as the answers are to be compared and not used. Seconds are CPU seconds of one thread.

The multiply-adds tell less than the clock: windows also have to be cut out, and small maps keep a processor less busy.

    python recipes/segmentation/sliding_window_against_fcn.py  # half a minute
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pellucid.models.segment.pixel_classifier import PixelClassifier, WindowNet, sliding_window
from pellucid.nn.geometry import describe
from pellucid.plots.curves import curves

SIDES = (32, 64, 128, 256)
CLASSES, ROUNDS = 11, 3


def nets() -> tuple[WindowNet, PixelClassifier]:
    """A classifier of windows, whose last layer is drawn as large as the others, and itself as convolutions."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        windows = WindowNet(CLASSES, 3).eval()
        last = windows.classifier[-1]
        nn.init.normal_(last.weight, std=last.in_features**-0.5)
    return windows, PixelClassifier(windows, 3).eval()


def timed(answer: Callable[[], Tensor], rounds: int) -> tuple[Tensor, float]:
    """What is answered, and the CPU seconds of the fastest of several rounds."""
    seconds = []
    with torch.no_grad():
        for _ in range(rounds):
            began = time.process_time()
            logits = answer()
            seconds.append(time.process_time() - began)
    return logits, min(seconds)


def compare(side: int) -> dict[str, float]:
    """Both ways on one picture: seconds, the largest difference of a logit, and how far logits spread."""
    windows, whole = nets()
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(side))
    one_by_one, slow = timed(lambda: sliding_window(windows, x), 1 if side > 64 else ROUNDS)
    at_once, fast = timed(lambda: whole(x), ROUNDS)
    macs = side**2 * describe(windows, 3, (windows.window, windows.window)).macs / describe(whole, 3, (side, side)).macs
    return {
        "slow": slow,
        "fast": fast,
        "difference": float((one_by_one - at_once).abs().max()),
        "spread": float(at_once.std()),
        "agree": float((one_by_one.argmax(1) == at_once.argmax(1)).float().mean()),
        "macs": macs,
    }


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Both ways on pictures of four sizes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        compare(SIDES[0])  # the first call of a kernel prepares it
        found = {side: compare(side) for side in SIDES}
    finally:
        torch.set_num_threads(threads)
    rows = [
        [
            f"{side} × {side}",
            f"{side**2:,}",
            f"{each['slow']:.3g} s",
            f"{each['fast']:.2g} s",
            f"{each['slow'] / each['fast']:.0f}",
            f"{each['macs']:.0f}",
            f"{each['difference']:.0e}",
            f"{each['agree']:.2%}",
        ]
        for side, each in found.items()
    ]
    lines = {
        "a window for each pixel": (SIDES, [found[side]["slow"] for side in SIDES]),
        "one pass": (SIDES, [found[side]["fast"] for side in SIDES]),
    }
    picture = curves(lines, "One answer for every pixel, two ways", "side of the picture", "CPU seconds", log_y=True)
    header = ["picture", "windows", "windows take", "one pass takes", "time ratio", "multiply-adds ratio"]
    return [*header, "largest difference", "same class"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
