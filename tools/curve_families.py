"""Data, networks and optimisers of the curves that `make_curves.py` makes: twelve to tune on, six held back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from sklearn import datasets as sk
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid


@dataclass(frozen=True)
class Family:
    """Data, a network and an optimiser.

    Attributes:
        data: `seed -> (x, y)`, standardised; y whole numbers, or float32 for a regression.
        net: `width -> network`; width 1 is the usual one, smaller numbers make smaller nets.
        optimiser: `parameters, rate -> optimiser`.
        scale: what `RATES` are multiplied by.
        tiny: width that is too small, or None when the data are too easy for that.
        seed: of its data, weights and order.
    """

    data: Callable[[int], tuple[Tensor, Tensor]]
    net: Callable[[float], nn.Module]
    optimiser: Callable[..., torch.optim.Optimizer]
    scale: float = 1.0
    tiny: float | None = None
    seed: int = 1


# ---- data ----


def pick(x: np.ndarray, y: np.ndarray, seed: int, n: int = 1600) -> tuple[Tensor, Tensor]:
    """So many rows, standardised."""
    rows = np.random.default_rng(seed).permutation(len(x))[:n]
    x, y = x[rows].astype(np.float32), y[rows]
    flat = (x - x.mean(0)) / (x.std(0) + 1e-6) if x.ndim == 2 else (x - x.mean()) / x.std()
    return torch.from_numpy(flat), torch.from_numpy(y.astype(np.int64 if y.dtype.kind in "iu" else np.float32))


def digits(seed: int) -> tuple[Tensor, Tensor]:
    """Handwritten digits, 8 x 8."""
    x, y = sk.load_digits(return_X_y=True)
    return pick(x, y, seed)


def digit_pictures(seed: int) -> tuple[Tensor, Tensor]:
    """The same as pictures (n, 1, 8, 8)."""
    x, y = sk.load_digits(return_X_y=True)
    return pick(x.reshape(-1, 1, 8, 8), y, seed)


def clothes(side: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """Fashion-MNIST mini, reduced."""

    def make(seed: int) -> tuple[Tensor, Tensor]:
        data = pellucid.load("fashion-mnist-mini")
        rows = np.random.default_rng(seed).permutation(len(data.images))[:1600]
        images = torch.from_numpy(np.asarray(data.images)[rows].astype(np.float32))[:, None]
        small = F.adaptive_avg_pool2d(images, side).numpy()
        return pick(small, np.asarray(data.labels)[rows], seed)

    return make


def moons(seed: int) -> tuple[Tensor, Tensor]:
    """Two moons with noise."""
    x, y = sk.make_moons(1600, noise=0.15, random_state=seed)
    return pick(x, y, seed)


def spirals(seed: int) -> tuple[Tensor, Tensor]:
    """Three arms of a spiral."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, 1600)
    t = rng.uniform(0.5, 3.0, 1600)
    angle = 1.5 * t + y * 2 * np.pi / 3 + rng.normal(0, 0.12, 1600)
    return pick(np.stack([t * np.cos(angle), t * np.sin(angle)], 1), y, seed)


def blobs(seed: int) -> tuple[Tensor, Tensor]:
    """Twelve overlapping clouds in ten dimensions."""
    x, y = sk.make_blobs(1600, 10, centers=12, cluster_std=3.5, random_state=seed)[:2]
    return pick(x, y, seed)


def clusters(seed: int) -> tuple[Tensor, Tensor]:
    """Six classes of two clusters each in twenty dimensions."""
    x, y = sk.make_classification(
        1600, 20, n_informative=10, n_classes=6, n_clusters_per_class=2, class_sep=2.0, random_state=seed
    )
    return pick(x, y, seed)


def waves(seed: int) -> tuple[Tensor, Tensor]:
    """A number from two: sin(2 a) cos(b) with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (1600, 2))
    y = np.sin(2 * x[:, 0]) * np.cos(x[:, 1]) + rng.normal(0, 0.1, 1600)
    return pick(x, (y - y.mean()) / y.std(), seed)


def friedman(seed: int) -> tuple[Tensor, Tensor]:
    """Friedman's first function of ten numbers, five of which matter."""
    x, y = sk.make_friedman1(1600, noise=1.0, random_state=seed)
    return pick(x, (y - y.mean()) / y.std(), seed)


