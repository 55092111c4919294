"""What is the 1e-7 in the denominator for?

Adaptive rules divide by the root of a mean of squared gradients. A weight whose gradient has always been 0 (its unit
is dead, its word has not come up yet) would get 0 / 0, which is no number, and spreads to everything. With ε the step
is 0 / ε = 0, as it should be.

It must be small beside usual gradients: then the step has length η whatever the gradient's size, which is the point of
these rules. A gradient below ε gets a shorter step, and a large ε turns the rule back into plain gradient descent with
η / ε. And it must not be smaller than the number format can hold: in float16 1e-8 is 0, and protects nothing; 1e-7
just survives.

    python recipes/questions/epsilon.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.optimisers.adam import adam

EPSILONS = (0.0, 1e-7, 1e-2)
GRADIENTS = (0.0, 1e-9, 1e-7, 1e-4, 1.0)


def step(gradient: float, epsilon: float) -> float:
    """Adam's first step, in units of the learning rate."""
    w = np.zeros(1)
    with np.errstate(invalid="ignore"):  # 0 / 0 is what this is about
        new, _ = adam(w, np.array([gradient]), {"learning_rate": 1.0, "epsilon": epsilon})
    return float(abs(new[0]))


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Steps for gradients of all sizes, without ε and with two."""
    rows = []
    for gradient in GRADIENTS:
        steps = (step(gradient, epsilon) for epsilon in EPSILONS)
        rows.append([f"{gradient:g}", *("not a number" if s != s else f"{s:.3g}" for s in steps)])
    kept = (f"{float(np.float16(epsilon)):.2g}" for epsilon in EPSILONS)
    rows.append(["ε itself in float16", *kept])
    rows.append(["1e-8 in float16", f"{float(np.float16(1e-8)):g}", "–", "–"])
    exponents = np.linspace(-10, 1, 56)
    lines = {f"ε = {e:g}": (exponents, [step(10**x, e) for x in exponents]) for e in (1e-7, 1e-2)}
    picture = curves(lines, "Adam's first step", "log10 of the gradient", "step / η")
    return ["gradient", *(f"step / η, ε = {e:g}" for e in EPSILONS)], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(16) for cell in row))
