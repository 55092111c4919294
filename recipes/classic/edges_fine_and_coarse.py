"""How fine are the edges that Canny finds?

As fine as its Gaussian is narrow. Canny smooths a picture before it looks for edges, and what is smaller than the
Gaussian's σ is gone by then: with a small σ every tile of the roof and every ripple of the water has its edge, with a
large one the outlines of the building and the hills are left. The count of edge pixels falls from row to row.

Thresholds that stay the same would mix two things, as smoothing also makes all slopes less steep. So they are set anew
for each σ here, at the 80th and 90th percentile of the strengths; the pixels that could be edges are then equally
many, and still the edges get fewer and lie further apart; with the largest σ the pieces that are left are long lines.
The last column counts separate pieces.

(The photograph is china.jpg of scikit-learn, by danielbuechele, CC BY 2.0.)

    python recipes/classic/edges_fine_and_coarse.py
"""

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from pellucid.ops.edges.canny import canny
from pellucid.ops.edges.components import connected_components
from pellucid.plots import svg
from pellucid.report.embed import data_uri

SIGMAS, DRAWN = (0.5, 1.0, 2.0, 4.0, 8.0), (1.0, 2.0, 4.0)


def photograph() -> np.ndarray:
    """(160, 240) uint8, grey."""
    grey = Image.fromarray(load_sample_image("china.jpg")).convert("L")
    return np.asarray(grey.resize((240, 160), Image.Resampling.LANCZOS))


def edges(sigma: float, quantiles: bool) -> np.ndarray:
    """(160, 240) bool."""
    low, high = (0.8, 0.9) if quantiles else (0.1, 0.2)
    return canny(photograph(), sigma, low, high, quantiles=quantiles)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Edge pixels for each sigma, with the same thresholds and with thresholds for each."""
    rows = []
    for sigma in SIGMAS:
        marks = edges(sigma, quantiles=True)
        pieces = int(connected_components(marks).max())
        rows.append([f"{sigma:g}", f"{edges(sigma, quantiles=False).sum():,}", f"{marks.sum():,}", f"{pieces}"])
    shown = {"photograph": photograph()}
    shown |= {f"σ = {sigma:g}": np.where(edges(sigma, True), 0, 255).astype(np.uint8) for sigma in DRAWN}
    parts = [svg.text(0, 18, "Fine and coarse edges of a photograph", "title")]
    for k, (name, pixels) in enumerate(shown.items()):
        left, top = 244 * (k % 2), 52 + 186 * (k // 2)
        parts.append(svg.image(left, top, 236, 157, data_uri(Image.fromarray(pixels), exact=True), name))
        parts.append(svg.text(left, top - 8, name, "soft"))
    label = "A photograph of a pagoda; the larger sigma, the fewer and the coarser its edges."
    header = ["σ", "edge pixels, same thresholds", "edge pixels, thresholds by percentile", "pieces"]
    return header, rows, svg.document(480, 396, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
