"""The twelve numbers of the COCO evaluation. Letters: K classes, T thresholds, R points of recall.

Lin et al. 2014, "Microsoft COCO: Common Objects in Context" (arXiv:1405.0312); https://cocodataset.org/#detection-eval.

For each class: of the 100 surest things found in each picture, surest first, each takes the true thing that it overlaps
most among those that are still free, if IoU reaches the threshold. Over all pictures, by falling score, that gives
precision at each recall; AP is its mean at recall 0, 0.01 ... 1, where precision at a recall is the best there or
above. A number is the mean over classes that occur, and over the thresholds 0.50, 0.55 ... 0.95 unless it names one.
`average_precision` computes it; `second_opinion` has it done by faster-coco-eval, the field's own code.
"""

from dataclasses import dataclass

import numpy as np

IOUS = np.linspace(0.5, 0.95, 10)  # (T,)
RECALLS = np.linspace(0, 1, 101)  # (R,)
MOST = (1, 10, 100)  # things a picture
SIZES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}  # px
NUMBERS = (
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar1",
    "ar10",
    "ar100",
    "ar_small",
    "ar_medium",
    "ar_large",
)


@dataclass(frozen=True, eq=False)
class CocoResult:
    """Precision and recall of every class, from which all numbers are means. NaN where a class does not occur.

    Attributes:
        precision: (T, R, K, 4) float64 in 0..1, of 100 things a picture, at each threshold, recall, class, and range
            of sizes.
        recall: (T, K, 4, 3) float64 in 0..1, the highest that is reached with 1, 10, and 100 things a picture.
    """

    precision: np.ndarray
    recall: np.ndarray

    @property
    def numbers(self) -> dict[str, float]:
        """The twelve numbers; NaN for those that nothing was measured for."""
        p, r = self.precision, self.recall
        values = [
            p[..., 0],
            p[0, ..., 0],
            p[5, ..., 0],
            *(p[..., size] for size in (1, 2, 3)),
            *(r[..., 0, most] for most in (0, 1, 2)),
            *(r[..., size, 2] for size in (1, 2, 3)),
        ]
        return {name: _mean(value) for name, value in zip(NUMBERS, values, strict=True)}

    def per_class(self, threshold: int | None = None, size: int = 0) -> np.ndarray:
        """(K,) AP of each class; over all thresholds, or at `IOUS[threshold]`; of things of one range of sizes."""
        chosen = self.precision if threshold is None else self.precision[threshold : threshold + 1]
        return np.array([_mean(chosen[:, :, k, size]) for k in range(chosen.shape[2])])

    def recall_per_class(self, threshold: int | None = None) -> np.ndarray:
        """(K,) the highest recall of each class, as `per_class`."""
        chosen = self.recall if threshold is None else self.recall[threshold : threshold + 1]
        return np.array([_mean(chosen[:, k, 0, 2]) for k in range(chosen.shape[1])])


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
