"""Median, Gaussian, Canny and HOG, side by side with SciPy, scikit-image, OpenCV and Pillow.

    python benchmarks/image_features.py [--quick] [--rounds 7] [--only WORD]

A photograph of 640x480, and batches of 256 small crops of it; one thread on one core; a process for each variant, which
take turns. Before a row is timed, all its variants are computed once and compared.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy reads them when it is imported

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage
import timing
from workers import Turn, Worker, serve, take_turns

from pellucid.classic.features.hog import hog
from pellucid.ops.edges.canny import canny
from pellucid.ops.filters.gaussian import gaussian_filter
from pellucid.ops.filters.median import median_filter

OURS, SINGLY = "pellucid", "pellucid, one by one"
SCIPY, SCIKIT, OPENCV, PILLOW = "scipy", "scikit-image", "opencv", "pillow"
MODULES = {SCIKIT: "skimage", OPENCV: "cv2", PILLOW: "PIL"}  # may be absent
SECONDS = 0.25  # of one turn, at least
FLOOR, AIM = 5.0, 0.5  # times SciPy's or scikit-image's speed, and OpenCV's, on one picture
BATCH_FLOOR = 20.0  # times a loop over the pictures of a batch
BATCH, MEDIAN, SIGMA, EDGE_SIGMA = 256, 5, 2.0, 1.4
LOW, HIGH = 0.1, 0.2  # of Canny, of the range of values

Way = Callable[[np.ndarray], Any]  # one picture (H, W) in, its result out


@dataclass(frozen=True)
class Row:
    """One thing to compute, in several ways.

    Attributes:
        title: what it is.
        kind: of the pixels.
        ours: takes (H, W), or (N, 1, H, W).
        peers: take (H, W).
        check: our result and a peer's of the same picture, and its name, to a sentence; ends the program when they
            differ by more than they should.
        judged: the peer of the floor.
    """

    title: str
    kind: str
    ours: Callable[[Any], Any]
    peers: Mapping[str, Way]
    check: Callable[[np.ndarray, np.ndarray, str], str]
    judged: str


# ------------------------------------------------------------------------------------------------- the peers' ways


def opencv(function: str, *arguments: Any, **settings: Any) -> Way:
    """A function of OpenCV on one thread."""

    def way(picture: np.ndarray) -> Any:
        import cv2

        return getattr(cv2, function)(picture, *arguments, **settings)

    return way


def opencv_canny(picture: np.ndarray) -> Any:
    """Blur, then the edges by the L2 norm of Sobel's derivatives."""
    import cv2

    side = 2 * int(np.ceil(3 * EDGE_SIGMA)) + 1
    return cv2.Canny(cv2.GaussianBlur(picture, (side, side), EDGE_SIGMA), 255 * LOW, 255 * HIGH, L2gradient=True) > 0


def pillow_median(picture: np.ndarray) -> np.ndarray:
    from PIL import Image, ImageFilter

    return np.asarray(Image.fromarray(picture).filter(ImageFilter.MedianFilter(MEDIAN)))


def scikit_gaussian(picture: np.ndarray) -> Any:
    import skimage.filters

    return skimage.filters.gaussian(picture, SIGMA, mode="mirror", truncate=3, preserve_range=True)


def scikit_canny(picture: np.ndarray) -> Any:
    import skimage.feature

    return skimage.feature.canny(picture, EDGE_SIGMA, 255 * LOW, 255 * HIGH)


def scikit_hog(picture: np.ndarray) -> Any:
    import skimage.feature

    return skimage.feature.hog(picture, 9, (8, 8), (2, 2), "L2-Hys")


# ------------------------------------------------------------------------------------------------------ the checks


def same_inside(ours: np.ndarray, theirs: np.ndarray, peer: str) -> str:
    """Equal but for the rim, where each library has borders of its own."""
    inside = (..., slice(MEDIAN, -MEDIAN), slice(MEDIAN, -MEDIAN))
    if not np.array_equal(ours[inside], theirs[inside]):
        sys.exit(f"The median differs from {peer}'s.")
    return f"{peer}: equal, without the {MEDIAN} outermost pixels."


def near(ours: np.ndarray, theirs: np.ndarray, peer: str, tolerance: float) -> str:
    worst = float(np.abs(np.asarray(ours, dtype=np.float64).ravel() - np.asarray(theirs).ravel()).max())
    if not worst <= tolerance:
        sys.exit(f"Results differ from {peer}'s by {worst:.1e}, more than {tolerance:.0e}.")
    return f"{peer}: differs by at most {worst:.2g} (allowed {tolerance:g})."


