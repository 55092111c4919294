"""What is the ratio of the Hessian's singular values, and why does it slow SGD down?

The Hessian holds all second derivatives: how the loss bends in each direction. Its largest singular value belongs to
the steepest direction, its smallest to the flattest, and their ratio is the condition number κ: 1 for a round bowl,
large for a narrow valley. One learning rate has to serve both. Above 2 / (largest) the steps across the valley grow,
so it must stay below; along the valley such a step is then κ times too short. Near that limit every step lands on the
opposite slope: the zig-zag.

With the best learning rate a step shrinks the distance by (κ - 1) / (κ + 1). So the steps needed grow in proportion to
κ: ten times the condition number, ten times the steps.

    python recipes/questions/hessian_condition.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.checks.hessian import condition_number, numerical_hessian
from pellucid.scratch.optimisers.sgd import sgd

CONDITIONS = (1.0, 3.0, 10.0, 100.0, 1000.0)


def bends(kappa: float) -> np.ndarray:
    """Curvature along the first and the second axis."""
    return np.array([1.0, kappa])


def path(kappa: float, limit: int = 20000) -> np.ndarray:
    """The points (steps + 1, 2) of SGD from (4, 1) until the loss is a millionth of the first one."""
    w = np.array([4.0, 1.0])
    points, first = [w], float(bends(kappa) @ w**2)
    while bends(kappa) @ w**2 > 1e-6 * first and len(points) < limit:
        w, _ = sgd(w, bends(kappa) * w, {"learning_rate": 2 / (1 + kappa)})
        points.append(w)
    return np.array(points)


def ellipse(kappa: float, loss: float) -> tuple[np.ndarray, np.ndarray]:
    """A line of equal loss, drawn."""
    angle = np.linspace(0, 2 * np.pi, 200)
    return np.sqrt(2 * loss) * np.cos(angle), np.sqrt(2 * loss / kappa) * np.sin(angle)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """κ measured on the loss, and steps until the loss is a millionth."""
    rows = []
    for kappa in CONDITIONS:
        bowl = bends(kappa)
        measured = condition_number(
            numerical_hessian(lambda w, bowl=bowl: float(bowl @ w**2) / 2, np.array([4.0, 1.0]))
        )
        factor = (kappa - 1) / (kappa + 1)
        theory = np.ceil(np.log(1e-6) / (2 * np.log(factor))) if factor else 1
        rows.append([f"{kappa:g}", f"{measured:.1f}", f"{factor:.3f}", str(len(path(kappa)) - 1), f"{theory:.0f}"])
    points = path(15)[:25]
    lines = {
        "SGD, κ = 15": (points[:, 0], points[:, 1]),
        "equal loss": ellipse(15, float(bends(15) @ points[0] ** 2) / 2),
        "a quarter of it": ellipse(15, float(bends(15) @ points[0] ** 2) / 8),
    }
    picture = curves(lines, "Steep across, flat along: SGD zig-zags", "flat direction", "steep direction")
    return ["condition number κ", "measured", "distance left by a step", "steps", "steps by theory"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))
