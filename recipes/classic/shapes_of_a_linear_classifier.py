"""What are the shapes in f(x, W) = W x + b?

A picture of 32 x 32 pixels and three colours is stretched into a column of 3,072 numbers. W has a row for each of ten
classes, as long as a picture: the score of a class is the product of its row, its template, with the picture. That
gives 10 numbers, and b adds one to each. So W makes 3,072 numbers into 10, and holds 30,720 of its own.

Two ways to write the same: a 1 below x and b as one more column of W leave a single matrix; and a batch of N pictures,
one a row, takes one product with Wᵀ. In the table every shape is that of an array that was computed, and the three
ways were found to give equal scores.

    python recipes/classic/shapes_of_a_linear_classifier.py
"""

import numpy as np

from pellucid.plots import svg

CLASSES, PIXELS, BATCH = 10, 32 * 32 * 3, 64


def arrays() -> dict[str, np.ndarray]:
    """Every array of the three ways, by name, from random pictures and weights."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (BATCH, 32, 32, 3))
    W, b = rng.standard_normal((CLASSES, PIXELS)), rng.standard_normal((CLASSES, 1))
    X = pictures.reshape(BATCH, PIXELS).astype(np.float64)
    x = X[0][:, None]
    W_b, x_1 = np.hstack([W, b]), np.vstack([x, [[1.0]]])
    return {
        "a picture": pictures[0],
        "x": x,
        "W": W,
        "W x": W @ x,
        "b": b,
        "f(x, W) = W x + b": W @ x + b,
        "W with b as its last column": W_b,
        "x with a 1 below": x_1,
        "their product": W_b @ x_1,
        "X, a batch": X,
        "X Wᵀ + bᵀ": X @ W.T + b.T,
    }


def drawn() -> str:
    """W x + b = scores as boxes; the long side of W is cut."""
    parts = [svg.text(0, 18, "3,072 numbers become 10", "title")]
    boxes = [("W", "10 × 3072", 0, 190, 60, "f1"), ("x", "3072 × 1", 222, 16, 150, "f2")]
    boxes += [("b", "10 × 1", 316, 16, 60, "f3"), ("scores", "10 × 1", 408, 16, 60, "f4")]
    for name, shape, left, wide, tall, colour in boxes:
        parts.append(svg.rect(left, 60, wide, tall, f"{colour} pale"))
        parts.append(svg.text(left, 52, name))
        parts.append(svg.text(left if name == "W" else left - 12, 60 + tall + 20, shape, "soft"))
    for sign, left in (("·", 204), ("+", 282), ("=", 370)):
        parts.append(svg.text(left, 95, sign, "title", "middle"))
    label = "A matrix of 10 by 3072 times a column of 3072 plus a column of 10 gives a column of 10."
    return svg.document(480, 240, label, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Shape and size of every array."""
    rows = [[name, " × ".join(map(str, a.shape)), f"{a.size:,}"] for name, a in arrays().items()]
    return ["what", "shape", "numbers"], rows, drawn()


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(28) for cell in row))
