"""Auxiliary heads half-way up give the lower layers a larger gradient.

GoogLeNet was trained in 2014 without batch norm, with 22 layers on the longest way. On its way down the gradient grows
smaller: at the start of training the first convolution gets about a thirtieth of what the last module gets. So two
small classifiers were put half-way up, behind modules 4a and 4d, and their losses added with a weight of 0.3 each.

Measured on a fresh net, as the paper prints it, and pictures of clothes: every layer below the second head gets a
larger gradient, those below both heads most, and those above get exactly what they had. The heads do not cure the
shrinking, they add to what arrives: by about a third. Batch norm, which came a year later, does more against it: with
it, the lower layers have the larger gradients, also without heads.

    python recipes/architectures/auxiliary_heads.py  # half a minute
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import pellucid
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.plots.curves import curves

SEEDS, BATCH, WEIGHT = 5, 16, 0.3
LAYERS = ("conv1", "conv2", "conv3", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
FIRST_HEAD, SECOND_HEAD = LAYERS.index("4a"), LAYERS.index("4d")  # the heads look at what these give


def pictures(seed: int, n: int) -> tuple[Tensor, Tensor]:
    """Some standardised pictures (n, 1, 28, 28) and their classes."""
    data = pellucid.load("fashion-mnist-mini")
    rows = np.random.default_rng(seed).choice(len(data.labels), n, replace=False)
    images = torch.from_numpy(np.asarray(data.images[rows], dtype=np.float32))[:, None]
    return (images - images.mean()) / images.std(), torch.from_numpy(np.asarray(data.labels[rows]))


def gradients(name: str, seed: int, n: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    """Length of each layer's gradient at the start of training, without the heads and with them."""
    seed_everything(seed)
    model = create(name, 10, 1, (28, 28))
    images, labels = pictures(seed, n)
    losses = [F.cross_entropy(logits, labels) for logits in model.outputs(images).values()]  # one forward for both
    found = []
    for weight in (0.0, WEIGHT):
        model.zero_grad()
        (losses[0] + weight * sum(losses[1:])).backward(retain_graph=True)
        found.append(np.array([_length(model, layer) for layer in LAYERS]))
    return found[0], found[1]


def _length(model: torch.nn.Module, layer: str) -> float:
    part = model.get_submodule(layer if layer.startswith("conv") else f"inception{layer}")
    return float(sum(parameter.grad.square().sum() for parameter in part.parameters()).sqrt())


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Gradient of each layer without and with the heads: means over the seeds, and the range of their ratios."""
    both = np.array([gradients("googlenet_paper", seed) for seed in range(SEEDS)])  # (seeds, 2, layers)
    normed = np.array([gradients("googlenet", seed)[0] for seed in range(SEEDS)])  # (seeds, layers)
    without, with_heads = np.exp(np.log(both).mean(axis=0))
    batch_norm = np.exp(np.log(normed).mean(axis=0))
    ratio = both[:, 1] / both[:, 0]
    rows = [
        [layer, f"{a:.3g}", f"{b:.3g}", f"{b / a:.2f}", f"{r.min():.2f} to {r.max():.2f}", f"{c:.3g}"]
        for layer, a, b, r, c in zip(LAYERS, without, with_heads, ratio.T, batch_norm, strict=True)
    ]
    places = range(1, len(LAYERS) + 1)
    lines = {
        "without heads": (places, without),
        "with two heads": (places, with_heads),
        "batch norm, without heads": (places, batch_norm),
    }
    title = "Gradient of each layer at the start of GoogLeNet"
    picture = curves(lines, title, "layer, from the picture up", "length of the gradient", log_y=True)
    return (
        ["layer", "without heads", "with two heads", "ratio", f"ratio, {SEEDS} seeds", "batch norm, no heads"],
        rows,
        picture,
    )


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
