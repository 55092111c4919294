"""Why is the derivative of the sigmoid (1 - s) s?

s = 1 / (1 + e⁻ˣ). The quotient rule gives e⁻ˣ / (1 + e⁻ˣ)²; write e⁻ˣ as (1 + e⁻ˣ) - 1 and split the fraction:
(1 + e⁻ˣ - 1) / (1 + e⁻ˣ) · 1 / (1 + e⁻ˣ) = (1 - s) s. So backward needs the output alone. The product is 1/4 at most,
at x = 0: every sigmoid on the way back divides the gradient by four or more, and by twenty thousand at |x| = 10.

    python recipes/questions/sigmoid_derivative.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.checks.numerical import eval_numerical_gradient_array


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The formula beside centred differences, and the two curves."""
    x = np.array([-10.0, -2.0, 0.0, 2.0, 10.0])
    ones = np.ones_like(x)
    by_hand = sigmoid_backward(ones, sigmoid_forward(x)[1])
    numerical = eval_numerical_gradient_array(lambda each: sigmoid_forward(each)[0], x.copy(), ones)
    rows = [[f"{a:g}", f"{b:.4e}", f"{c:.4e}"] for a, b, c in zip(x, by_hand, numerical, strict=True)]
    grid = np.linspace(-10, 10, 201)
    out, cache = sigmoid_forward(grid)
    lines = {"s": (grid, out), "(1 - s) s": (grid, sigmoid_backward(np.ones_like(grid), cache))}
    picture = curves(lines, "The sigmoid and its derivative", x_label="x")
    return ["x", "(1 - s) s", "centred differences"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
