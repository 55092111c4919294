"""Data of semantic segmentation: pictures with a mask of class ids."""

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.core.progress import Progress
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.tasks.segment.config import SegmentConfig


def make_data(
    cfg: SegmentConfig,
    source: Source,
    progress: Progress | None = None,
    preprocess: Preprocess | Numbers | None = None,
    whole: bool = False,
) -> Splits:
    """Batches with `image` and `mask` (255 = ignore). Accepts mask folders, CSV files with masks, and arrays.

    Raises:
        DataError: the source has no masks, or fewer than two classes.
    """
    if source.masks is None:
        raise DataError(f"{source.name} has no masks, so nothing can be segmented. It fits --task {source.kind}.")
    if len(source.classes) < 2:
        raise DataError(f"{source.name}: masks show {len(source.classes)} class; a segmenter needs at least 2.")
    return prepare(source, cfg.data, cfg.augment, cfg.train.seed, "segment", progress, preprocess, whole)