def cells(seed: int) -> tuple[Tensor, Tensor]:
    """Breast cancer, two classes."""
    x, y = sk.load_breast_cancer(return_X_y=True)
    return pick(x, y, seed)


def gratings(seed: int) -> tuple[Tensor, Tensor]:
    """Stripes of six directions under noise, as pictures (n, 1, 10, 10)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 6, 1600)
    rows, columns = np.mgrid[:10, :10] / 10
    angle = (y * np.pi / 6)[:, None, None]
    wave = np.sin(2 * np.pi * (2 * (columns * np.cos(angle) + rows * np.sin(angle)) + rng.random((1600, 1, 1))))
    return pick((wave + rng.normal(0, 0.7, wave.shape))[:, None], y, seed)


def tones(seed: int) -> tuple[Tensor, Tensor]:
    """Twelve values of a noisy wave of one of five frequencies."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, 1600)
    wave = np.sin(2 * np.pi * ((0.05 + 0.08 * y)[:, None] * np.arange(12) + rng.random((1600, 1))))
    return pick(wave + rng.normal(0, 0.3, wave.shape), y, seed)


def rings(seed: int) -> tuple[Tensor, Tensor]:
    """Four rings around each other."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 1600)
    angle, radius = rng.uniform(0, 2 * np.pi, 1600), 1 + y + rng.normal(0, 0.2, 1600)
    return pick(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y, seed)


def tiles(seed: int) -> tuple[Tensor, Tensor]:
    """A chequerboard of three by three tiles, two classes."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 3, (1600, 2))
    return pick(x, x.astype(np.int64).sum(1) % 2, seed)


def circuit(seed: int) -> tuple[Tensor, Tensor]:
    """Friedman's second function: the impedance of a circuit of four numbers."""
    x, y = sk.make_friedman2(1600, noise=30.0, random_state=seed)
    return pick(x, (y - y.mean()) / y.std(), seed)


def shells(seed: int) -> tuple[Tensor, Tensor]:
    """Five shells of a cloud in eight dimensions, as many points in each."""
    x, y = sk.make_gaussian_quantiles(n_samples=1600, n_features=8, n_classes=5, random_state=seed)
    return pick(x, y, seed)


# ---- networks ----


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


