"""The benchmark of detection's evaluation: all sides say the same, and the verdicts follow from the times."""

import detection_evaluation
import numpy as np
import pytest
import timing
from detection_evaluation import FASTER, OPINION, OURS, SLOW, agreement, coco_like, speeds, variants, verdicts

from pellucid.metrics.detection.coco import CocoResult


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def test_all_sides_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_evaluation, "CLASSES", 4)
    given = coco_like(6)
    assert given.found.sum() == 600
    results = {name: way() for name, way in variants(given).items()}
    assert set(results) == {OURS, OPINION, FASTER, SLOW}
    assert [row[0] for row in agreement(results)] == [OPINION, FASTER, SLOW]
    shifted = CocoResult(results[OURS].precision * 0.999, results[OURS].recall)
    with pytest.raises(SystemExit, match="Numbers differ from pycocotools's by"):
        agreement({OURS: results[OURS], SLOW: shifted})
    other = CocoResult(np.full_like(shifted.precision, np.nan), results[OURS].recall)
    with pytest.raises(SystemExit, match="Numbers differ"):
        agreement({OURS: results[OURS], SLOW: other})


def test_verdicts_follow_from_the_times() -> None:
    times = {OURS: timed(1.0, 2.0, 1.0), FASTER: timed(3.0, 6.0, 3.0), SLOW: timed(11.0, 22.0, 11.0)}
    said = verdicts(times).splitlines()
    assert said == [
        "- 11.0 times pycocotools's speed (floor 12): NOT reached",
        "- 3.0 times faster-coco-eval's speed (aim 2): reached",
    ]
    assert verdicts({OURS: timed(1.0)}).startswith("- pycocotools is not installed, left out")
    assert speeds(times)[2] == [SLOW, "11.00", "11.00", "11.0x"]
