"""Each planted fault raises its rule and no other; healthy sets raise nothing."""

import numpy as np
import pytest
from doctored import findings, known_scenes, made, mini, scenes
from PIL import Image

from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.source import Problem, Source
from pellucid.doctor.finding import Finding
from pellucid.doctor.labels.background import judge_background
from pellucid.doctor.labels.balance import judge_missing
from pellucid.doctor.labels.values import judge_labels, judge_masks
from pellucid.doctor.pictures.sizes import judge_sizes
from pellucid.doctor.rules import RULES
from pellucid.doctor.sheet import sheet
from pellucid.doctor.sides.drift import judge_drift


@pytest.mark.parametrize("name", ["digits", "fashion-mnist-mini"])
def test_healthy_sets_raise_nothing(name: str) -> None:
    assert findings(load(name)) == {}


def test_healthy_masks_raise_nothing() -> None:
    assert findings(known_scenes().take(np.arange(1_900, 2_150))) == {}


def test_single_odd_pictures() -> None:
    pictures = scenes(100).copy()
    rng = np.random.default_rng(0)
    pictures[3] = rng.integers(0, 25, pictures[3].shape)
    pictures[5] = rng.integers(232, 256, pictures[5].shape)
    pictures[8] = 90
    small = Image.fromarray(pictures[11]).resize((6, 6), Image.Resampling.BOX)
    pictures[11] = np.asarray(small.resize((64, 64), Image.Resampling.BICUBIC))
    found = findings(made(pictures))
    rows = {rule: finding.rows for rule, finding in found.items()}
    assert rows == {"dark-pictures": (3,), "bright-pictures": (5,), "uniform-pictures": (8,), "blurred-pictures": (11,)}
    assert set(found) <= set(RULES)


def test_a_dark_set_is_no_alarm() -> None:
    assert findings(made((scenes(100) // 9).astype(np.uint8))) == {}


def test_sizes() -> None:
    usual = np.tile([[480, 640]], (60, 1))
    assert judge_sizes(usual) == []
    usual[::2] = 640, 480  # upright and lying
    assert judge_sizes(usual) == []
    usual[[7, 9]] = (40, 40), (100, 2_000)
    (found,) = judge_sizes(usual)
    assert (found.verdict.rule, found.verdict.status, set(found.rows)) == ("odd-sizes", "warn", {7, 9})


def test_classes() -> None:
    source = mini(400)
    assert source.labels is not None
    source.labels = np.where(np.arange(400) >= 357, 3, 0)
    source.labels[:10] = 1
    source.classes = ("many", "few", "none", "some")
    found = findings(source)
    assert set(found) == {"class-imbalance", "empty-class"}
    assert "many has 277 pictures" in found["class-imbalance"].verdict.evidence
    assert "--balance" in found["class-imbalance"].verdict.cure
    assert "none" in found["empty-class"].verdict.evidence


def test_a_class_missing_from_a_split() -> None:
    classes, half = ("a", "b"), np.array([40, 40])
    assert judge_missing({"train": half, "val": half}, classes) == []
    (val,) = judge_missing({"train": half, "val": np.array([10, 0])}, classes)
    assert (val.verdict.rule, val.verdict.status) == ("class-missing-from-split", "warn")
    (train,) = judge_missing({"train": np.array([40, 0]), "val": half}, classes)
    assert train.verdict.status == "fail"
    (rare,) = judge_missing({"train": np.array([400, 2]), "val": np.array([10, 0])}, classes)
    assert rare.verdict.status == "info"  # a tenth of a picture would be expected


def test_numbers_that_are_no_class() -> None:
    assert judge_labels(np.array([0, 1, -1]), ("a", "b")) == []
    (wrong,) = judge_labels(np.array([1, 2, 1]), ("a", "b"))
    assert (wrong.verdict.rule, wrong.verdict.status, wrong.rows) == ("labels-out-of-range", "fail", (1,))
    allowed = np.zeros(256, bool)
    allowed[[0, 1, 255]] = True
    counts = np.zeros((3, 256), int)
    counts[0, 0], counts[1, 255], counts[2, [0, 7]] = 9, 9, 4
    found = {finding.verdict.rule: finding.rows for finding in judge_masks(counts, allowed, ("a", "b"))}
    assert found == {"labels-out-of-range": (2,), "empty-masks": (1,)}


def test_background() -> None:
    counts = np.array([5, 5, 5])
    assert judge_background(("background", "cat", "dog"), counts, pixels=True) == []
    assert judge_background(("bird", "cat", "dog"), counts, pixels=False) == []
    for classes, pixels in (
        (("background", "cat", "dog"), False),
        (("cat", "dog", "__background__"), False),
        (("background", "cat", "void"), True),
    ):
        (found,) = judge_background(classes, counts, pixels)
        assert (found.verdict.rule, found.verdict.status) == ("background-class", "warn")


def test_drift_needs_a_large_difference_beyond_chance() -> None:
    rng = np.random.default_rng(0)

    def judged(shift: float, n: int) -> list[Finding]:
        values = rng.normal(100, 20, (2 * n, 1))
        values[n:] += shift
        sides = {"train": np.arange(n), "val": np.arange(n, 2 * n)}
        return judge_drift({"mean": values}, None, (), sides)

    assert judged(0, 20_000) == []
    assert judged(1, 20_000) == []  # p is far below any threshold, the difference is a twentieth of the spread
    assert judged(10, 30) == []  # half the spread, but of thirty
    (found,) = judged(20, 300)
    assert (found.verdict.rule, found.verdict.status) == ("drift", "warn")
    assert "mean of grey" in found.verdict.evidence


def test_drift_of_pictures_and_of_proportions() -> None:
    source = mini(1_000)
    images = np.asarray(source.images).copy()
    roles = np.array(["train", "val"])[np.random.default_rng(0).integers(0, 2, 1_000)]
    images[roles == "val"] = (images[roles == "val"] * 0.6).astype(np.uint8)
    assert set(findings(made(images, source.labels, roles))) == {"drift"}
    assert source.labels is not None
    turn = np.arange(1_000) % 10
    roles = np.where(np.where(source.labels < 5, turn < 8, turn < 3), "train", "val")
    found = findings(made(np.asarray(source.images), source.labels, roles))
    assert "shares of the classes" in "".join(found["drift"].notes)


def test_left_out_files_are_reported() -> None:
    source = mini(200)
    source.problems = [Problem("a.jpg", "damaged", "cut short"), Problem("b.jpg", "two-labels", "cat and dog")]
    assert set(findings(source)) == {"unreadable-files", "skipped-records"}


def test_sheet_shows_rows_or_pairs() -> None:
    source = Source("two", scenes(4), list("abcd"), ("x", "y"), labels=np.array([0, 1, 0, 1]))
    from doctored import prepared

    pack = prepared(source).pack
    said = Verdict("duplicates", "warn", "two")
    assert sheet(Finding(said), pack) is None
    pair = sheet(Finding(said, pairs=((0, 2),), notes=("equal",)), pack)
    rows = sheet(Finding(said, rows=(0, 1, 2), notes=("dark",) * 3), pack, columns=3)
    assert pair is not None and rows is not None
    assert rows.width > pair.width
