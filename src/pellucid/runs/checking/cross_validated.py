"""What models say of pictures they never saw: the probabilities that doubts about labels are made from."""

import numpy as np
import torch
from torch.nn import functional as F

from pellucid.classic.features.hog import hog
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.core.progress import Progress, Quiet
from pellucid.data.prepare import Splits
from pellucid.data.splits import k_fold, subset

# N rows of the pack, D numbers of a picture, K classes

FOLDS = 5
MOST = 6_000  # pictures that are looked at; of larger sets, as many in the same proportions
SIDE = 16  # pixels a side of the small picture; its HOG features are of twice that
CELL = 8
PENALTY = 15.0  # of the weights, divided by the number of pictures: features are many and pictures may be few
BLOCK = 256


def cross_validated(splits: Splits, seed: int = 0, progress: Progress | None = None) -> np.ndarray | None:
    """(N, K) probabilities of each picture by a softmax regression that was not fitted to it.

    Five folds, over small pictures and histograms of gradients: a matter of seconds, on any pictures. It need not be
    good, only better than chance: confident learning takes into account how sure it usually is.

    Returns:
        NaN in rows without a label, of classes with fewer pictures than folds, or beyond the first `MOST`; None where
        pictures have no labels, or nothing can be divided.
    """
    labels = splits.pack.targets.get("label")
    if labels is None:
        return None
    counts = np.bincount(labels[labels >= 0], minlength=len(splits.facts.classes))
    rows = np.flatnonzero((labels >= 0) & (counts[labels] >= FOLDS))
    if len(rows) > MOST:
        rows = subset(rows, MOST / len(rows), labels, seed)
    there = np.unique(labels[rows])
    if len(there) < 2:
        return None
    samples = features(splits, rows)
    found = np.full((len(labels), len(counts)), np.nan)
    with (progress or Quiet()).bar("Trying labels", FOLDS) as advance:
        for done, (train, val) in enumerate(k_fold(len(rows), FOLDS, seed, labels[rows]), start=1):
            mean, spread = samples[train].mean(axis=0), samples[train].std(axis=0) + 1e-3
            model = SoftmaxRegression(reg=PENALTY / len(train), tol=1e-3, max_iter=200)
            model.fit((samples[train] - mean) / spread, labels[rows[train]])
            found[rows[val]] = 0.0
            found[np.ix_(rows[val], model.classes_)] = model.predict_proba((samples[val] - mean) / spread)
            advance(done)
    return found


def features(splits: Splits, rows: np.ndarray) -> np.ndarray:
    """(len(rows), D) float32: the picture at 16 x 16 pixels, and its histograms of gradients at 32 x 32."""
    parts = []
    for start in range(0, len(rows), BLOCK):
        block = np.asarray(splits.pack.images)[rows[start : start + BLOCK]]
        pictures = torch.from_numpy(block).permute(0, 3, 1, 2).float() / 255
        small, larger = (
            F.interpolate(pictures, (side, side), mode="bilinear", antialias=True).clamp(0, 1)
            for side in (SIDE, 2 * SIDE)
        )
        parts.append(torch.cat([small.flatten(1), torch.as_tensor(hog(larger, cell=CELL)).flatten(1)], 1))
    return torch.cat(parts).float().numpy()
