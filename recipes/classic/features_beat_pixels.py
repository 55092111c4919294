"""What do hand-made features gain over raw pixels?

To a linear classifier, more than a hidden layer gives: HOG and colours together gain it more than the net gains on
pixels. To the net they gain less, and HOG alone nothing. The pictures are single clothes on textures, 32 x 32, and
their colours say something about them, but not all: two kinds share each hue. A linear SVM, softmax and a net with a
hidden layer get the same 2,000 of them, once as pixels and once as features: a histogram of colours, HOG, or both side
by side. HOG sees shapes and no colour, the histogram colours and no shape; together they are better than either, and
better than pixels, while colours say something.

In the last column the same clothes have any colour at all. Then colour tells nothing, and pixels lose half their worth
to a linear classifier: its one template a class is a picture in colours. HOG does not notice the difference, and the
histogram beside it now costs a little. That is what the feature is for: it throws away what should not count. (It is
also its limit: what it throws away is decided beforehand, and not by the data.)

    python recipes/classic/features_beat_pixels.py  # twenty seconds
"""

import colorsys
from collections.abc import Callable
from functools import partial

import numpy as np

from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import hog
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.classic.preprocessing.standardise import Standardise
from pellucid.data.scenes import fashion_sprites, make_crop
from pellucid.plots.bars import bars
from pellucid.scratch.nets.two_layer import TwoLayerNet
from pellucid.scratch.optimisers.adam import adam

SIDE, TRAIN, VAL = 32, 2000, 1000
HIDDEN, STEPS, BATCH = 32, 300, 200  # of the net

COLOUR: Callable[[np.ndarray], np.ndarray] = lambda x: color_histogram(x, (8, 4, 4), joint=True)  # noqa: E731
SHAPE: Callable[[np.ndarray], np.ndarray] = lambda x: hog(x, block=2)  # noqa: E731
FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "pixels": lambda x: x.reshape(len(x), -1) / 255,
    "colour": COLOUR,
    "HOG": SHAPE,
    "HOG + colour": lambda x: np.hstack([SHAPE(x), COLOUR(x)]),
}


def hue_of_its_kind(rng: np.random.Generator, label: int) -> np.ndarray:
    """A colour near the hue that this class shares with one other."""
    hue = (label % 5 / 5 + rng.normal(0, 0.1)) % 1
    return np.round(255 * np.array(colorsys.hsv_to_rgb(hue, rng.uniform(0.3, 1), rng.uniform(0.4, 1)))).astype(int)


def crops(role: str, n: int, hues: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 3, 32, 32) uint8 and classes (N,) from 0, of hues of their kind or of any colour."""
    seed = 0 if role == "train" else 1
    both = [
        make_crop(np.random.default_rng([seed, i]), fashion_sprites(role), SIDE, hue_of_its_kind if hues else None)
        for i in range(n)
    ]
    return np.stack([image for image, _ in both]).transpose(0, 3, 1, 2).copy(), np.array(
        [label - 1 for _, label in both]
    )


class TwoLayers:
    """The two-layer net of the lessons after 300 steps of Adam, with the penalty `reg`."""

    def __init__(self, reg: float) -> None:
        self.reg = reg

    def fit(self, X: np.ndarray, y: np.ndarray) -> "TwoLayers":
        self.net = TwoLayerNet(X.shape[1], HIDDEN, 10, weight_scale=0.02, reg=self.reg)
        rng, configs = np.random.default_rng(0), {name: {"learning_rate": 2e-3} for name in self.net.params}
        for _ in range(STEPS):
            rows = rng.integers(0, len(X), BATCH)
            _, gradients = self.net.loss(X[rows], y[rows])
            for name, weights in self.net.params.items():
                self.net.params[name], configs[name] = adam(weights, gradients[name], configs[name])
        return self

    def score(self, X: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean(self.net.predict(X) == y))


CLASSIFIERS: dict[str, tuple[Callable, tuple[float, ...]]] = {  # and the penalties to choose from
    "SVM": (partial(LinearSVM, loss="squared_hinge"), (0.1, 1.0)),
    "softmax": (SoftmaxRegression, (0.01, 0.1)),
    "two-layer net": (TwoLayers, (0.001, 0.01)),
}


def accuracy(features: str, classifier: str, data: tuple) -> float:
    """On validation pictures, with the best penalty."""
    (X, y), (V, z) = ((FEATURES[features](images).astype(np.float32), labels) for images, labels in data)
    scale = Standardise().fit(X)
    make, strengths = CLASSIFIERS[classifier]
    return max(make(reg).fit(scale.transform(X), y).score(scale.transform(V), z) for reg in strengths)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Validation accuracy of every classifier on every kind of features."""
    hued, any_hue = ((crops("train", TRAIN, hues), crops("test", VAL, hues)) for hues in (True, False))
    rows, shown = [], {name: [] for name in CLASSIFIERS}
    for features in FEATURES:
        for name, shares in shown.items():
            shares.append(accuracy(features, name, hued))
        last = [*(shares[-1] for shares in shown.values()), accuracy(features, "softmax", any_hue)]
        rows.append([features, *(f"{share:.1%}" for share in last)])
    picture = bars(shown, list(FEATURES), "Validation accuracy on clothes of ten kinds", top=1.0)
    return ["features", *CLASSIFIERS, "softmax, any colours"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
