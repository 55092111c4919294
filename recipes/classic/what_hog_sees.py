"""What does HOG keep of a picture, and what does it forget?

It keeps which way the edges of each cell run, and how strong they are: the outline of a thing stays readable in the
drawing below, one star of lines a cell. It forgets how bright the picture is, and where in its cell an edge lies,
though not where the border between two cells is: by the measure below, a shift by one pixel moves it no less than it
moves pixels.

The table changes a photograph and asks how far that moves it, in units of its distance from quite another photograph:
1 is as good as lost. More light, a constant, changes nothing, as only differences count; pixels are half lost. Half the
contrast shrinks the histograms of cells with it; in blocks that are scaled to unit length (Dalal and Triggs 2005) half
of that is left. Noise is what HOG cannot bear: it has edges everywhere, in all directions. Smoothing first mends the
cells in part, and the blocks hardly, as they enlarge whatever is weak. A turn is fatal to both: directions are what HOG
is made of.

    python recipes/classic/what_hog_sees.py
"""

import base64

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from pellucid.classic import gaussian_filter, hog, hog_picture
from pellucid.plots import svg
from pellucid.report.embed import data_uri

Picture = np.ndarray
SIDE = 160


def photograph(name: str = "china.jpg") -> Picture:
    """(SIDE, SIDE) uint8, grey, values 40 to 200 so that light can be added and taken away."""
    grey = Image.fromarray(load_sample_image(name)).convert("L").crop((0, 0, 426, 426))
    values = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    return np.round(40 + values * 160 / 255).astype(np.uint8)


def changes(picture: Picture) -> dict[str, Picture]:
    """What may happen to a picture without its content changing."""
    noise = np.random.default_rng(0).normal(0, 20, picture.shape)
    return {
        "shifted by 1 pixel": np.roll(picture, 1, axis=1),
        "40 more light": picture + 40,
        "half the contrast": (picture // 2 + 60).astype(np.uint8),
        "noise, σ = 20": (noisy := np.clip(picture + noise, 0, 255).astype(np.uint8)),
        "the noise smoothed": gaussian_filter(noisy, 1.5),
        "quarter turn": np.rot90(picture).copy(),
    }


def seen(picture: Picture) -> tuple[np.ndarray, ...]:
    """As pixels, as cells, and as blocks."""
    return picture.astype(float).ravel(), hog(picture), hog(picture, block=2)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """How far pixels, cells and blocks move under each change; the photograph and what HOG sees of it."""
    picture, rows = photograph(), []
    own, flower = seen(picture), seen(photograph("flower.jpg"))
    for name, other in changes(picture).items():
        shares = [
            np.linalg.norm(x - y) / np.linalg.norm(x - z) for x, y, z in zip(own, seen(other), flower, strict=True)
        ]
        rows.append([name, *(f"{share:.2f}" for share in shares)])
    paper = hog_picture(picture, cell=8).replace(
        "<svg ", '<svg style="background:#fff;color:#111" ', 1
    )  # on dark pages too
    drawing = base64.b64encode(paper.encode()).decode()
    parts = [svg.text(0, 18, "A photograph, and the directions of its edges", "title")]
    parts.append(svg.image(0, 32, 236, 236, data_uri(Image.fromarray(picture), exact=True), "photograph"))
    parts.append(svg.image(244, 32, 236, 236, f"data:image/svg+xml;base64,{drawing}", "orientations"))
    label = "A photograph of a pagoda, and a star of lines for each cell of 8 by 8 pixels along its edges."
    return ["change", "pixels move by", "cells", "blocks"], rows, svg.document(480, 274, label, parts)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
