"""The data doctor: every rule about data, run over one data set."""

import numpy as np

from pellucid.core.progress import Progress, Quiet
from pellucid.data.canvas import IGNORE
from pellucid.data.pack import Pack
from pellucid.data.prepare import Splits
from pellucid.data.source import ROLES, Source
from pellucid.doctor.copies.find import find_copies
from pellucid.doctor.copies.judge import judge_copies
from pellucid.doctor.finding import Finding
from pellucid.doctor.labels.background import judge_background
from pellucid.doctor.labels.balance import EXPECTED_MASKS, judge_balance, judge_empty, judge_missing
from pellucid.doctor.labels.noise import judge_noise
from pellucid.doctor.labels.values import judge_labels, judge_masks
from pellucid.doctor.pictures.light import judge_bright, judge_dark, judge_uniform
from pellucid.doctor.pictures.measures import measure
from pellucid.doctor.pictures.sharpness import judge_blur
from pellucid.doctor.pictures.sizes import judge_sizes
from pellucid.doctor.published import is_published
from pellucid.doctor.sides.drift import judge_drift
from pellucid.doctor.sides.groups import judge_groups
from pellucid.doctor.skipped import judge_skipped
from pellucid.doctor.things.examine_things import examine_things

# N rows of the pack, K classes


def examine(
    splits: Splits,
    source: Source,
    *,
    probabilities: np.ndarray | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Look for everything that `RULES` lists under data. A rule that finds nothing says nothing.

    Nothing depends on class labels being there: pictures with masks, or with nothing, are looked at as far as it goes.

    Args:
        splits: packed pictures, their targets, and which of them train, decide and judge.
        source: the records the pack was made from.
        probabilities: (N, K) of each row of the pack, by models that did not see it (`runs.checking.cross_validated`);
            without them labels are not doubted. Rows of NaN are left out.
        progress: told how far it is.

    Returns:
        findings, the worst first.
    """
    progress = progress or Quiet()
    pack, classes = splits.pack, splits.facts.classes
    sides: dict[str, np.ndarray] = {role: splits.split.role(role) for role in ROLES}
    labels = pack.targets.get("label")
    findings = [Finding(verdict) for verdict in judge_skipped(splits.problems)]
    findings += judge_sizes(pack.targets["original_hw"])
    measures = measure(pack, progress)
    findings += [*judge_uniform(measures), *judge_dark(measures), *judge_bright(measures), *judge_blur(measures)]
    copies, left_out = find_copies(pack, np.arange(len(pack)), progress)
    findings += judge_copies(copies, sides, splits.names, labels, classes, left_out, is_published(source))
    if source.groups is not None:
        findings += judge_groups([source.groups[row] for row in pack.rows], sides)
    findings += _examine_masks(pack, sides, classes) if "mask" in pack.targets else []
    if labels is not None:
        findings += _examine_labels(labels, sides, classes)
    elif splits.objects is not None and "box_label" in pack.targets:
        findings += examine_things(splits.objects, pack, sides, classes)
    values = {"mean": measures.mean, "contrast": measures.deviation}
    findings += judge_drift(values, labels, classes, sides)
    if probabilities is not None and labels is not None:
        usable = np.flatnonzero(np.isfinite(probabilities).all(axis=1) & (labels >= 0))
        findings += judge_noise(probabilities[usable], labels[usable], classes, usable)
    order = ("fail", "warn", "info", "pass")
    return sorted(findings, key=lambda finding: order.index(finding.verdict.status))


def _examine_labels(labels: np.ndarray, sides: dict[str, np.ndarray], classes: tuple[str, ...]) -> list[Finding]:
    wrong = judge_labels(labels, classes)
    if any(finding.verdict.status == "fail" for finding in wrong):
        return wrong
    counts = {role: _count(labels[rows], len(classes)) for role, rows in sides.items() if len(rows)}
    return [*wrong, *_examine_counts(counts, classes)]


def _examine_masks(pack: Pack, sides: dict[str, np.ndarray], classes: tuple[str, ...]) -> list[Finding]:
    histograms = _histograms(pack)
    allowed = np.zeros(256, dtype=bool)
    allowed[[*range(min(len(classes), IGNORE)), IGNORE]] = True
    wrong = judge_masks(histograms, allowed, classes)
    if any(finding.verdict.status == "fail" for finding in wrong):
        return wrong
    counts = {role: histograms[rows, : len(classes)].sum(axis=0) for role, rows in sides.items() if len(rows)}
    shown = {role: (histograms[rows, : len(classes)] > 0).sum(axis=0) for role, rows in sides.items() if len(rows)}
    return [*wrong, *_examine_counts(counts, classes, shown)]


def _examine_counts(
    counts: dict[str, np.ndarray], classes: tuple[str, ...], shown: dict[str, np.ndarray] | None = None
) -> list[Finding]:
    """Rules on how often classes occur: in pictures; or in pixels, beside the pictures (`shown`) that have any."""
    total = np.sum(list(counts.values()), axis=0) if counts else np.zeros(len(classes), np.int64)
    pixels = shown is not None
    findings = judge_balance(counts["train"], classes, pixels) if "train" in counts else []
    if shown is None:
        findings += [*judge_empty(total, classes), *judge_missing(counts, classes)]
    else:
        findings += [*judge_empty(total, classes), *judge_missing(shown, classes, EXPECTED_MASKS)]
    return [*findings, *judge_background(classes, total, pixels)]


def _count(labels: np.ndarray, n_classes: int) -> np.ndarray:
    return np.bincount(labels[(labels >= 0) & (labels < n_classes)], minlength=n_classes)


def _histograms(pack: Pack) -> np.ndarray:
    """(N, 256) int64: how often each value occurs in the part of each mask that is picture."""
    masks, valid = pack.targets["mask"], pack.targets["valid_hw"]
    counts = np.empty((len(masks), 256), dtype=np.int64)
    for row in range(len(masks)):
        height, width = valid[row]
        counts[row] = np.bincount(np.asarray(masks[row])[:height, :width].ravel(), minlength=256)
    return counts
