"""Train every detector of the course on the same frozen scenes, and write docs/detection-accuracy.md.

make detection-table                               # goes on where it was stopped; hours of one core for all of it
python tools/measure_detection.py --only yolo      # one row
python tools/measure_detection.py --page           # the page from what is there

Every row is a run of `pellucid train` in runs/detection, resumed where it was stopped. The seconds are those of
training and validation, and of the classifier that a backbone was taken from. Speed is that of `Run.predict`, one
picture at a time and one thread, measured once when a row is done.
"""

import json
import os
import statistics
import time
from functools import cache
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

ROWS: dict[str, Row] = {
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
        {"model": "mask_rcnn", "epochs": 60, "batch": 4, "vflip": 0.5},
        least=0.5,
        seconds=BUDGET,
        data=f"nuclei:{NUCLEI}",
        metric="mask_ap50",
    ),
}
TABLE = Table(CACHE, ROWS, COMMON, SCENES, "ap50")


@cache
def numbers(name: str) -> dict[str, float]:
    """The summary of the test split as it was opened, and milliseconds a picture, from a file once they are known."""
    import torch
    from safetensors.torch import load_file

    import pellucid
    from pellucid.data.load import load

    place = CACHE / name / "table.json"
    if place.exists():
        found: dict[str, float] = json.loads(place.read_text(encoding="utf-8"))
        return found
    torch.set_num_threads(1)
    run = pellucid.Run(CACHE / name)
    summary = run.trained.task.summarise(load_file(CACHE / name / "test.safetensors"), run.facts)
    source = load(ROWS[name].data or SCENES)
    pictures = [np.asarray(source.images[row]) for row in np.flatnonzero(np.asarray(source.roles) == "test")[:TIMED]]
    taken = []
    for picture in pictures:
        start = time.perf_counter()
        run.predict([picture])
        taken.append(time.perf_counter() - start)
    found = {key: value for key, value in summary.items() if isinstance(value, float) and value == value}
    found["ms"] = 1000 * statistics.median(taken)
    place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def line(name: str) -> str:
    """A row of the table."""
    metric, value = ROWS[name].metric or TABLE.metric, TABLE.value(name)
    asked, met = TABLE.verdict(name, value)
    minutes = TABLE.seconds(name) / 60
    if metric == "accuracy":
        return f"| {name} | {TABLE.settings(name)} | accuracy {value:.4f} | | | {minutes:.1f} | | | |"
    found = numbers(name)
    masks = f"{found['mask_ap50']:.3f}" if "mask_ap50" in found else ""
    cells = [name, TABLE.settings(name), f"{found['ap']:.3f}", f"{found['ap50']:.3f}", masks]
    return "| " + " | ".join([*cells, f"{minutes:.1f}", f"{found['ms']:.1f}", asked, met]) + " |"


def page() -> str:
    """The table as far as it goes."""
    from pellucid.data.load import load

    digests = {spec: load(spec).card.digest for spec in (SCENES, FEWER)}
    about = (
        f"Scenes: `{SCENES}`, content {digests[SCENES]}; where every region costs a look of its own, `{FEWER}`, "
        f"content {digests[FEWER]}: the test split is the same. All rows: {TABLE.shared()}. The best epoch is picked "
        "on the validation split, the test split is opened once. Minutes are CPU minutes of training and validation on "
        "one thread, those of the classifier counted in where its weights are used; ms are those of a picture, one at "
        "a time, from pixels to boxes."
    )
    rows = [
        "| run | settings | AP | AP50 | mask AP50 | minutes | ms | asked | met |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |",
        *map(line, TABLE.done()),
    ]
    return TABLE.page("What the detectors reach", "make detection-table", rows, about)


if __name__ == "__main__":
    TABLE.serve(__doc__, PAGE, page)