class Recurrent(nn.Module):
    """A GRU over the columns of x (n, T), and an affine layer on its last state."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(1, width, batch_first=True), nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gru(x[:, :, None])[0][:, -1])


def residual_cnn(channels: int, n_classes: int) -> Callable[[float], nn.Module]:
    """Two residual blocks of 3 x 3 convolutions with batch norm on 10 x 10 pictures."""

    def make(width: float) -> nn.Module:
        c = max(1, round(width * channels))

        def block() -> nn.Module:
            inner = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1), nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 3, 1, 1))
            return nn.Sequential(Residual(inner), nn.ReLU())

        layers = [nn.Conv2d(1, c, 3, 2, 1), nn.ReLU(), block(), block()]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(25 * c, n_classes))

    return make


def residual_mlp(n_inputs: int, size: int, n_outputs: int) -> Callable[[float], nn.Module]:
    """Three residual blocks between affine layers."""

    def make(width: float) -> nn.Module:
        k = max(1, round(width * size))
        blocks = [Residual(nn.Sequential(nn.Linear(k, k), nn.ReLU(), nn.Linear(k, k))) for _ in range(3)]
        return nn.Sequential(nn.Linear(n_inputs, k), *blocks, nn.Linear(k, n_outputs))

    return make


def mlp(
    sizes: tuple[int, ...],
    activation: type[nn.Module] = nn.ReLU,
    norm: type[nn.Module] | None = None,
    drop: float = 0.0,
) -> Callable[[float], nn.Module]:
    """Affine layers; `width` scales the hidden ones."""

    def make(width: float) -> nn.Module:
        hidden = [max(1, round(width * size)) for size in sizes[1:-1]]
        all_sizes = [sizes[0], *hidden, sizes[-1]]
        layers: list[nn.Module] = []
        for k, (a, b) in enumerate(pairwise(all_sizes)):
            layers.append(nn.Linear(a, b))
            if k < len(hidden):
                layers += [norm(b)] if norm else []
                layers += [activation()] + [nn.Dropout(drop)] * (drop > 0)
        return nn.Sequential(*layers)

    return make


def cnn(channels: tuple[int, ...], side: int, n: int = 10, norm: bool = False) -> Callable[[float], nn.Module]:
    """3 x 3 convolutions with stride 2 from the second on, then the mean of each map."""

    def make(width: float) -> nn.Module:
        layers: list[nn.Module] = []
        before = 1
        for k, size in enumerate(channels):
            now = max(1, round(width * size))
            layers += [nn.Conv2d(before, now, 3, 2 if k else 1, 1)] + [nn.BatchNorm2d(now)] * norm + [nn.ReLU()]
            before = now
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, n))

    return make


def sgd(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, momentum=0.9, nesterov=True, weight_decay=decay)


def plain(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr, weight_decay=decay)


def adam(parameters: Iterator[nn.Parameter], lr: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr, weight_decay=decay)


FAMILIES: dict[str, dict[str, Family]] = {
    "tuning": {
        "digits-mlp": Family(digits, mlp((64, 64, 64, 10)), sgd, tiny=1 / 64),
        "digits-cnn": Family(digit_pictures, cnn((8, 16), 8), adam, 0.1, 1 / 16),
        "moons-tanh": Family(moons, mlp((2, 24, 24, 2), nn.Tanh), plain, 3.0, None),
        "blobs-adam": Family(blobs, mlp((10, 96, 96, 12)), adam, 0.1, 1 / 96),
        "waves-relu": Family(waves, mlp((2, 64, 64, 64, 1)), adam, 0.1, 1 / 64),
        "digits-deep": Family(digits, mlp((64, 48, 48, 48, 48, 10)), plain, 1.0, 1 / 48),
        "clothes-cnn": Family(clothes(10), cnn((6, 12, 12), 10, norm=True), sgd, 1.0, 1 / 16, seed=1001),
        "clothes-gelu": Family(
            clothes(7),
            lambda w: nn.Sequential(nn.Flatten(), mlp((49, 80, 80, 10), nn.GELU)(w)),
            adam,
            0.1,
            1 / 80,
            1001,
        ),
        "spirals-elu": Family(spirals, mlp((2, 40, 40, 40, 3), nn.ELU), sgd, 1.0, 1 / 40, seed=1001),
        "clusters-drop": Family(clusters, mlp((20, 128, 64, 6), nn.ReLU, None, 0.1), adam, 0.1, 1 / 64, seed=1001),
        "friedman-tanh": Family(friedman, mlp((10, 48, 48, 1), nn.Tanh), sgd, 0.3, None, seed=1001),
        "cells-norm": Family(cells, mlp((30, 32, 32, 2), nn.LeakyReLU, nn.LayerNorm), adam, 0.1, None, seed=1001),
    },
    "held": {
        "gratings-residual": Family(gratings, residual_cnn(8, 6), sgd, tiny=1 / 8, seed=2001),
        "tones-gru": Family(tones, lambda w: Recurrent(max(1, round(24 * w)), 5), adam, 0.3, 1 / 24, 2001),
        "rings-silu": Family(rings, mlp((2, 48, 48, 48, 4), nn.SiLU), adam, 0.1, 1 / 48, 2001),
        "tiles-residual": Family(tiles, residual_mlp(2, 48, 2), sgd, 0.3, None, 2001),
        "circuit-gelu": Family(circuit, mlp((4, 64, 64, 1), nn.GELU), adam, 0.1, 1 / 64, 2001),
        "shells-norm": Family(shells, mlp((8, 64, 64, 5), nn.ReLU, nn.BatchNorm1d), sgd, 1.0, None, 2001),
    },
}
