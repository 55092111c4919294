"""The COCO evaluation of 500,000 found boxes, side by side with pycocotools and faster-coco-eval.

    python benchmarks/detection_evaluation.py [--quick] [--rounds 3]

5,000 pictures, 100 found boxes each, 80 classes, things as large and as many as in COCO. One thread on one core; the
peers' annotations are read into their own objects before the clock starts, ours are arrays. All twelve numbers and
all precisions are compared in the same run.
"""

import argparse
import contextlib
import io
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import timing

from pellucid.metrics.detection.average_precision import average_precision
from pellucid.metrics.detection.coco import NUMBERS, CocoResult
from pellucid.metrics.detection.detections import Detections
from pellucid.metrics.detection.second_opinion import by_faster_coco_eval

OURS, OPINION, FASTER, SLOW = "pellucid", "pellucid, second opinion", "faster-coco-eval", "pycocotools"
MODULES = {FASTER: "faster_coco_eval", SLOW: "pycocotools"}  # may be absent
FLOOR, AIM = 12.0, 2.0  # times pycocotools' speed, and faster-coco-eval's
TOLERANCE = 1e-12
PICTURES, FOUND, TRUE, CLASSES = 5000, 100, 8, 80


def coco_like(n: int, seed: int = 0) -> Detections:
    """A middling detector: half of what it finds lies near a thing, the rest is strewn about with lower scores."""
    rng = np.random.default_rng(seed)
    truth = _boxes(rng, (n, TRUE))
    few = rng.integers(0, CLASSES, (n, 3))  # classes of a picture
    truth_label = np.take_along_axis(few, rng.integers(0, 3, (n, TRUE)), 1)
    truth_label[rng.random((n, TRUE)) < 0.1] = -1
    near, of = rng.random((n, FOUND)) < 0.5, rng.integers(0, TRUE, (n, FOUND))
    close = np.take_along_axis(truth, of[..., None], 1)
    side = (close[..., 2:] - close[..., :2]).mean(-1, keepdims=True)
    boxes = np.where(near[..., None], close + rng.normal(0, 0.12, close.shape) * side, _boxes(rng, (n, FOUND)))
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2] + 1)
    labels = np.where(near, np.take_along_axis(truth_label, of, 1), rng.integers(0, CLASSES, (n, FOUND)))
    scores = rng.random((n, FOUND)) * 0.6 + near * 0.3
    return Detections(boxes, scores, np.maximum(labels, 0), truth, truth_label, rng.random((n, TRUE)) < 0.02)


