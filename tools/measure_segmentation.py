"""Train segmenters on frozen scenes and on real nuclei, and write docs/segmentation-accuracy.md.

make segmentation-table                              # goes on where it was stopped; hours of one core for all of it
python tools/measure_segmentation.py --only unet     # one row
python tools/measure_segmentation.py --page          # the page from what is there

Every row is a run of `pellucid train` in runs/segmentation, resumed where it was stopped. The seconds are those of
training and validation, and of the classifier that an encoder was taken from.
"""

import os
from functools import cache
from typing import Any

import numpy as np
from rows_of_runs import ROOT, Row, Table

PAGE = ROOT / "docs" / "segmentation-accuracy.md"
CACHE = ROOT / "runs" / "segmentation"
SCENES = "scenes:size=128,difficulty=medium,train=12000,val=250,test=500,seed=0"
MORE = "scenes:size=128,difficulty=medium,train=34000,val=250,test=500,seed=0"  # the same scenes, and later ones
THINGS = "scenes:size=72,difficulty=medium,train=24000,val=500,test=500,seed=1,for=classify"
NUCLEI = os.environ.get("NUCLEI_WHEEL", "")  # the wheel of stardist 0.9.2; see `data/known/nuclei.py`
BINS = 16  # a colour channel is cut into so many parts for the baseline

# Most of a scene is background, and a net that does not know the things yet does best by calling all of it so.
WEIGHTS = (0.4,) + (1.0,) * 10

COMMON: dict[str, Any] = {
    "batch": 16,
    "optimiser": "adamw",
    "lr": 4e-3,
    "weight_decay": 0.01,
    "schedule": "one-cycle",
    "flip": 0.5,
    "shift": 0.0,
    "jitter": 0.1,
    "threads": 1,
    "allow_leaks": True,
}


ROWS: dict[str, Row] = {
    "unet": Row({"model": "unet", "epochs": 6, "class_weights": WEIGHTS}, least=0.58, seconds=1200.0),
    "fcn8s": Row(
        {"model": "fcn8s", "backbone": "convnet", "epochs": 16, "class_weights": WEIGHTS}, least=0.58, seconds=1200.0
    ),
    "classifier": Row({"model": "convnet", "epochs": 16, "batch": 64, "shift": 0.1}, data=THINGS, metric="accuracy"),
    "unet_pretrained": Row(
        {"model": "unet", "backbone": "convnet", "epochs": 4, "lr": 3e-3, "jitter": 0.2, "class_weights": WEIGHTS},
        least=0.68,
        seconds=3600.0,
        data=MORE,
        encoder="classifier",
    ),
    "nuclei": Row(
        {"model": "unet", "epochs": 30, "batch": 8, "lr": 3e-3, "vflip": 0.5, "rotate": 30.0},
        least=0.85,
        seconds=1200.0,
        data=f"nuclei:{NUCLEI}",
        metric="dice",
    ),
}


TABLE = Table(CACHE, ROWS, COMMON, SCENES, "miou")


def worst_dice(name: str) -> float:
    """The lowest Dice of a class on the test split; the mean over classes hides it where background is one."""
    from safetensors.numpy import load_file

    matrix = load_file(CACHE / name / "test.safetensors")["confusion"].sum(0)  # (K, K)
    return float((2 * np.diag(matrix) / (matrix.sum(0) + matrix.sum(1))).min())


@cache
def by_colour() -> tuple[str, float]:
    """Digest of the scenes, and the mean IoU of the most likely class of every colour, told by the training pixels."""
    import torch

    from pellucid.data.load import load
    from pellucid.metrics.segmentation import confusion, mean_iou

    source = load(SCENES)
    images, masks = np.asarray(source.images), np.asarray(source.masks)
    roles = np.asarray(source.roles)
    n_classes = len(source.classes)
    counts = np.zeros(BINS**3 * n_classes, dtype=np.int64)
    for rows in np.array_split(np.flatnonzero(roles == "train"), 64):
        counts += np.bincount((cells(images[rows]) * n_classes + masks[rows]).ravel(), minlength=len(counts))
    table = counts.reshape(-1, n_classes)
    likely = (table / np.maximum(table.sum(0), 1)).argmax(1)  # classes counted alike, else all would be background
    test = np.flatnonzero(roles == "test")
    called = torch.from_numpy(likely[cells(images[test])])
    matrix = confusion(called, torch.from_numpy(masks[test].astype(np.int64)), n_classes).sum(0)
    both = [mean_iou(matrix)]
    called = torch.from_numpy(table.argmax(1)[cells(images[test])])
    both.append(mean_iou(confusion(called, torch.from_numpy(masks[test].astype(np.int64)), n_classes).sum(0)))
    return source.card.digest, max(both)


def cells(images: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, H, W) int64: which of the BINS^3 parts of the colours each pixel lies in."""
    parts = images.astype(np.int64) * BINS // 256
    return parts[..., 0] * BINS**2 + parts[..., 1] * BINS + parts[..., 2]


def page() -> str:
    """The table as far as it goes."""
    digest, baseline = by_colour()
    lines = []
    for name in TABLE.done():
        metric = ROWS[name].metric or TABLE.metric
        value = TABLE.value(name) if metric != "dice" else worst_dice(name)
        asked, met = TABLE.verdict(name, value)
        taken = f"{TABLE.seconds(name):,.0f}"
        lines.append(f"| {name} | {TABLE.settings(name)} | {metric} {value:.4f} | {taken} | {asked} | {met} |")
    about = (
        f"Scenes: `{SCENES}`, content {digest or 'not hashed'}. All rows: {TABLE.shared()}. The best epoch is picked "
        "on the validation split, the test split is opened once. CPU seconds are of training and validation on one "
        "thread, those of the classifier counted in where its weights are used."
    )
    rows = [
        "| run | settings | test | CPU s | asked | met |",
        "| --- | --- | ---: | ---: | --- | --- |",
        f"| by colour alone | the most likely class of each of {BINS}^3 colours | miou {baseline:.4f} | | "
        f"below 0.3 | {'yes' if baseline < 0.3 else '**no**'} |",
        *lines,
    ]
    return TABLE.page("What the segmenters reach", "make segmentation-table", rows, about)


if __name__ == "__main__":
    TABLE.serve(__doc__, PAGE, page)
