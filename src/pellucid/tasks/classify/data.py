"""Data of classification: pictures with one label each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Progress
from pellucid.core.shapes import parse_size
from pellucid.data.config import AugmentConfig
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.tasks.classify.config import FITTED, ClassifyConfig
from pellucid.tasks.classify.features import is_deep, read_backbone, sees_raw_pixels


def make_data(
    cfg: ClassifyConfig,
    source: Source,
    progress: Progress | None = None,
    preprocess: Preprocess | None = None,
    whole: bool = False,
) -> Splits:
    """Batches with `image` and `label`. Accepts class folders, CSV files with labels, and arrays.

    Raises:
        DataError: the source has no labels, fewer than two classes have pictures, or one has a single picture.
    """
    if source.labels is None:
        raise DataError(f"{source.name} has no labels, so nothing can be classified. It fits --task {source.kind}.")
    if not whole:
        require_classes(source.name, source.classes, source.labels)
    augment, data = cfg.augment, cfg.data
    if cfg.model.model in FITTED:
        augment = AugmentConfig(augment=False)  # fitted to every picture once, as it is
        if preprocess is None and is_deep(cfg.classic.features):
            preprocess = read_backbone(cfg.classic.features).preprocess
            _refuse_other_pictures(cfg, preprocess)
        if sees_raw_pixels(cfg):
            data = replace(data, preprocess="none")  # so that no page says the model saw other numbers
    splits = prepare(source, data, augment, cfg.train.seed, "classify", progress, preprocess, whole)
    seen = np.flatnonzero(splits.facts.class_counts)
    if len(seen) < 2 and not whole:
        raise DataError(
            f"{source.name}: the training split shows {len(seen)} class(es); a classifier needs at least 2. "
            "Add pictures of another class."
        )
    return splits


def require_classes(where: str, classes: Sequence[str], labels: np.ndarray) -> None:
    """Refuse what no classifier can learn from.

    Raises:
        DataError: fewer than two classes, or a class with a single picture.
    """
    if len(classes) < 2:
        got = f"only one class ({classes[0]})" if classes else "no class at all"
        raise DataError(f"{where} has {got}: a classifier needs pictures of two classes or more.")
    counts = np.bincount(labels[labels >= 0], minlength=len(classes))
    single = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if single:
        verb = "classes have" if len(single) > 1 else "class has"
        raise DataError(
            f"{where}: {len(single)} {verb} a single picture ({', '.join(single[:5])}{', ...' * (len(single) > 5)}), "
            "which leaves none to check the training with: add pictures or remove the class."
        )


def _refuse_other_pictures(cfg: ClassifyConfig, preprocess: Preprocess) -> None:
    """Deep features are of pictures as their network was trained on.

    Raises:
        ConfigError: other ones were asked for.
    """
    colour = "grey" if preprocess.channels == 1 else "rgb"
    data = cfg.data
    asked = {
        "image-size": data.image_size == "auto" or parse_size(data.image_size) == preprocess.size,
        "colour": data.colour in ("auto", colour),
        "fit": data.fit in ("auto", preprocess.fit),
    }
    other = [name for name, same in asked.items() if not same]
    if other:
        size = "x".join(map(str, preprocess.size))
        raise ConfigError(
            f"--{other[0]} cannot be chosen beside --features {cfg.classic.features}: its network takes {size} px, "
            f"{colour}, {preprocess.fit}. Leave it out."
        )
