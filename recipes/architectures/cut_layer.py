"""Are the layers in the middle of a net fitted to each other, so that they cannot be trained apart?

In a large net they were: Yosinski et al. (2014, https://arxiv.org/abs/1411.1792) took over the first n layers of a
trained AlexNet, froze them, and trained new ones above them on the very same classes. At n = 4 and 5 of 8 that net was
worse than the first one: neighbouring layers had adapted to each other, and training only one side did not find such a
pair again. So one should not tear apart convolutions that were trained together and train those above alone.

Here the same on clothes: five kinds are A, five others B; a net of five convolutions and a hidden layer, without norms,
for 28 x 28 pixels. AnB has its first n layers from A, frozen, and the rest trained on B; AnB+ trains them on; BnB has
them from B, frozen.

- Higher layers belong to their task: AnB loses half a point at most up to n = 3, one at 4, two at 5, and 13 at 6, where
  only the last layer is new; six of these even when that is trained for 60 epochs instead of 8.
- Trained on, they lose nothing at any n: AnB+ is as good as a fresh net, or a little better, within what seeds differ.
- BnB shows no such valley in the middle: at n = 4 and 5 it is half a point below the first net, which is less than the
  seeds differ. A net of seven layers is small enough to find its way back. What falls at n = 6 is not co-adaptation
  but haste: the last layer alone, trained for 60 epochs, is as good as in the first net.

    python recipes/architectures/cut_layer.py  # 5 minutes
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import pellucid
from pellucid.core.seed import seed_everything
from pellucid.plots.curves import curves

A = (0, 1, 2, 5, 8)  # T-shirt, trouser, pullover, sandal, bag
B = (3, 4, 6, 7, 9)  # dress, coat, shirt, sneaker, ankle boot
SEEDS, TRAIN, EPOCHS, BATCH, RATE = 3, 3000, 8, 50, 2e-3
WIDTHS = (8, 16, 16, 32, 32)  # of the convolutions; a pooling follows every second one, from the first
HIDDEN = 64
N_LAYERS = len(WIDTHS) + 1  # that can be taken over: all but the last
KINDS = ("AnB: from A, frozen", "AnB+: from A, trained on", "BnB: from B, frozen")
PATIENT = 60  # epochs for a last layer alone
FRESH = 100  # the upper layers start from other seeds than the nets that the lower ones are from

Pictures = tuple[Tensor, Tensor]


def pictures(classes: tuple[int, ...], n_train: int) -> tuple[Pictures, Pictures]:
    """Standardised pictures (n, 1, 28, 28) of these classes and their places in `classes`: to train and to test."""
    data = pellucid.load("fashion-mnist-mini")
    images = torch.from_numpy(np.asarray(data.images)).float()[:, None]
    images = (images - images.mean()) / images.std()
    labels, roles = np.asarray(data.labels), np.asarray(data.roles)
    found = []
    for test in (False, True):
        rows = np.flatnonzero(np.isin(labels, classes) & ((roles == "test") == test))
        rows = rows if test else rows[:n_train]
        found.append((images[rows], torch.from_numpy(np.searchsorted(classes, labels[rows]))))
    return found[0], found[1]


def make_net(seed: int) -> nn.Sequential:
    """Six layers that can be taken over, with their ReLUs and pooling, and a linear one. No norm, as in 2012."""
    seed_everything(seed)
    layers, c_in = [], 1
    for place, width in enumerate(WIDTHS):
        conv = nn.Conv2d(c_in, width, 3, padding=1)
        layers.append(nn.Sequential(conv, nn.ReLU(), *([nn.MaxPool2d(2)] if place % 2 == 0 else [])))
        c_in = width
    layers.append(nn.Sequential(nn.Flatten(), nn.Linear(c_in * 3 * 3, HIDDEN), nn.ReLU()))
    net = nn.Sequential(*layers, nn.Linear(HIDDEN, len(B)))
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return net


def train(net: nn.Sequential, data: Pictures, seed: int, frozen: int = 0, epochs: int = EPOCHS) -> nn.Sequential:
    """Train all layers from `frozen` on. What the layers below make of the pictures is computed once."""
    images, labels = data
    with torch.no_grad():
        x = torch.cat([net[:frozen](part) for part in images.split(500)])
    top = net[frozen:]
    n_steps = epochs * (len(x) // BATCH)
    optimiser = torch.optim.Adam(top.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, n_steps, pct_start=0.2)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH)[: len(x) // BATCH]:
            loss = cross_entropy(top(x[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net


@torch.no_grad()
def accuracy(net: nn.Sequential, data: Pictures) -> float:
    return float((net(data[0]).argmax(1) == data[1]).float().mean())


def cut(base: nn.Sequential, n: int, seed: int) -> nn.Sequential:
    """The first n layers of a trained net, and fresh ones above."""
    net = make_net(seed)
    for place in range(n):
        net[place].load_state_dict(base[place].state_dict())
    return net


def sweep(seed: int, n_train: int = TRAIN, epochs: int = EPOCHS, patient: int = PATIENT) -> dict[str, np.ndarray]:
    """Accuracy on B: `fresh` (), all trained on B; `cut` (3, layers), each kind and cut; `patient` (2,), AnB and BnB at
    the highest cut, where only the last layer is new, trained for as many epochs.
    """
    (a, _), (b, test) = pictures(A, n_train), pictures(B, n_train)
    base_a, base_b = (train(make_net(seed), half, seed, 0, epochs) for half in (a, b))

    def retrained(base: nn.Sequential, n: int, frozen: int, epochs: int) -> float:
        return accuracy(train(cut(base, n, FRESH + seed), b, FRESH + seed, frozen, epochs), test)

    cuts = range(1, N_LAYERS + 1)
    found = [
        [retrained(base_a, n, n, epochs) for n in cuts],
        [retrained(base_a, n, 0, epochs) for n in cuts],
        [retrained(base_b, n, n, epochs) for n in cuts],
    ]
    longer = [retrained(base, N_LAYERS, N_LAYERS, patient) for base in (base_a, base_b)]
    return {"fresh": np.array(accuracy(base_b, test)), "cut": np.array(found), "patient": np.array(longer)}


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Mean accuracy on B, and its range over the seeds, for every cut."""
    swept = [sweep(seed) for seed in range(SEEDS)]
    base, found, longer = (np.array([each[name] for each in swept]) for name in ("fresh", "cut", "patient"))
    rows = [["0 (all fresh, trained on B)", *[_range(base)] * len(KINDS)]]
    rows += [[str(n), *(_range(found[:, row, n - 1]) for row in range(len(KINDS)))] for n in range(1, N_LAYERS + 1)]
    rows.append([f"{N_LAYERS}, {PATIENT} epochs", _range(longer[:, 0]), "", _range(longer[:, 1])])
    cuts = range(N_LAYERS + 1)
    lines = {kind: (cuts, [base.mean(), *found[:, row].mean(axis=0)]) for row, kind in enumerate(KINDS)}
    title = "Layers taken over from a trained net, and what the rest makes of them"
    picture = curves(lines, title, "layers taken over", "accuracy on B")
    return ["layers taken over", *KINDS], rows, picture


def _range(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"


if __name__ == "__main__":
    torch.set_num_threads(1)
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(28) for cell in row))
