"""What is gradient flow, and what do residual connections do for it?

How much of the gradient at the end of a net arrives at its beginning. On its way back it is multiplied once in every
layer, and in a recurrent net once in every step of time. Repeated multiplication knows three ends: a factor below 1
lets the gradient vanish (0.9⁵⁰ = 0.005), one above 1 lets it explode (1.1⁵⁰ = 117), and only 1 keeps it. ReLU layers
with He's weights have a factor near 1; weights 30 % smaller or larger already lose or blow up the gradient.

A residual block computes x + F(x). On the way back the gradient is added to itself: 1 + F' in place of F', a path that
nothing multiplies. With weights that leave a plain net a hundred-millionth, it arrives, even somewhat longer. (F
starts with a layer norm here; without any norm the sum would grow from block to block.)

    python recipes/questions/gradient_flow.py
"""

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.initialise import he
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.normalisation.layer import layernorm_backward, layernorm_forward

DEPTH, UNITS = 50, 128
SHOWN = (1, 10, 25, 50)


def plain(gain: float) -> np.ndarray:
    """Lengths of the gradient behind 0, 1, ..., 50 layers of affine and ReLU on the way back; it starts with 1."""
    rng = np.random.default_rng(0)
    x, caches, b = rng.standard_normal((64, UNITS)), [], np.zeros(UNITS)
    for _ in range(DEPTH):
        x, affine = affine_forward(x, gain * he((UNITS, UNITS), rng), b)
        x, relu = relu_forward(x)
        caches.append((affine, relu))
    dout = rng.standard_normal(x.shape)
    lengths = [np.linalg.norm(dout)]
    for affine, relu in reversed(caches):
        dout = affine_backward(relu_backward(dout, relu), affine)[0]
        lengths.append(np.linalg.norm(dout))
    return np.array(lengths) / lengths[0]


def residual(gain: float) -> np.ndarray:
    """The same with x + relu(affine(layernorm(x))) in place of relu(affine(x))."""
    rng = np.random.default_rng(0)
    x, caches, b = rng.standard_normal((64, UNITS)), [], np.zeros(UNITS)
    for _ in range(DEPTH):
        branch, norm = layernorm_forward(x, np.ones(UNITS), b, {})
        branch, affine = affine_forward(branch, gain * he((UNITS, UNITS), rng), b)
        branch, relu = relu_forward(branch)
        x = x + branch
        caches.append((norm, affine, relu))
    dout = rng.standard_normal(x.shape)
    lengths = [np.linalg.norm(dout)]
    for norm, affine, relu in reversed(caches):
        through = affine_backward(relu_backward(dout, relu), affine)[0]
        dout = dout + layernorm_backward(through, norm)[0]
        lengths.append(np.linalg.norm(dout))
    return np.array(lengths) / lengths[0]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """How long the gradient still is behind so many layers."""
    layers = np.arange(DEPTH + 1)
    lines = {
        "times 0.9": 0.9**layers,
        "times 1.1": 1.1**layers,
        "plain, 0.7 × He": plain(0.7),
        "plain, He": plain(1.0),
        "plain, 1.3 × He": plain(1.3),
        "residual, 0.7 × He": residual(0.7),
    }
    rows = [[name, *(f"{lengths[k]:.3g}" for k in SHOWN)] for name, lengths in lines.items()]
    series = {name: (layers, lengths) for name, lengths in lines.items()}
    title = "Length of the gradient on its way back"
    picture = curves(series, title, "layers it came through", "length / first length", log_y=True)
    return ["path", *(f"{k} layers" if k > 1 else "1 layer" for k in SHOWN)], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
