"""What does a second-order method gain, and why are nets not trained with one?

SGD knows the slope. Newton's method knows the bend too: it builds the parabola with the loss's slope and curvature and
jumps to its lowest point. If the loss is a parabola it is there after one step, however narrow the valley, and without
a learning rate. SGD needs thousands of steps in a valley of condition number 1000.

The price is the Hessian: N × N numbers, and N³ / 3 multiply-adds to solve with it. A small net of a million weights
would need 8 TB. L-BFGS lies between: it guesses the curvature from its last ten steps and holds 20 N numbers. But it
measures curvature as a difference of two gradients, and the noise of minibatches drowns such differences; so it is for
full batches. Adam asks for a scale of each weight only, two numbers a weight, and is content with that.

    python recipes/questions/second_order.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.optimisers.second_order.lbfgs import lbfgs
from pellucid.scratch.optimisers.second_order.newton import cost_table, newton_step
from pellucid.scratch.optimisers.sgd import sgd

N, KAPPA = 30, 1000.0
ENOUGH = 1e-8  # of the first loss


def valley() -> tuple[np.ndarray, np.ndarray]:
    """A Hessian of condition number 1000, turned at random, and the start; the minimum is at 0."""
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((N, N)))
    return turn * np.geomspace(1, KAPPA, N) @ turn.T, rng.standard_normal(N)


def losses(method: str) -> list[float]:
    """The loss before every step, until it is small enough."""
    H, w = valley()
    first = float(w @ H @ w) / 2
    found = [first]
    if method == "L-BFGS":
        path = lbfgs(lambda x: (float(x @ H @ x) / 2, H @ x), w, steps=1000, tolerance=1e-9).losses
        return path[: next(k for k, loss in enumerate(path) if loss < ENOUGH * first) + 1]
    while found[-1] > ENOUGH * first:
        gradient = H @ w
        w = (
            newton_step(w, gradient, H)
            if method == "Newton"
            else sgd(w, gradient, {"learning_rate": 2 / (1 + KAPPA)})[0]
        )
        found.append(float(w @ H @ w) / 2)
    return found


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Steps in the valley, and what one step would take for a million weights."""
    cost = next(iter(cost_table([10**6])))
    numbers = {"SGD": cost.gradient_numbers, "L-BFGS": cost.lbfgs_numbers, "Newton": cost.hessian_numbers}
    work = {"SGD": cost.weights, "L-BFGS": 4 * 10 * cost.weights, "Newton": cost.solve_macs}
    rows, lines = [], {}
    for method, kept in numbers.items():
        found = losses(method)
        rows.append([method, str(len(found) - 1), f"{kept:.0e}", f"{8 * kept / 1e9:g} GB", f"{work[method]:.0e}"])
        shown = np.array(found[:81]) / found[0]
        lines[method] = (np.arange(len(shown)), np.maximum(shown, 1e-10))
    picture = curves(lines, "A valley of condition number 1000", "step", "loss / first loss", log_y=True)
    return ["method", "steps", "numbers for 10⁶ weights", "as float64", "multiply-adds"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