def _boxes(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    side = np.exp(rng.normal(4, 1, (*shape, 2))).clip(4, 400)
    corner = rng.random((*shape, 2)) * (640 - side)
    return np.concatenate([corner, corner + side], -1)


def annotations(given: Detections) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The same as COCO's files have it: the true things, and the results."""
    true, found = [], []
    for number, (i, j) in enumerate(np.argwhere(given.true).tolist(), start=1):
        about = {"id": number, "image_id": i + 1, "category_id": int(given.truth_label[i, j]) + 1}
        crowd = int(given.truth_crowd[i, j])
        area = float(given.truth_area[i, j])
        true.append({**about, "bbox": _xywh(given.truth_xyxy[i, j]), "area": area, "iscrowd": crowd})
    for i, j in np.argwhere(given.found).tolist():
        about = {"image_id": i + 1, "category_id": int(given.labels[i, j]) + 1, "score": float(given.scores[i, j])}
        found.append({**about, "bbox": _xywh(given.boxes_xyxy[i, j])})
    images = [{"id": i + 1, "height": 640, "width": 640} for i in range(len(given))]
    return {"images": images, "categories": [{"id": k + 1} for k in range(CLASSES)], "annotations": true}, found


def _xywh(box: np.ndarray) -> list[float]:
    left, top, right, bottom = box.tolist()
    return [left, top, right - left, bottom - top]


def peer(name: str, true: dict[str, Any], found: list[dict[str, Any]]) -> Callable[[], CocoResult]:
    """A peer with its annotations read; what is called is what one calls to get the twelve numbers."""
    with contextlib.redirect_stdout(io.StringIO()):
        if name == SLOW:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval as Judge

            given = COCO()
            given.dataset = true
            given.createIndex()
        else:
            from faster_coco_eval import COCO
            from faster_coco_eval import COCOeval_faster as Judge

            given = COCO(true)
        answers = given.loadRes(found)

    def judge() -> CocoResult:
        with contextlib.redirect_stdout(io.StringIO()):
            judged = Judge(given, answers, "bbox")
            judged.evaluate()
            judged.accumulate()
            judged.summarize()
        shape = (10, 101, CLASSES, 4, 3)
        precision = np.asarray(judged.eval["precision"], np.float64).reshape(shape)[..., -1]
        recall = np.asarray(judged.eval["recall"], np.float64).reshape(10, CLASSES, 4, 3)
        return CocoResult(*(np.where(each == -1, np.nan, each) for each in (precision, recall)))

    return judge


def variants(given: Detections) -> dict[str, Callable[[], CocoResult]]:
    """Those that are installed."""
    true, found = annotations(given)
    ways: dict[str, Callable[[], CocoResult]] = {OURS: lambda: average_precision(given, CLASSES)}
    if find_spec(MODULES[FASTER]):
        ways[OPINION] = lambda: by_faster_coco_eval(given, CLASSES)
    ways |= {name: peer(name, true, found) for name, module in MODULES.items() if find_spec(module)}
    return ways


def agreement(results: dict[str, CocoResult]) -> list[list[str]]:
    """How far each is from ours at most; ends the program where that is too far."""
    rows = []
    ours = results[OURS]
    for name, theirs in results.items():
        if name == OURS:
            continue
        if not same_gaps(ours, theirs):
            sys.exit(f"Numbers differ from {name}'s in which classes occur.")
        numbers = float(np.nanmax([abs(ours.numbers[each] - theirs.numbers[each]) for each in NUMBERS]))
        precision = float(np.nanmax(np.abs(ours.precision - theirs.precision)))
        if not max(numbers, precision) <= TOLERANCE:
            sys.exit(f"Numbers differ from {name}'s by {max(numbers, precision):.1e}, more than {TOLERANCE:.0e}.")
        rows.append([name, f"{numbers:.1e}", f"{precision:.1e}"])
    return rows


def same_gaps(ours: CocoResult, theirs: CocoResult) -> bool:
    """Whether both say of the same classes that they do not occur."""
    return bool(np.array_equal(np.isnan(ours.precision), np.isnan(theirs.precision)))


def speeds(times: dict[str, timing.Timed]) -> list[list[object]]:
    rows: list[list[object]] = []
    for name, time in times.items():
        factor = "" if name == OURS else f"{timing.ratio(time, times[OURS]):.1f}x"
        rows.append([name, f"{time.median():.2f}", f"{time.median('wall'):.2f}", factor])
    return rows


def verdicts(times: dict[str, timing.Timed]) -> str:
    """Whether floor and aim are reached."""
    said = []
    for name, wanted, word in ((SLOW, FLOOR, "floor"), (FASTER, AIM, "aim")):
        if name in times:
            factor = timing.ratio(times[name], times[OURS])
            reached = "reached" if factor >= wanted else "NOT reached"
            said.append(f"- {factor:.1f} times {name}'s speed ({word} {wanted:g}): {reached}")
        else:
            said.append(f"- {name} is not installed, left out")
    return "\n".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the pictures; no result file")
    asked = parser.parse_args()
    timing.use_one_core()
    n, rounds = (PICTURES // 50, 1) if asked.quick else (PICTURES, asked.rounds)
    given = coco_like(n)
    times = timing.interleave(variants(given), rounds, warmups=0 if rounds == 1 else 1)
    results = {name: time.output for name, time in times.items()}
    numbers = results[OURS].numbers
    about = (
        f"{n:,} pictures, {int(given.found.sum()):,} found and {int(given.true.sum()):,} true boxes, {CLASSES} "
        f"classes; AP {numbers['ap']:.3f}, AP50 {numbers['ap50']:.3f}. Rounds, in turn: {rounds}; seconds are their "
        "medians, ratios medians of the rounds' ratios, by processor time. The second opinion is faster-coco-eval's "
        "compiled part, fed with our arrays."
    )
    parts = [
        about,
        timing.table(["variant", "CPU s", "wall s", "ours is faster by"], speeds(times)),
        verdicts(times),
        "## Differences to ours",
        timing.table(["variant", "twelve numbers", "precision at any recall"], agreement(results)),
    ]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/detection_evaluation.py --rounds {rounds}"
        packages = ["numpy", *MODULES]
        timing.write_result("detection_evaluation", "Evaluation of detectors", command, packages, parts)


if __name__ == "__main__":
    main()
