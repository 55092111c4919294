"""What is the Jacobian matrix, and why is it never written down?

It holds the derivative of every output with respect to every input: row i, column j says how output i moves when input
j does. ReLU moves output i with input i alone, so its Jacobian has something on the diagonal only: 1 where the input
is positive, 0 elsewhere. Multiplying by it is a product entry by entry, and that is what the backward pass does; the
matrix itself would be nearly all zeros.

A batch of 100 samples with 4096 numbers makes a ReLU Jacobian of 409,600 × 409,600: 671 GB in float32, for what a mask
of 0.4 MB says as well. An affine layer connects all its inputs to all its outputs, but even there one product with W
replaces a matrix that repeats W once for every sample.

    python recipes/questions/jacobian.py
"""

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.layers.affine import affine_forward


def relu_jacobian(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole matrix by differences, and its product with dout as backward has it, for dout = 1, 2, ..., n."""
    x = np.random.default_rng(0).standard_normal(n)
    backward = relu_backward(np.arange(1.0, n + 1), relu_forward(x)[1])
    return numerical_jacobian(lambda each: relu_forward(each)[0], x), backward


def affine_jacobian(samples: int, inputs: int) -> np.ndarray:
    """The whole matrix of an affine layer with as many outputs as inputs, by differences."""
    rng = np.random.default_rng(1)
    w, b = rng.standard_normal((inputs, inputs)), np.zeros(inputs)
    return numerical_jacobian(lambda x: affine_forward(x, w, b)[0], rng.standard_normal((samples, inputs)))


def size(n_bytes: float) -> str:
    """In a unit that leaves a number below 1000."""
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} GB"


def drawn(matrix: np.ndarray, left: float, title: str) -> list[str]:
    """A square for each entry, filled where it is not 0."""
    parts, side = [svg.text(left, 44, title, "soft")], 192 / len(matrix)
    for i, j in np.ndindex(*matrix.shape):
        kind = "f1" if abs(matrix[i, j]) > 1e-6 else "f6 pale"
        hover = f"output {i + 1}, input {j + 1}: {matrix[i, j]:.2f}"
        parts.append(svg.rect(left + j * side + 1, 56 + i * side, side - 2, side - 2, kind, hover))
    return parts


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Entries that are not 0, counted, and what the whole matrix would take in float32."""
    rows = []
    for name, matrix in (
        ("ReLU, 12 numbers", relu_jacobian(12)[0]),
        ("ReLU, 100 numbers", relu_jacobian(100)[0]),
        ("affine, 3 samples of 4", affine_jacobian(3, 4)),
    ):
        filled = int(np.sum(np.abs(matrix) > 1e-6))
        rows.append([name, str(matrix.size), str(filled), size(4 * matrix.size), size(len(matrix))])
    for samples, numbers in ((1, 4096), (100, 4096)):
        n = samples * numbers
        name = f"ReLU, {samples} × {numbers} numbers"
        rows.append([name, f"{n * n:.3g}", f"at most {n}", size(4 * n * n), size(n)])
    parts = [svg.text(0, 18, "Which entries of the Jacobian are not 0", "title")]
    parts += drawn(relu_jacobian(12)[0], 20, "ReLU of 12 numbers")
    parts += drawn(affine_jacobian(3, 4), 268, "affine, 3 samples of 4 numbers")
    spoken = "ReLU's Jacobian is diagonal; that of an affine layer has one block a sample."
    picture = svg.document(480, 256, spoken, parts)
    return ["layer", "entries", "not 0", "whole matrix", "a mask of the outputs"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(18) for cell in row))
