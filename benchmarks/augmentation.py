"""Throughput of every transform on a batch, side by side with a loop over OpenCV where it has the same operation.

    python benchmarks/augmentation.py [--quick]

Batches as the loader gives them: 128 pictures of 224x224 and 256 of 28x28, uint8, RGB.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import numpy as np
import timing
import torch
from torch import Tensor

from pellucid.data.transforms import (
    Affine,
    Blur,
    CutMix,
    Cutout,
    Elastic,
    Erase,
    Flip,
    Jitter,
    Mixup,
    Noise,
    PcaColour,
    Radial,
    RandomCrop,
    ScaleCrop,
    Shift,
    Transform,
)
from pellucid.data.transforms.geometry.radial import distorted
from pellucid.data.transforms.pixels.blur import blurred

SIZES = {224: 128, 28: 256}  # pixels -> pictures of a batch

NOTES = """\
**What is compared.** One core, pictures in memory. *OpenCV* is a loop over the pictures of the batch, with its own \
optimised routine for each and, for mixup, its weighted sum; random numbers are drawn beforehand for it and inside the \
time for Pellucid. OpenCV warps in fixed-point arithmetic with 32 steps between pixels, Pellucid in float32.

**Where it stands.** What copies pixels (mirror, shift, crops, cutout, erasing, CutMix) costs about a tenth of a \
millisecond a picture of 224x224 or less. What samples between pixels is limited by torch's sampling in floats, which \
is slower than OpenCV's in integers. All of it is off unless asked for, and costs nothing then.

**Outputs checked in the same run.** """


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few pictures, two rounds, no result file")
    asked = parser.parse_args()
    timing.use_one_core()
    rounds = 2 if asked.quick else 7
    parts = []
    for size, n in SIZES.items():
        n = 16 if asked.quick else n
        times = timing.interleave(make_variants(size, n), rounds, say=False)
        parts.append(f"{n} pictures of {size}x{size}, median of {rounds} interleaved rounds.\n\n{rows_of(times, n)}")
        print(parts[-1], file=sys.stderr, flush=True)
    parts.append(NOTES + check())
    print("\n\n".join(parts))
    if not asked.quick:
        packages = ["torch", "numpy", "opencv-python-headless"]
        timing.write_result("augmentation", "Augmentation", "python benchmarks/augmentation.py", packages, parts)


def rows_of(times: dict[str, timing.Timed], n: int) -> str:
    """A row a transform: ours, OpenCV's where there is one, and the ratio."""
    rows = []
    for name, timed in times.items():
        if name.endswith(" (OpenCV)"):
            continue
        ours = 1e3 * timed.median() / n
        peer = times.get(f"{name} (OpenCV)")
        theirs = f"{1e3 * peer.median() / n:.4f}" if peer else ""
        rows.append([name, f"{ours:.4f}", theirs, f"{timing.ratio(peer, timed):.2f}x" if peer else ""])
    return timing.table(["transform", "CPU ms a picture", "OpenCV loop", "OpenCV / Pellucid"], rows)


def pictures(n: int, size: int, seed: int = 0) -> Tensor:
    """(n, 3, size, size) uint8, channels last: smooth noise, as photographs are."""
    coarse = torch.from_numpy(np.random.default_rng(seed).random((n, 3, 8, 8), dtype=np.float32))
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)
    return (255 * smooth).clamp(0, 255).to(torch.uint8).contiguous(memory_format=torch.channels_last)


