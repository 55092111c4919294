"""Every rule about things, run over the annotations of a data set. Letters: N rows of the pack, T things, K classes."""

from collections.abc import Sequence

import numpy as np

from pellucid.data.objects import Objects
from pellucid.data.pack import Pack
from pellucid.doctor.finding import Finding
from pellucid.doctor.labels.balance import EXPECTED_MASKS, judge_balance, judge_empty, judge_missing
from pellucid.doctor.things.counts import judge_named_background, judge_nothing
from pellucid.doctor.things.listed import list_things
from pellucid.doctor.things.places import judge_places
from pellucid.doctor.things.sizes import judge_tiny, judge_twice


def examine_things(
    objects: Sequence[Objects], pack: Pack, sides: dict[str, np.ndarray], classes: tuple[str, ...]
) -> list[Finding]:
    """What is to be said of boxes and their classes.

    Args:
        objects: N times the things in a picture, in pixels of its file.
        pack: the pictures.
        sides: split -> rows of its pictures.
    """
    things = list_things(objects, np.asarray(pack.targets["original_hw"]))
    scale = 1 / np.asarray(pack.targets["canvas_affine"])[:, [0, 1], [0, 1]]  # (N, 2), canvas pixels a file pixel
    findings = [*judge_places(things, pack.names), *judge_nothing(things, sides)]
    if not any(finding.verdict.rule == "boxes-normalised" for finding in findings):  # then sizes mean nothing
        findings += [*judge_tiny(things, scale, pack.names), *judge_twice(things, pack.names)]
    there = {role: np.isin(things.rows, rows) for role, rows in sides.items() if len(rows)}
    counts = {role: _count(things.labels[inside], len(classes)) for role, inside in there.items()}
    shown = {role: _pictures(things.rows[inside], things.labels[inside], classes) for role, inside in there.items()}
    total = np.sum(list(counts.values()), axis=0) if counts else np.zeros(len(classes), np.int64)
    findings += judge_balance(counts["train"], classes, things=True) if "train" in counts else []
    findings += [*judge_empty(total, classes), *judge_missing(shown, classes, EXPECTED_MASKS)]
    return [*findings, *judge_named_background(classes, total)]


def _pictures(rows: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """(K,) how many pictures show a thing of each class."""
    return _count(np.unique(np.stack([rows, labels], axis=1), axis=0)[:, 1], len(classes))


def _count(labels: np.ndarray, n_classes: int) -> np.ndarray:
    return np.bincount(labels, minlength=n_classes)
