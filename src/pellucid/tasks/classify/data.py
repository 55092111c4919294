"""Data of classification: pictures with one label each."""

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Progress
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.tasks.classify.config import ClassifyConfig


def make_data(
    cfg: ClassifyConfig,
    source: Source,
    progress: Progress | None = None,
    preprocess: Preprocess | None = None,
    whole: bool = False,
) -> Splits:
    """Batches with `image` and `label`. Accepts class folders, CSV files with labels, and arrays.

    Raises:
        DataError: the source has no labels, or fewer than two classes have pictures.
    """
    if source.labels is None:
        raise DataError(f"{source.name} has no labels, so nothing can be classified. It fits --task {source.kind}.")
    splits = prepare(source, cfg.data, cfg.augment, cfg.train.seed, "classify", progress, preprocess, whole)
    seen = np.flatnonzero(splits.facts.class_counts)
    if len(seen) < 2 and not whole:
        raise DataError(
            f"{source.name}: the training split shows {len(seen)} class(es); a classifier needs at least 2. "
            "Add pictures of another class."
        )
    return splits
