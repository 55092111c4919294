"""Train every detector of the course on the same frozen scenes, and write docs/detection-accuracy.md.

make detection-table                               # goes on where it was stopped; hours of one core for all of it
python tools/measure_detection.py --only yolo      # one row
python tools/measure_detection.py --page           # the page from what is there

Every row is a run of `pellucid train` in runs/detection, resumed where it was stopped. The seconds are those of
training and validation, and of the classifier that a backbone was taken from. Speed is that of `Run.predict`, one
picture at a time and one thread, measured once when a row is done. Beside the table stands what the notes claim of
detectors, measured: which is slower and which better, and what size, backbone and number of proposals do.
"""

import json
import os
import statistics
import time
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rows_of_runs import ROOT, Row, Table

PAGE = ROOT / "docs" / "detection-accuracy.md"
CACHE = ROOT / "runs" / "detection"
SCENES = "scenes:size=128,difficulty=medium,train=24000,val=250,test=500,seed=0,for=detect"
FEWER = "scenes:size=128,difficulty=medium,train=3000,val=250,test=500,seed=0,for=detect"  # where regions cost minutes
THINGS = "scenes:size=64,difficulty=medium,train=24000,val=500,test=500,seed=1,for=classify"
NUCLEI = os.environ.get("NUCLEI_WHEEL", "")  # the wheel of stardist 0.9.2; see `data/known/nuclei.py`
BUDGET = 2400.0  # CPU seconds
TIMED = 30  # pictures
EVEN = 0.01  # AP that these pictures do not tell apart
SIDES = (64, 96, 128, 192)  # px
PROPOSALS = (3, 10, 30, 100, 300)

COMMON: dict[str, Any] = {
    "batch": 16,
    "optimiser": "adamw",
    "lr": 2e-3,
    "weight_decay": 0.01,
    "schedule": "one-cycle",
    "flip": 0.5,
    "jitter": 0.1,
    "threads": 1,
    "allow_leaks": True,
}
# What is fitted in one go has no steps.
FITTED: dict[str, Any] = dict.fromkeys(("optimiser", "lr", "weight_decay", "schedule", "flip", "jitter"))

LADDER: dict[str, Row] = {
    "sliding_window": Row({"model": "sliding_window", "epochs": 8}, data=FEWER),
    "classifier": Row(
        {"model": "convnet", "epochs": 12, "batch": 64, "lr": 4e-3, "shift": 0.1}, data=THINGS, metric="accuracy"
    ),
    "rcnn": Row({"model": "rcnn", **FITTED}, data=FEWER, encoder="classifier"),
    "fast_rcnn": Row({"model": "fast_rcnn", "epochs": 24}, data=FEWER),
    "faster_rcnn": Row({"model": "faster_rcnn", "epochs": 4}, least=0.75, seconds=BUDGET),
    "rfcn": Row({"model": "rfcn", "epochs": 6}),
    "yolo_grid": Row({"model": "yolo_grid", "epochs": 8}),
    "yolo": Row({"model": "yolo", "epochs": 8, "lr": 4e-3}, least=0.75, seconds=BUDGET),
    "ssd": Row({"model": "ssd", "epochs": 8}, least=0.75, seconds=BUDGET),
    "retinanet": Row({"model": "retinanet", "epochs": 5}, least=0.75, seconds=BUDGET),
    "mask_rcnn": Row({"model": "mask_rcnn", "epochs": 3}, least=0.65, seconds=BUDGET, metric="mask_ap50"),
    "nuclei": Row(
        {"task": "detect", "model": "mask_rcnn", "epochs": 60, "batch": 4, "vflip": 0.5},
        least=0.5,
        seconds=BUDGET,
        data=f"nuclei:{NUCLEI}",
        metric="mask_ap50",
    ),
}
# One epoch, every picture seen once: of the picture's size and of the backbone.
ONCE: dict[str, Row] = {
    **{f"yolo_{side}px": Row({"model": "yolo", "epochs": 1, "lr": 4e-3, "image_size": side}) for side in SIDES},
    "yolo_resnet18": Row({"model": "yolo", "epochs": 1, "lr": 4e-3, "backbone": "resnet18"}),
}
ROWS = LADDER | ONCE
TABLE = Table(CACHE, ROWS, COMMON, SCENES, "ap50")


@cache
def numbers(name: str) -> dict[str, float]:
    """The summary of the test split as it was opened, and milliseconds a picture, from a file once they are known."""
    from safetensors.torch import load_file

    import pellucid

    place = CACHE / name / "table.json"
    if place.exists():
        return read(place)
    run = pellucid.Run(CACHE / name)
    found = run.trained.task.summarise(load_file(CACHE / name / "test.safetensors"), run.facts)
    return keep(place, found | {"ms": milliseconds(run, ROWS[name].data or SCENES)})


@cache
def with_proposals(n: int) -> dict[str, float]:
    """Of the trained Faster R-CNN whose second stage looks at n regions: the validation split, and milliseconds."""
    import pellucid
    from pellucid.models.detect.faster_rcnn import proposing

    place = CACHE / "faster_rcnn" / f"proposals_{n}.json"
    if place.exists():
        return read(place)
    run = pellucid.Run(CACHE / "faster_rcnn")
    detector: Any = run.trained.model.net
    detector.rpn.settings = proposing(n)
    found = run.evaluate(split="val", progress="quiet")
    return keep(place, found | {"ms": milliseconds(run, SCENES)})


