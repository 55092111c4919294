"""Mistakes about what comes before deep nets: neighbours, linear classifiers, edges and features, preparing data."""

from collections.abc import Callable

import numpy as np

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.losses.softmax import softmax_loss_vectorized

Array = np.ndarray
Rule = Callable[..., Array]

# ----------------------------------------------------------------------------------------------------------- neighbours


def _no_numbers(distances: Rule) -> float:
    """0 if each of 200 points has a distance from itself, NaN if that of one of them is no number."""
    points = np.random.default_rng(0).random((200, 3072), dtype=np.float32)
    with np.errstate(invalid="ignore"):
        own = np.diag(distances(points, points))
    return float("nan") if np.isnan(own).any() else 0.0


def _squares(X: Array, train: Array) -> Array:
    return -2 * X @ train.T + np.sum(X**2, axis=1)[:, None] + np.sum(train**2, axis=1)  # (N, M)


DISTANCE_ROOT = Erratum(
    title="The root of a negative square",
    printed="The notes on the kNN exercise compute all distances without loops as √(-2xy + xx + yy).",
    right="√max(0, -2xy + xx + yy). Between equal points the three terms cancel, and rounding leaves a little more or"
    " less than 0. In float32 that makes NaN of about a third of the distances of points from themselves.",
    measure="0 if each of 200 random points of 3,072 float32 numbers has a distance from itself",
    error=_no_numbers,
    printed_version=lambda X, train: np.sqrt(_squares(X, train)),
    right_version=lambda X, train: np.sqrt(np.maximum(_squares(X, train), 0)),
)


def _strangers(choice: Rule) -> float:
    """Share of the training points that get another one as their nearest."""
    train = np.random.default_rng(1).standard_normal((50, 8))
    differences = np.abs(train[:, None] - train).sum(axis=2)  # (N, N)
    return float(np.mean(choice(differences) != np.arange(50)))


NEAREST = Erratum(
    title="Which neighbour is the nearest",
    printed="The first lecture's summary: sum the absolute differences to all training pictures, take the maximum.",
    right="The minimum: the training picture that differs least. The maximum is the one that differs most.",
    measure="share of 50 training points that do not find themselves",
    error=_strangers,
    printed_version=lambda differences: differences.argmax(axis=1),
    right_version=lambda differences: differences.argmin(axis=1),
)

# ---------------------------------------------------------------------------------------------------- linear classifier


def _wrong_after_training(predict: Rule) -> float:
    """Share of wrong classes on the training data, which a line through the origin separates well."""
    rng = np.random.default_rng(2)
    y = np.arange(90) % 3
    X = 4 * np.eye(3)[y] + rng.standard_normal((90, 3))
    W = np.zeros((3, 3))
    for _ in range(100):
        W -= 0.1 * softmax_loss_vectorized(W, X, y, 0.0)[1]
    return float(np.mean(predict(X, W) != y))


PREDICT = Erratum(
    title="What a linear classifier predicts",
    printed="`LinearClassifier.predict` in the notes is `y_pred = np.zeros(X.shape[0])`, then `pass`: class 0 always.",
    right="The class of the highest score: argmax of X W over the classes.",
    measure="share of wrong classes among 90 training points of three well-separated classes",
    error=_wrong_after_training,
    printed_version=lambda X, W: np.zeros(X.shape[0]),
    right_version=lambda X, W: (X @ W).argmax(axis=1),
    tolerance=0.05,
)

# --------------------------------------------------------------------------------------------------- edges and features


