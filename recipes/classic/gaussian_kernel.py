"""Why is a Gaussian kernel divided by its sum?

So that it does not make pictures darker. The formula exp(-(x² + y²) / 2 σ²) / 2 π σ² has integral 1 over the plane, but
a kernel has only as many values as it is large: those outside are missing, and the sum is below 1. With 5 x 5 values
and σ = 1 it is 0.98181476, so a constant picture loses 1.8 % of its light, and another 1.8 % each time it is smoothed
again. Divided by the sum, its middle is 0.162103 and its corner 0.002969, and light stays.

A small kernel loses more, a large one nothing worth mentioning: 2 ⌈3 σ⌉ + 1 values a side, three σ each way, are nearly
all of it. A kernel too small for its σ is no Gaussian any more, divided by its sum or not: it tends to a plain mean.

    python recipes/classic/gaussian_kernel.py
"""

import numpy as np

from pellucid.ops.filters.convolve import convolve2d
from pellucid.ops.filters.gaussian import gaussian_kernel
from pellucid.plots.curves import curves

CASES = ((3, 1.0), (5, 1.0), (7, 1.0), (9, 1.0), (5, 2.0), (13, 2.0))
TIMES = 10


def brightness(kernel: np.ndarray, times: int = TIMES) -> np.ndarray:
    """Mean brightness (times + 1,) of a picture of 100s after smoothing again and again."""
    picture, levels = np.full((24, 24), 100.0), [100.0]
    for _ in range(times):
        picture = convolve2d(picture, kernel, border="reflect")
        levels.append(float(picture.mean()))
    return np.array(levels)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Sum, middle and corner of several kernels, and what they leave of the light."""
    rows, lines = [], {}
    for size, sigma in CASES:
        raw, kernel = gaussian_kernel(size, sigma, normalise=False), gaussian_kernel(size, sigma)
        left = brightness(raw)
        cells = [f"{raw.sum():.8f}", f"{kernel[size // 2, size // 2]:.6f}", f"{kernel[0, 0]:.6f}", f"{left[-1]:.2f}"]
        rows.append([f"{size} x {size}", f"{sigma:g}", *cells])
        if sigma == 1.0 and size < 9:
            lines[f"{size} x {size}"] = (np.arange(TIMES + 1), left)
    lines["divided by its sum"] = (np.arange(TIMES + 1), brightness(gaussian_kernel(5, 1.0)))
    picture = curves(lines, "Light that is left after smoothing, σ = 1", "times smoothed", "mean, of 100")
    return (
        ["kernel", "σ", "sum before", "middle after", "corner after", f"100 after {TIMES} times, undivided"],
        rows,
        picture,
    )


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
