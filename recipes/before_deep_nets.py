"""How far one comes without a deep net: neighbours and linear classifiers, on pixels and on features by hand.

    python recipes/before_deep_nets.py [--data fashion-mnist] [--quick]

What is left open (k, the strength of the penalty) is chosen on a tenth of the training pictures; the winner is fitted
on all of them, and the test pictures are opened once. Promise, on all of Fashion-MNIST, one thread: nearest neighbours
at least 85 %, linear on pixels 84 %, a linear SVM on HOG 88.5 %, on HOG at two scales with pixels 89.5 %, with random
Fourier features on top 90.5 %. The whole takes a quarter of an hour, most of it the last row; `--quick` leaves it out.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

import pellucid
from pellucid.classic import KNearestNeighbors, LinearSVM, RandomFourier, SoftmaxRegression
from pellucid.classic.features.table import FEATURES
from pellucid.core.errors import DataError
from pellucid.data.splits import make_split

KS = (1, 3, 5, 8, 10, 20)
REGS = (1e-6, 1e-5, 1e-4, 1e-3)  # times the mean squared length of the features
FOURIER = 8000


@dataclass(frozen=True)
class Row:
    """One method, what was chosen, test accuracy, and seconds for features, one fit and predicting."""

    method: str
    chosen: str
    accuracy: float
    features: float
    fit: float
    predict: float


@dataclass(frozen=True)
class Part:
    """Pictures (N, C, H, W) uint8 and labels (N,)."""

    images: torch.Tensor
    labels: np.ndarray


def parts(name: str) -> tuple[Part, Part, Part, str]:
    """Training, validation (a tenth of the named training pictures) and test; and what the data is called."""
    try:
        data = pellucid.load(name)
    except DataError as error:
        print(f"{error} Using the packaged part of it instead.")
        data = pellucid.load("fashion-mnist-mini")
    images = np.asarray(data.images)
    planes = torch.from_numpy(images.reshape(*images.shape[:3], -1)).permute(0, 3, 1, 2).contiguous()
    split = make_split(data.labels, data.roles, None, 0.1, 0.1, True, 0, data.classes)
    chosen = [Part(planes[rows], data.labels[rows]) for rows in (split.train, split.val, split.test)]
    return chosen[0], chosen[1], chosen[2], data.name


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def try_method(
    method: str,
    see: Callable[[torch.Tensor], np.ndarray],
    make: Callable[[float], Any],
    candidates: Callable[[np.ndarray], Sequence[float]],
    sides: tuple[Part, Part, Part],
) -> Row:
    """Choose on validation, fit on training and validation together, look at the test once."""
    (train, val, test), start = sides, time.perf_counter()
    x_train, x_val, x_test = (see(part.images) for part in sides)
    features = time.perf_counter() - start
    values = candidates(x_train)
    scores = [float(np.mean(make(v).fit(x_train, train.labels).predict(x_val) == val.labels)) for v in values]
    best = values[int(np.argmax(scores))]
    everything = np.concatenate([x_train, x_val]), np.concatenate([train.labels, val.labels])
    fitted, fit = timed(lambda: make(best).fit(*everything))
    called, predict = timed(lambda: fitted.predict(x_test))
    return Row(method, f"{best:.3g}", float(np.mean(called == test.labels)), features, fit, predict)


def regs(x: np.ndarray) -> list[float]:
    scale = float(np.mean(np.einsum("nd,nd->n", x, x, dtype=np.float64)))
    return [factor * scale for factor in REGS]


def seen_by(name: str) -> Callable[[torch.Tensor], np.ndarray]:
    """Features by hand that learn nothing, in batches."""
    make = FEATURES[name]
    return lambda images: torch.cat([make(batch, {}) for batch in images.split(2000)]).numpy()


def table(data: str, quick: bool) -> tuple[list[Row], str]:
    """Every method, one after the other."""
    *sides, name = parts(data)
    pixels, both = seen_by("pixels"), seen_by("hog2")
    fourier = RandomFourier(FOURIER, random_state=0)

    def lifted(images: torch.Tensor) -> np.ndarray:
        x = both(images)
        if not hasattr(fourier, "n_features_in_"):
            fourier.fit(x)  # the training pictures come first
        return np.concatenate([x, fourier.transform(x) * np.sqrt(FOURIER / x.shape[1])], axis=1).astype(np.float32)

    def svm(reg: float) -> Any:
        return LinearSVM(reg, loss="squared_hinge")

    def raw(images: torch.Tensor) -> np.ndarray:
        return images.flatten(1).numpy()

    methods: list[tuple[str, Any, Any, Any]] = [
        ("nearest neighbours, pixels (k)", raw, KNearestNeighbors, lambda _: KS),
        ("softmax regression, pixels (reg)", pixels, SoftmaxRegression, regs),
        ("linear SVM, pixels (reg)", pixels, svm, regs),
        ("linear SVM, HOG (reg)", seen_by("hog-blocks"), svm, regs),
        ("linear SVM, HOG at two scales and pixels (reg)", both, svm, regs),
        (f"the same with {FOURIER:,} random Fourier features (reg)", lifted, svm, regs),
    ]
    rows = []
    for method, see, make, candidates in methods[: -1 if quick else None]:
        rows.append(try_method(method, see, make, candidates, (sides[0], sides[1], sides[2])))
        print("  ".join(map(str, (rows[-1].method, rows[-1].chosen, f"{rows[-1].accuracy:.4f}"))), flush=True)
    return rows, name


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", default="fashion-mnist")
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows, name = table(chosen.data, chosen.quick)
    print(f"\n{name}\n{'method':<56}{'chosen':>9}{'accuracy':>10}{'features':>10}{'fit':>8}{'predict':>9}")
    for r in rows:
        print(f"{r.method:<56}{r.chosen:>9}{r.accuracy:>10.4f}{r.features:>9.1f}s{r.fit:>7.1f}s{r.predict:>8.1f}s")


if __name__ == "__main__":
    main()