def make_variants(size: int, n: int) -> dict[str, Callable[[], Any]]:
    """Name -> one batch through one transform."""
    image, canvas = pictures(n, size), pictures(n, size * 8 // 7)
    label = torch.arange(n) % 10
    drawn = torch.Generator().manual_seed(0)
    on_input: dict[str, Transform] = {
        "mirror": Flip(),
        "shift": Shift(),
        "affine": Affine(15, 5, 0.1),
        "radial": Radial(0.2),
        "elastic": Elastic(0.03),
        "jitter": Jitter(0.3, 0.3, 0.3),
        "PCA colour": PcaColour(),
        "noise": Noise(8),
        "blur": Blur(1.5),
        "cutout": Cutout(),
        "random erasing": Erase(1.0),
        "mixup": Mixup(0.2),
        "CutMix": CutMix(1.0),
    }
    on_canvas: dict[str, Transform] = {
        "random crop": RandomCrop((size, size)),
        "scale crop": ScaleCrop((size, size), (round(size * 8 / 7), round(size * 15 / 7))),
    }

    def through(transform: Transform, pixels: Tensor) -> Callable[[], Any]:
        return lambda: transform({"image": pixels, "label": label}, drawn)

    variants = {name: through(transform, image) for name, transform in on_input.items()}
    variants |= {name: through(transform, canvas) for name, transform in on_canvas.items()}
    return variants | opencv_variants(image)


def opencv_variants(image: Tensor) -> dict[str, Callable[[], Any]]:
    """The same operations as loops; none where OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        return {}
    cv2.setNumThreads(1)
    n, _, height, width = image.shape
    pixels = list(np.ascontiguousarray(image.permute(0, 2, 3, 1).numpy()))
    rng = np.random.default_rng(0)
    angles, shares = rng.uniform(-15, 15, n), rng.beta(0.2, 0.2, n)
    sigmas, ks = rng.integers(0, 9, n) * 1.5 / 8, rng.uniform(-0.2, 0.2, n)
    edges = cv2.BORDER_REPLICATE

    def affine() -> Any:
        turns = (cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0) for angle in angles)
        return [cv2.warpAffine(p, m, (width, height), borderMode=edges) for p, m in zip(pixels, turns, strict=True)]

    def radial() -> Any:
        return [
            cv2.remap(p, *bowed(height, width, k), cv2.INTER_LINEAR, None, edges)
            for p, k in zip(pixels, ks, strict=True)
        ]

    def blur() -> Any:
        made = []
        for p, sigma in zip(pixels, sigmas, strict=True):
            side = 2 * math.ceil(3 * sigma) + 1
            made.append(cv2.GaussianBlur(p, (side, side), sigma) if sigma else p.copy())
        return made

    def mirror() -> Any:
        return [cv2.flip(p, 1) if k % 2 else p.copy() for k, p in enumerate(pixels)]

    def mixup() -> Any:
        return [
            cv2.addWeighted(p, 1 - s, pixels[k - 1], s, 0) for k, (p, s) in enumerate(zip(pixels, shares, strict=True))
        ]

    loops = {"mirror": mirror, "affine": affine, "radial": radial, "blur": blur, "mixup": mixup}
    return {f"{name} (OpenCV)": run for name, run in loops.items()}


def bowed(height: int, width: int, k: float) -> tuple[np.ndarray, np.ndarray]:
    """Where OpenCV is to take each pixel from: the formula of `Radial`."""
    x, y = np.arange(width, dtype=np.float32) + 0.5 - width / 2, np.arange(height, dtype=np.float32) + 0.5 - height / 2
    square = (x[None] ** 2 + y[:, None] ** 2) / ((width**2 + height**2) / 4)
    factor = (1 + k * square).astype(np.float32)
    return x[None] * factor + (width / 2 - 0.5), y[:, None] * factor + (height / 2 - 0.5)


def check() -> str:
    """Warp and blur a few pictures with OpenCV too; fail when they differ."""
    try:
        import cv2
    except ImportError:
        return "OpenCV is not installed, so its loops and this check were left out."
    image = pictures(4, 96)
    plain = image.permute(0, 2, 3, 1).numpy()
    ks, sigma = [-0.3, -0.1, 0.1, 0.3], 1.5
    ours = distorted({"image": image}, torch.tensor(ks))["image"].permute(0, 2, 3, 1).numpy().astype(int)
    theirs = [
        cv2.remap(np.ascontiguousarray(p), *bowed(96, 96, k), cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
        for p, k in zip(plain, ks, strict=True)
    ]
    radial = max(int(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    ours = blurred(image, torch.full((4,), sigma)).permute(0, 2, 3, 1).numpy().astype(int)
    theirs = [cv2.GaussianBlur(np.ascontiguousarray(p), (11, 11), sigma) for p in plain]
    blur = max(int(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    if radial > 1 or blur > 1:
        sys.exit(f"Outputs differ: radial {radial}, blur {blur} levels of 255.")
    return f"Lens distortion and blur of 4 pictures differ from OpenCV's by at most {radial} and {blur} of 255 levels."


if __name__ == "__main__":
    main()
