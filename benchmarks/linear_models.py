"""Linear classifiers to the same objective, side by side with scikit-learn's.

    python benchmarks/linear_models.py [--quick] [--rounds 3] [--reg 1e-4]

60,000 x 784 pixels in 0..1, float32, one thread on one core. Each model's objective is computed by one function in
float64. The best value that anyone has found, ours to a tight tolerance among them, counts as the optimum. A peer
climbs its settings from coarse to fine until its objective is within 1e-4 of that; this setting is then timed, in
turns with ours. One that never comes there says how near it came.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy reads them when it is imported

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import timing
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

import pellucid
from pellucid.classic.linear.losses import one_vs_rest_squared_hinge
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.core.errors import PellucidError
from pellucid.scratch.losses.softmax import softmax_loss

GAP = 1e-4
FLOOR, AIM = 1.0, 5.0  # times the quickest peer's speed
OURS = "pellucid"

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Make = Callable[[], Any]  # a model that is not fitted yet


@dataclass(frozen=True)
class Case:
    """An objective, and who minimises it.

    Attributes:
        title: what it is.
        loss: of the scores.
        ones: give all of them a column of ones instead of a bias, which is then penalised like the rest, because one
            of the peers cannot do otherwise.
        optimum: ours, to a tight tolerance.
        ladders: name -> settings from coarse to fine, each with its label; ours first.
    """

    title: str
    loss: Callable[..., tuple[float, np.ndarray]]
    ones: bool
    optimum: Make
    ladders: dict[str, list[tuple[str, Make]]]


def softmax_case(reg: float, n: int) -> Case:
    C = 1 / (2 * n * reg)
    return Case(
        f"Softmax, reg {reg:g} (C = {C:.3g})",
        softmax_loss,
        False,
        partial(SoftmaxRegression, reg, tol=1e-8, max_iter=300),
        {
            OURS: [(f"tol {tol:g}", partial(SoftmaxRegression, reg, tol=tol)) for tol in (1e-4, 1e-5, 3e-6, 1e-6)],
            "LogisticRegression(lbfgs)": [
                (f"max_iter {steps}", partial(LogisticRegression, C=C, max_iter=steps, tol=1e-12))
                for steps in (100, 200, 300, 400, 500, 700, 1000)
            ],
        },
    )


def svm_case(reg: float, n: int) -> Case:
    C = 1 / (2 * n * reg)
    svc = partial(LinearSVC, C=C, fit_intercept=False, random_state=0, max_iter=2000)
    ours = partial(LinearSVM, reg, loss="squared_hinge", fit_intercept=False)
    sgd = partial(
        SGDClassifier, "squared_hinge", alpha=2 * reg, fit_intercept=False, tol=None, random_state=0, average=True,
        learning_rate="invscaling", eta0=1e-3, power_t=0.25,
    )  # fmt: skip  # its own learning rate leaves all bounds with this loss
    return Case(
        f"Squared hinge, one against the rest, reg {reg:g} (C = {C:.3g})",
        one_vs_rest_squared_hinge,
        True,
        partial(ours, tol=1e-7),
        {
            OURS: [(f"tol {tol:g}", partial(ours, tol=tol)) for tol in (1e-4, 5e-5, 1e-5)],
            "LinearSVC(primal)": [(f"tol {tol:g}", partial(svc, dual=False, tol=tol)) for tol in (1e-2, 1e-3, 1e-4)],
            "LinearSVC(dual)": [(f"tol {tol:g}", partial(svc, dual=True, tol=tol)) for tol in (1.0, 0.1, 0.01)],
            "SGDClassifier": [(f"{epochs} epochs", partial(sgd, max_iter=epochs)) for epochs in (5, 20)],
        },
    )


def objective(case: Case, model: Any, X: np.ndarray, y: np.ndarray, reg: float) -> float:
    """In float64, in blocks."""
    V, b = model.coef_.T.astype(np.float64), np.asarray(model.intercept_, np.float64)
    total = 0.0
    for start in range(0, len(X), 4096):
        block = slice(start, start + 4096)
        total += case.loss(X[block].astype(np.float64) @ V + b, y[block])[0] * len(y[block])
    return total / len(X) + reg * float(np.sum(V * V))


def fit(make: Make, X: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its objective says how far it came
        return make().fit(X, y)


@dataclass
class Climbed:
    """Where a ladder ended."""

    label: str
    make: Make
    value: float
    accuracy: float
    cpu: float


def climb(case: Case, name: str, data: Arrays, reg: float, optimum: float) -> Climbed:
    """The first setting within the gap, or the last."""
    X, y, X_test, y_test = data
    for label, make in case.ladders[name]:
        start = time.process_time()
        model = fit(make, X, y)
        cpu = time.process_time() - start
        found = Climbed(label, make, objective(case, model, X, y, reg), model.score(X_test, y_test), cpu)
        print(f"{name}, {label}: gap {found.value / optimum - 1:.1e}, {cpu:.1f} s", file=sys.stderr, flush=True)
        if found.value <= optimum * (1 + GAP):
            break
    return found


def section(case: Case, data: Arrays, reg: float, rounds: int) -> str:
    """A case: climb, then turns of those that arrived."""
    X, y, X_test, y_test = data
    if case.ones:
        X, X_test = (np.column_stack([each, np.ones(len(each), each.dtype)]) for each in (X, X_test))
    full = X, y, X_test, y_test
    optimum = objective(case, fit(case.optimum, X, y), X, y, reg)
    ends = {name: climb(case, name, full, reg, optimum) for name in case.ladders}
    optimum = min([optimum, *(end.value for end in ends.values())])
    arrived = {name: end for name, end in ends.items() if end.value <= optimum * (1 + GAP)}
    if OURS not in arrived:
        sys.exit(f"{case.title}: ours did not come within {GAP} of the optimum.")
    times = timing.interleave(
        {name: partial(lambda make: (fit(make, X, y), None)[1], end.make) for name, end in arrived.items()},
        rounds, warmups=0,
    )  # fmt: skip
    return report(case.title, ends, times, optimum)


def report(title: str, ends: dict[str, Climbed], times: dict[str, timing.Timed], optimum: float) -> str:
    """Table and verdict."""
    rows = []
    for name, end in ends.items():
        timed = times.get(name)
        seconds = f"{timed.median():.2f}" if timed else f"{end.cpu:.2f}, not there"
        fold = f"{timing.ratio(timed, times[OURS]):.2f}" if timed else "-"
        gap = f"{end.value / optimum - 1:.1e}"
        rows.append([name, end.label, seconds, f"{end.value:.6f}", gap, f"{100 * end.accuracy:.2f}", fold])
    header = ["model", "setting", "CPU s", "objective", "gap", "test accuracy %", "ours is faster, times"]
    folds = [timing.ratio(timed, times[OURS]) for name, timed in times.items() if name != OURS]
    parts = [f"## {title}", timing.table(header, rows)]
    if folds:
        least = min(folds)
        floor, aim = "met" if least >= FLOOR else "MISSED", "reached" if least >= AIM else "not reached"
        parts.append(
            f"**Fast:** {least:.2f} times the quickest peer's speed; floor {FLOOR}: {floor}; aim {AIM}: {aim}."
        )
    else:
        parts.append(f"No peer came within {GAP} of the optimum.")
    return "\n\n".join(parts)


def fashion() -> Arrays | None:
    """Pixels in 0..1 and labels; None where the data set is not installed."""
    try:
        source = pellucid.load("fashion-mnist")
    except PellucidError as error:
        print(f"fashion-mnist: {error} Made-up data instead.", file=sys.stderr)
        return None
    images, labels = np.asarray(source.images), np.asarray(source.labels)
    X = images.reshape(len(images), -1) / np.float32(255)
    train, test = source.roles == "train", source.roles == "test"
    return X[train], labels[train], X[test], labels[test]


def made_up(n: int, d: int, n_classes: int = 5) -> Arrays:
    """Classes that overlap, with features that go together."""
    rng = np.random.default_rng(0)
    y = rng.integers(n_classes, size=2 * n)
    mixing = rng.standard_normal((d, d)) / np.sqrt(d)
    X = (rng.standard_normal((n_classes, d))[y] + 2 * rng.standard_normal((2 * n, d))) @ mixing
    X = X.astype(np.float32)
    return X[:n], y[:n], X[n:], y[n:]


ABOUT = """\
One thread; medians of processor time over the rounds, ratios are medians of the rounds' ratios. *Gap* is relative to \
the best objective found. `SGDClassifier` has no softmax over several classes, and `newton-cholesky` would factor a \
matrix of 7,850 columns in each step, so both are left out there. Where `LinearSVC` takes part all have a column of \
ones instead of a bias, because it penalises its own."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reg", type=float, default=1e-4)
    parser.add_argument("--quick", action="store_true", help="made-up data, small; one round; no result file")
    asked = parser.parse_args(arguments)
    timing.use_one_core()
    data = made_up(2000, 30) if asked.quick else fashion() or made_up(20_000, 300)
    n, d = data[0].shape
    rounds = 1 if asked.quick else asked.rounds
    cases = [make(asked.reg, n) for make in (softmax_case, svm_case)]
    parts = [f"{n:,} x {d} samples, {len(np.unique(data[1]))} classes. {ABOUT}"]
    parts += [section(case, data, asked.reg, rounds) for case in cases]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/linear_models.py --rounds {rounds}"
        command += f" --reg {asked.reg:g}" if asked.reg != parser.get_default("reg") else ""
        timing.write_result("linear_models", "Linear models", command, ["numpy", "scipy", "scikit-learn"], parts)


if __name__ == "__main__":
    main()