def _off_angles(direction: Rule) -> float:
    """Gradients that find no bin: those of planes that rise towards 24 angles, and that of a flat one."""
    angles = np.deg2rad(np.arange(0, 360, 15))
    dx, dy = np.append(np.round([np.cos(angles), np.sin(angles)], 12), [[0.0], [0.0]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = direction(dy, dx)
    bins = np.histogram(found, bins=9, range=(0, 180))[0]  # what lies outside 0..180 is not counted
    return float(len(dx) - bins.sum())


HOG_ANGLE = Erratum(
    title="The angle of a gradient in HOG",
    printed="The notes on HOG take arctan(dy / dx) as the direction that goes into the nine bins.",
    right="arctan2(dy, dx) modulo 180 degrees. arctan lies between -90 and 90, so nearly half falls out of bins from 0"
    " to 180, and where the picture is flat dx is 0 and there is no quotient.",
    measure="gradients that find no bin between 0 and 180, of 24 directions and one of a flat place",
    error=_off_angles,
    printed_version=lambda dy, dx: np.rad2deg(np.arctan(dy / dx)),
    right_version=lambda dy, dx: np.rad2deg(np.arctan2(dy, dx)) % 180,
)


def _off_derivative(combine: Rule) -> float:
    """Largest |d/dx (f ∘ g) - f ∘ dg/dx| for a noisy step and a Gaussian, both zero far from their ends."""
    x = np.linspace(-4, 4, 81)
    f = np.where(np.abs(x) < 2, 1 + 0.1 * np.random.default_rng(3).standard_normal(81), 0.0)
    g = np.where(np.abs(x) < 1.5, np.exp(-(x**2) / 0.5), 0.0)

    def slope(values: Array) -> Array:
        return np.asarray(np.convolve(values, [0.5, 0.0, -0.5], mode="same"))

    return apart(slope(combine(f, g)), combine(f, slope(g)))


DERIVATIVE_OF_GAUSSIAN = Erratum(
    title="Derivative of a smoothed picture",
    printed="The notes on edges write d/dx (f · g) = f · dg/dx.",
    right="d/dx (f * g) = f * dg/dx, with convolutions. For a product there is a second term, df/dx · g. It is the"
    " convolution that lets smoothing and derivative be one kernel.",
    measure="largest difference of the two sides, for a noisy step and a Gaussian",
    error=_off_derivative,
    printed_version=lambda f, g: f * g,
    right_version=lambda f, g: np.convolve(f, g, mode="same"),
)

# ------------------------------------------------------------------------------------------------------ first with data


def _leak(mean: Rule) -> float:
    """How far the stored mean moves when the test data are others."""
    rng = np.random.default_rng(4)
    train, test = rng.standard_normal((100, 3)), rng.standard_normal((20, 3))
    return apart(mean(train, test), mean(train, test + 1))


MEAN_OF_TEST = Erratum(
    title="Whose mean is subtracted",
    printed="The lecture on preparing data: we get the mean from the test data, and apply the same mean to them.",
    right="From the training data; then the same mean is applied to the test data. What is stored must not depend on"
    " the data one is going to be tested with.",
    measure="change of the stored mean when 1 is added to the test data",
    error=_leak,
    printed_version=lambda train, test: test.mean(axis=0),
    right_version=lambda train, test: train.mean(axis=0),
)


def _off_dependence(claim: float) -> float:
    """Distance of a claimed Cov(a², b) from that of decorrelated data, where 0 is what independent ones would have."""
    x = (np.arange(2000) + 0.5) / 1000 - 1  # evenly in [-1, 1]
    data = np.stack([x, x**2 - np.mean(x**2)], axis=1) @ np.array([[0.8, 0.6], [-0.6, 0.8]])  # turned: correlated
    _, vectors = np.linalg.eigh(np.cov(data.T))
    low, high = (data @ vectors).T  # decorrelated: low is x² less its mean, up to its sign, high is x
    return abs(claim - abs(float(np.mean(high**2 * low))))


DECORRELATED = Erratum(
    title="Are decorrelated features independent",
    printed="The notes on preparing data: decorrelating makes features independent.",
    right="Uncorrelated, no more: no straight line tells one from the other, but a curve may. x and x² are uncorrelated"
    " for x even around 0, and the second follows from the first: Cov(x², x²) = 4/45. Gaussians are the exception.",
    measure="distance of the claimed Cov(a², b) from that of x and x² after decorrelation, x even in [-1, 1]",
    error=_off_dependence,
    printed_version=0.0,
    right_version=4 / 45,
)

ERRATA = (
    DISTANCE_ROOT,
    NEAREST,
    PREDICT,
    HOG_ANGLE,
    DERIVATIVE_OF_GAUSSIAN,
    MEAN_OF_TEST,
    DECORRELATED,
)