def near_blur(ours: np.ndarray, theirs: np.ndarray, peer: str) -> str:
    """Bytes: SciPy rounds down after each of its two passes, OpenCV counts in fixed point, ours rounds once."""
    return near(ours, theirs, peer, 2 if peer == SCIPY else 1)


def near_edges(ours: np.ndarray, theirs: np.ndarray, peer: str) -> str:
    """The share of edge pixels, both ways, that have one of the other's within a pixel."""
    around = np.ones((1,) * (ours.ndim - 2) + (3, 3))
    shares = [
        float(scipy.ndimage.binary_dilation(other, around)[one].mean())
        for one, other in ((ours, theirs), (theirs, ours))
    ]
    allowed = 0.99 if peer == SCIKIT else 0.7
    if min(shares) < allowed:
        sys.exit(f"Edges differ from {peer}'s: {shares[0]:.3f} and {shares[1]:.3f} lie within a pixel.")
    note = "" if peer == SCIKIT else "; its definition is another: whole-number slopes in four directions"
    return f"{peer}: {100 * shares[0]:.2f} % of ours lie within a pixel of theirs, {100 * shares[1]:.2f} % back{note}."


# -------------------------------------------------------------------------------------------------------- the rows

BLUR = {"radius": 6, "mode": "mirror"}
ROWS: dict[str, Row] = {
    "median": Row(
        f"Median {MEDIAN}x{MEDIAN}, uint8",
        "uint8",
        partial(median_filter, size=MEDIAN),
        {
            SCIPY: partial(scipy.ndimage.median_filter, size=MEDIAN, mode="mirror"),
            OPENCV: opencv("medianBlur", MEDIAN),
            PILLOW: pillow_median,
        },
        same_inside,
        SCIPY,
    ),
    "gaussian": Row(
        f"Gaussian, sigma {SIGMA:.0f}, uint8",
        "uint8",
        partial(gaussian_filter, sigma=SIGMA),
        {
            SCIPY: partial(scipy.ndimage.gaussian_filter, sigma=SIGMA, **BLUR),
            OPENCV: opencv("GaussianBlur", (13, 13), SIGMA),
        },
        near_blur,
        SCIPY,
    ),
    "gaussian-float": Row(
        f"Gaussian, sigma {SIGMA:.0f}, float32",
        "float32",
        partial(gaussian_filter, sigma=SIGMA),
        {
            SCIPY: partial(scipy.ndimage.gaussian_filter, sigma=SIGMA, **BLUR),
            SCIKIT: scikit_gaussian,
            OPENCV: opencv("GaussianBlur", (13, 13), SIGMA),
        },
        partial(near, tolerance=1e-3),
        SCIPY,
    ),
    "canny": Row(
        f"Canny, sigma {EDGE_SIGMA}, uint8",
        "uint8",
        partial(canny, sigma=EDGE_SIGMA, low=LOW, high=HIGH),
        {SCIKIT: scikit_canny, OPENCV: opencv_canny},
        near_edges,
        SCIKIT,
    ),
    "hog": Row(
        "HOG, cells of 8x8, blocks of 2x2, 9 orientations, uint8",
        "uint8",
        partial(hog, cell=8, orientations=9, block=2),
        {SCIKIT: scikit_hog},  # OpenCV's has another definition: votes shared between cells, a Gaussian on each block
        partial(near, tolerance=1e-5),
        SCIKIT,
    ),
}
SIZES: dict[str, int] = {"640x480": 0, "28x28": 28, "32x32": 32}  # 0: the whole photograph


def photograph() -> np.ndarray:
    """(480, 640) uint8: scikit-image's astronaut in grey, continued by its mirror image; without it, noise."""
    if not present(SCIKIT):
        return np.random.default_rng(0).integers(0, 256, (480, 640)).astype(np.uint8)
    import skimage.data

    grey = (skimage.data.astronaut() @ np.array([0.2125, 0.7154, 0.0721])).astype(np.uint8)
    return np.ascontiguousarray(np.pad(grey[:480], ((0, 0), (0, 128)), mode="reflect"))


def pictures(row: Row, size: str) -> np.ndarray:
    """(H, W), or a batch (N, 1, H, W) of random crops."""
    whole, side = photograph(), SIZES[size]
    if not side:
        return whole.astype(row.kind)
    rng = np.random.default_rng(0)
    corners = zip(rng.integers(0, 480 - side, BATCH), rng.integers(0, 640 - side, BATCH), strict=True)
    return np.stack([whole[y : y + side, x : x + side] for y, x in corners])[:, None].astype(row.kind)


def present(peer: str) -> bool:
    return peer not in MODULES or find_spec(MODULES[peer]) is not None


