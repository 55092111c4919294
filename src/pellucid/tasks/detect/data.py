"""Data of detection: pictures with boxes, classes, and what else is known of the things in them."""

from dataclasses import replace

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.core.progress import Progress
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.models.detect import MASKS
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.model import names


def make_data(
    cfg: DetectConfig,
    source: Source,
    progress: Progress | None = None,
    preprocess: Preprocess | Numbers | None = None,
    whole: bool = False,
) -> Splits:
    """Batches with `image`, `boxes_xyxy`, `box_label`, `is_crowd`, `box_area`, and `keypoints` where things have some;
    see `data.pack.things`. Networks that learn outlines get `instance_mask` too.

    Raises:
        DataError: the source does not say what things are where.
    """
    if source.objects is None:
        raise DataError(
            f"{source.name} does not say where its things are, so nothing can be detected. It fits "
            f"--task {source.kind}."
        )
    things = replace(source, labels=None, masks=None)
    outlines = names(cfg)[0] in MASKS
    return prepare(things, cfg.data, cfg.augment, cfg.train.seed, "detect", progress, preprocess, whole, outlines)
