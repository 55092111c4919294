"""Data of detection: pictures with boxes, classes, and what else is known of the things in them."""

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Numbers, Preprocess
from pellucid.core.progress import Progress, Quiet
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.models.detect import ALWAYS_KEYPOINTS, MASKS, PROPOSED
from pellucid.tasks.detect.config import DetectConfig, usual_augment
from pellucid.tasks.detect.model import names
from pellucid.tasks.detect.proposals import packed_proposals


def make_data(
    cfg: DetectConfig,
    source: Source,
    progress: Progress | None = None,
    preprocess: Preprocess | Numbers | None = None,
    whole: bool = False,
) -> Splits:
    """Batches with `image`, `boxes_xyxy`, `box_label`, `is_crowd`, `box_area`, and `keypoints` where things have some;
    see `data.pack.things`. Networks that learn outlines get `instance_mask` too,
    those that judge proposals `proposals_xyxy`. Pictures without things are welcome.

    Raises:
        DataError: the source does not say what things are where, none is to be trained on, or they lack what the
            network learns.
    """
    if source.objects is None:
        raise DataError(
            f"{source.name} does not say where its things are, so nothing can be detected. It fits "
            f"--task {source.kind}."
        )
    name, _ = names(cfg)
    things, augment = source.things_alone(), usual_augment(cfg.augment)
    seed, outlines = cfg.train.seed, name in MASKS
    splits = prepare(things, cfg.data, augment, seed, "detect", progress, preprocess, whole, outlines)
    if not whole:
        _require_things(name, splits)
    if name in PROPOSED:
        splits.pack.targets["proposals_xyxy"] = packed_proposals(splits.pack, progress or Quiet())
    return splits


def _require_things(name: str, splits: Splits) -> None:
    """Refuse what the network cannot learn from.

    Raises:
        DataError: there are no things in the training split, or they have no outlines or keypoints and should.
    """
    facts, objects = splits.facts, splits.objects or ()
    said = sum(int((~objects[row].is_crowd).sum()) for row in splits.split.train) if not any(facts.class_counts) else 0
    if said:
        raise DataError(
            f"{facts.source}: all {said:,} boxes of its training pictures lie outside of them. Check that x comes "
            "before y, that numbers are pixels from the left upper corner, and that these are the pictures that were "
            "annotated."
        )
    if facts.n_train and not any(facts.class_counts):
        raise DataError(
            f"{facts.source}: none of the {facts.n_train:,} training pictures has a thing in it, so there is nothing "
            "to learn. Check that annotations and pictures have the same names, or add pictures with things."
        )
    lacks = {
        "outlines": name in MASKS and not facts.has_outlines,
        "keypoints": name in ALWAYS_KEYPOINTS and not facts.n_keypoints,
    }
    for what in (what for what, missing in lacks.items() if missing):
        raise DataError(
            f"{name} learns {what}, and not all things of {facts.source} have some. Take another --model, such as "
            "faster_rcnn, or data with them."
        )