def milliseconds(run: Any, spec: str) -> float:
    """The median time of a picture of the test split, one at a time, from pixels to boxes."""
    import torch

    from pellucid.data.load import load

    torch.set_num_threads(1)
    source = load(spec)
    taken = []
    for row in np.flatnonzero(np.asarray(source.roles) == "test")[:TIMED]:
        picture = np.asarray(source.images[row])
        start = time.process_time()
        run.predict([picture])
        taken.append(time.process_time() - start)
    return 1000 * statistics.median(taken)


def read(place: Path) -> dict[str, float]:
    """Numbers that were kept."""
    found: dict[str, float] = json.loads(place.read_text(encoding="utf-8"))
    return found


def keep(place: Path, found: dict[str, Any]) -> dict[str, float]:
    """The numbers of a summary, written down."""
    kept = {key: value for key, value in found.items() if isinstance(value, float) and value == value}
    place.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return kept


def line(name: str) -> str:
    """A row of the table."""
    metric, minutes = ROWS[name].metric or TABLE.metric, TABLE.seconds(name) / 60
    if metric == "accuracy":
        return f"| {name} | {TABLE.settings(name)} | accuracy {TABLE.value(name):.4f} | | | {minutes:.1f} | | | |"
    found = numbers(name)
    asked, met = TABLE.verdict(name, found[metric])
    masks = f"{found['mask_ap50']:.3f}" if "mask_ap50" in found else ""
    cells = [name, TABLE.settings(name), f"{found['ap']:.3f}", f"{found['ap50']:.3f}", masks]
    return "| " + " | ".join([*cells, f"{minutes:.1f}", f"{found['ms']:.1f}", asked, met]) + " |"


def claims() -> list[str]:
    """What the notes say of detectors, each with our numbers and whether they agree."""
    done = set(TABLE.done())

    def compared(claim: str, one: str, other: str, *, slower: bool | None = None, better: bool | None = None) -> str:
        """A row: what is claimed of `one` beside `other`."""
        if not {one, other} <= done:
            return f"| {claim} | not run yet | |"
        a, b = numbers(one), numbers(other)
        even = better is not None and abs(a["ap"] - b["ap"]) < EVEN
        agrees = (slower is None or slower == (a["ms"] > b["ms"])) and (better is None or better == (a["ap"] > b["ap"]))
        told = f"{one} {a['ap']:.3f} AP in {a['ms']:.1f} ms, {other} {b['ap']:.3f} in {b['ms']:.1f}"
        verdict = "**as good**" if even else "yes" if agrees else "**no**"
        return f"| {claim} | {told} | {verdict} |"

    return [
        "## What the notes claim",
        "",
        "| claim | measured | agrees |",
        "| --- | --- | --- |",
        compared("Fast R-CNN is faster than R-CNN", "fast_rcnn", "rcnn", slower=False),
        compared("Faster R-CNN is faster than Fast R-CNN", "faster_rcnn", "fast_rcnn", slower=False),
        compared("Faster R-CNN is slower and better than SSD", "faster_rcnn", "ssd", slower=True, better=True),
        compared("and than YOLO in its first form", "faster_rcnn", "yolo_grid", slower=True, better=True),
        compared("and than YOLO in its modern form", "faster_rcnn", "yolo", slower=True, better=True),
        compared("and than RetinaNet", "faster_rcnn", "retinanet", slower=True, better=True),
        compared("SSD is faster and not as good as R-FCN", "ssd", "rfcn", slower=False, better=False),
        compared("A bigger backbone helps, and costs", "yolo_resnet18", "yolo_128px", slower=True, better=True),
        *(
            compared(
                f"Larger pictures help, and cost: {more} px",
                f"yolo_{more}px",
                f"yolo_{less}px",
                slower=True,
                better=True,
            )
            for less, more in pairwise(SIDES)
        ),
        "",
        *proposals(done),
    ]


def proposals(done: set[str]) -> list[str]:
    """How many regions the second stage of Faster R-CNN looks at."""
    if "faster_rcnn" not in done:
        return []
    found = {n: with_proposals(n) for n in PROPOSALS}
    return [
        "## Number of proposals",
        "",
        "The trained `faster_rcnn` on the validation split, its second stage looking at so many regions of a picture:",
        "",
        "| proposals | AP | AP50 | ms |",
        "| ---: | ---: | ---: | ---: |",
        *(f"| {n} | {each['ap']:.3f} | {each['ap50']:.3f} | {each['ms']:.1f} |" for n, each in found.items()),
        "",
    ]


def page() -> str:
    """The tables as far as they go."""
    from pellucid.data.load import load

    digests = {spec: load(spec).card.digest for spec in (SCENES, FEWER)}
    about = (
        f"Scenes: `{SCENES}`, content {digests[SCENES]}; where every region costs a look of its own, `{FEWER}`, "
        f"content {digests[FEWER]}: the test split is the same. All rows: {TABLE.shared()}. The best epoch is picked "
        "on the validation split, the test split is opened once. Minutes are CPU minutes of training and validation on "
        "one thread, those of the classifier counted in where its weights are used; ms are CPU milliseconds of a "
        "picture, one at a time, from pixels to boxes."
    )
    done = TABLE.done()
    head = [
        "| run | settings | AP | AP50 | mask AP50 | minutes | ms | asked | met |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    ladder = [*head, *(line(name) for name in done if name in LADDER)]
    once = ["", "Every picture seen once:", "", *head, *(line(name) for name in done if name in ONCE)]
    made = TABLE.page("What the detectors reach", "make detection-table", [*ladder, *once], about)
    return made + "\n" + "\n".join(claims())


if __name__ == "__main__":
    TABLE.serve(__doc__, PAGE, page)