def step(row: Row, size: str, variant: str) -> Callable[[], Any]:
    """What one variant does to the pictures of a size; all but ours go through a batch in a loop."""
    x = pictures(row, size)
    if variant == OURS:
        return partial(row.ours, x)
    way = row.ours if variant == SINGLY else row.peers[variant]
    if variant == OPENCV:
        import cv2

        cv2.setNumThreads(1)
    return partial(way, x) if x.ndim == 2 else lambda: [way(each) for each in x[:, 0]]


def work(name: str, size: str, variant: str) -> None:
    """The process of one variant."""
    timing.use_one_core()
    run = step(ROWS[name], size, variant)
    run()
    serve(lambda: len(run()))


# ------------------------------------------------------------------------------------------------ turns and tables


def variants(row: Row, size: str) -> list[str]:
    return [OURS, *([SINGLY] if SIZES[size] else []), *(peer for peer in row.peers if present(peer))]


def compare(row: Row, size: str) -> list[str]:
    """One sentence a variant; of batches, only the peer of the floor and ours one by one."""
    ours, said = np.asarray(step(row, size, OURS)()), []
    if SIZES[size]:
        alone = np.stack(step(row, size, SINGLY)())
        ours = ours.reshape(alone.shape)
        if not np.allclose(ours, alone, rtol=0, atol=1e-4):
            sys.exit(f"{row.title}: a picture comes out of a batch in another way than alone.")
        said.append("A picture comes out of the batch as it does alone.")
    for peer in row.peers:
        if not present(peer):
            said.append(f"{peer}: not installed, left out.")
        elif not SIZES[size] or peer == row.judged:
            said.append(row.check(ours, np.asarray(step(row, size, peer)()), peer))
    return said


def measure(name: str, size: str, rounds: int) -> dict[str, timing.Timed]:
    """Let all variants of a row take turns."""
    print(f"{ROWS[name].title}, {size}", file=sys.stderr)
    script, one_thread = str(Path(__file__)), {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as stack:
        turns: dict[str, Callable[[], Turn]] = {}
        for variant in variants(ROWS[name], size):
            worker = stack.enter_context(Worker([script, "--work", name, size, variant], one_thread))
            turns[variant] = partial(worker.ask, seconds=SECONDS)
        return take_turns(turns, rounds, say=False)


def section(name: str, size: str, times: Mapping[str, timing.Timed]) -> str:
    """A row: table, comparison, verdict."""
    row, ours = ROWS[name], times[OURS]
    rows = [
        [
            variant,
            f"{1e3 * timed.median():.2f}",
            f"{1e3 * timed.median('wall'):.2f}",
            f"{timing.ratio(timed, ours):.3g}",
        ]
        for variant, timed in times.items()
    ]
    table = timing.table(["variant", "CPU ms", "wall ms", "pellucid is so many times as fast (CPU)"], rows)
    title = f"## {row.title}, " + (f"{BATCH} of {size}" if SIZES[size] else size)
    parts = [title, table, "\n".join(f"- {line}" for line in compare(row, size))]
    if row.judged in times:
        found, floor = timing.ratio(times[row.judged], ours), BATCH_FLOOR if SIZES[size] else FLOOR
        verdict = (
            f"**Fast:** {found:.1f} times {row.judged}; floor {floor:.0f}: {'met' if found >= floor else 'MISSED'}"
        )
        if OPENCV in times:
            beside = timing.ratio(times[OPENCV], ours)
            aim = "" if SIZES[size] else f"; aim {AIM}: {'reached' if beside >= AIM else 'not reached'}"
            verdict += f". {beside:.2f} times OpenCV{aim}"
        parts.append(verdict + ".")
    return "\n\n".join(parts)


ABOUT = """\
One thread on one core, medians over the rounds; ratios are medians of the rounds' ratios, by processor time. Batches \
are one call of ours; the peers go through them in a loop, and so does *pellucid, one by one*."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of two rows; no result file")
    parser.add_argument("--only", metavar="WORD", help="rows with this word in their name; no result file")
    parser.add_argument("--work", nargs=3, metavar=("ROW", "SIZE", "VARIANT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    timing.use_one_core()
    rounds = 2 if asked.quick else asked.rounds
    names = [("median", "640x480"), ("hog", "28x28")] if asked.quick else [(n, s) for s in SIZES for n in ROWS]
    names = [(name, size) for name, size in names if (asked.only or "") in f"{name} {size}"]
    parts = [ABOUT, *(section(name, size, measure(name, size, rounds)) for name, size in names)]
    print("\n\n".join(parts))
    if not asked.quick and not asked.only:
        command = f"python benchmarks/image_features.py --rounds {rounds}"
        packages = ["torch", "numpy", "scipy", "scikit-image", "opencv-python-headless", "pillow"]
        timing.write_result("image_features", "Image features", command, packages, parts)


if __name__ == "__main__":
    main()
