"""How small may a batch be for batch normalisation?

Not very. It takes mean and variance from the batch, over all places of the pictures in it. Deep in a net the maps are
small: in the last layer of this one there is one place a picture, so that a batch of two has two numbers to take mean
and variance from. Whatever they are, they become 1 and -1: what is left of a picture is which of the two was larger.
Group and layer norm look at one picture at a time, and do not know how many there are.

Measured is the accuracy on 2,000 new pictures of a net of four convolutions, which saw 1,000 pictures of clothes four
times, the same number for every batch size; Adam's rate grows with the root of the batch. In smaller batches there are
more steps for the same pictures. From eight pictures on batch norm is the best of the three; in pairs it is twenty
points behind. The one place is what does it: with DEPTH = 3 the last maps are 2x2, and pairs do no harm.

    python recipes/craft/small_batches.py    # a minute
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.data.load import load
from pellucid.plots.curves import curves

SIZES = (2, 4, 8, 16, 32, 64)
DEPTH = 4  # convolutions: the last maps are 1x1
WIDTH, GROUPS, EPOCHS, N, RATE = 32, 8, 4, 1000, 3e-3
NORMS = {
    "batch norm": lambda: nn.BatchNorm2d(WIDTH),
    "group norm": lambda: nn.GroupNorm(GROUPS, WIDTH),
    "layer norm": lambda: nn.GroupNorm(1, WIDTH),
}


def pictures() -> tuple[Tensor, ...]:
    """Training and new pictures, (N, 1, 14, 14) standardised, with their classes."""
    source = load("fashion-mnist-mini")
    x = torch.from_numpy(np.asarray(source.images)).reshape(-1, 1, 28, 28).float()
    x = F.avg_pool2d(x, 2)
    x, y = (x - x.mean()) / x.std(), torch.from_numpy(np.asarray(source.labels))
    train = torch.from_numpy(np.asarray(source.roles) == "train")
    return x[train][:N], y[train][:N], x[~train], y[~train]


def network(norm: str) -> nn.Module:
    """Four convolutions, each with its norm, that halve the side each time: to maps of 7x7, 4x4, 2x2 and 1x1."""
    layers: list[nn.Module] = []
    for k in range(DEPTH):
        layers += [nn.Conv2d(WIDTH if k else 1, WIDTH, 3, 2, 1), NORMS[norm](), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(WIDTH * (16 >> DEPTH) ** 2, 10))


def accuracy(norm: str, batch: int, data: tuple[Tensor, ...], seed: int = 0) -> float:
    """On new pictures, after `EPOCHS` over the training pictures."""
    x, y, x_new, y_new = data
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = network(norm)
        steps, done = EPOCHS * (len(x) // batch), 0
        optimiser = torch.optim.Adam(net.parameters())
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x))[: len(x) // batch * batch].reshape(-1, batch):
                optimiser.param_groups[0]["lr"] = RATE * (batch / 32) ** 0.5 * (1 - done / steps)
                optimiser.zero_grad()
                F.cross_entropy(net(x[rows]), y[rows]).backward()
                optimiser.step()
                done += 1
    with torch.no_grad():
        scores = net.eval()(x_new)
    return float((scores.argmax(1) == y_new).float().mean())


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy for each norm and batch size."""
    data = pictures()
    found = {norm: [accuracy(norm, batch, data) for batch in SIZES] for norm in NORMS}
    rows = [[norm, *(f"{value:.1%}" for value in values)] for norm, values in found.items()]
    lines = {norm: (np.log2(SIZES), values) for norm, values in found.items()}
    picture = curves(lines, "Batch norm is weak in small batches", "batch, as a power of 2", "accuracy")
    return ["norm", *(f"batch {batch}" for batch in SIZES)], rows, picture


if __name__ == "__main__":
    torch.set_num_threads(1)
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))
