"""Train segmenters on frozen scenes and on real nuclei, and write docs/segmentation-accuracy.md.

make segmentation-table                              # goes on where it was stopped; hours of one core for all of it
python tools/measure_segmentation.py --only unet     # one row
python tools/measure_segmentation.py --page          # the page from what is there

Every row is a run of `pellucid train` in runs/segmentation, resumed where it was stopped. The seconds are those of
training and validation, and of the classifier that an encoder was taken from.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from measure_demo import processor
from measure_zoo import spent

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "segmentation-accuracy.md"
CACHE = ROOT / "runs" / "segmentation"
SCENES = "scenes:size=128,difficulty=medium,train=12000,val=250,test=500,seed=0"
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


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        settings: flags of `pellucid train`, beside those that all rows share.
        least, seconds: what it is to reach within how many CPU seconds; 0 states nothing.
        data, metric: what it is trained on, and the number that counts.
        encoder: name of the row whose run gives the encoder's weights; "" is from scratch.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    least: float = 0.0
    seconds: float = 1200.0
    data: str = SCENES
    metric: str = "miou"
    encoder: str = ""


ROWS: dict[str, Row] = {
    "unet": Row({"model": "unet", "epochs": 6, "class_weights": WEIGHTS}, least=0.58),
    "fcn8s": Row({"model": "fcn8s", "backbone": "convnet", "epochs": 16, "class_weights": WEIGHTS}, least=0.58),
    "classifier": Row({"model": "convnet", "epochs": 16, "batch": 64, "shift": 0.1}, data=THINGS, metric="accuracy"),
    "unet_pretrained": Row(
        {"model": "unet", "backbone": "convnet", "epochs": 11, "lr": 3e-3, "class_weights": WEIGHTS},
        least=0.68,
        seconds=3600.0,
        encoder="classifier",
    ),
    "nuclei": Row(
        {"model": "unet", "epochs": 30, "batch": 8, "lr": 3e-3, "vflip": 0.5, "rotate": 30.0},
        least=0.85,
        data=f"nuclei:{NUCLEI}",
        metric="dice",
    ),
}


def run_words(words: list[Any]) -> None:
    """A `pellucid` command in a process of its own, on one thread."""
    command = [sys.executable, "-m", "pellucid", *map(str, words), "--quiet"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def train(name: str) -> None:
    """Train a row, and the one its encoder comes from, from where an earlier call was stopped; open the test once."""
    row, folder = ROWS[name], CACHE / name
    if row.encoder:
        train(row.encoder)
    if not (folder / "report.html").exists():
        if (folder / "config.toml").exists():
            run_words(["train", "--resume", folder])
        else:
            shutil.rmtree(folder, ignore_errors=True)
            weights = {"weights": CACHE / row.encoder} if row.encoder else {}
            flags = {**COMMON, **row.settings, **weights, "out": folder}
            run_words(["train", row.data, *(word for key, value in flags.items() for word in flag(key, value))])
    if not (folder / "test_openings.jsonl").exists():
        run_words(["evaluate", folder])


def flag(name: str, value: Any) -> list[Any]:
    """A setting as words of the command line."""
    words = f"--{name.replace('_', '-')}"
    if value is True:
        return [words]
    return [words, *value] if isinstance(value, tuple) else [words, value]


def opened(name: str) -> dict[str, Any]:
    """The numbers of the only opening of the test split."""
    line = (CACHE / name / "test_openings.jsonl").read_text(encoding="utf-8").splitlines()[0]
    found: dict[str, Any] = json.loads(line)
    return found


def told(setting: Any) -> str:
    """A setting in words; of weights of classes the first, and that of all others."""
    return f"{setting[0]:g} for background, else {setting[1]:g}" if isinstance(setting, tuple) else str(setting)


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


def page(done: list[str]) -> str:
    """The table as far as it goes."""
    import torch

    digest, baseline = by_colour()
    lines = []
    for name in done:
        row, taken = ROWS[name], spent(CACHE / name)[0]
        all_of_it = taken + (spent(CACHE / row.encoder)[0] if row.encoder else 0)
        value = opened(name)["value"] if row.metric != "dice" else worst_dice(name)
        asked = f"{row.least:.2f} in {row.seconds:,.0f}" if row.least else ""
        met = ("yes" if value >= row.least and all_of_it <= row.seconds else "**no**") if row.least else ""
        how = ", ".join(f"{key} {told(setting)}" for key, setting in row.settings.items())
        how += f", encoder of {row.encoder}" if row.encoder else ""
        lines.append(f"| {name} | {how} | {row.metric} {value:.4f} | {all_of_it:,.0f} | {asked} | {met} |")
    shared = ", ".join(f"{key} {value}" for key, value in COMMON.items())
    about = (
        f"Scenes: `{SCENES}`, content {digest or 'not hashed'}. All rows: {shared}. The best epoch is picked on the "
        "validation split, the test split is opened once. CPU seconds are of training and validation on one thread, "
        "those of the classifier counted in where its weights are used."
    )
    left = [name for name in ROWS if name not in done]
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            "# What the segmenters reach",
            "",
            f"`make segmentation-table`, {today}, {processor()}, 1 thread, torch {torch.__version__.split('+')[0]}.",
            "",
            "| run | settings | test | CPU s | asked | met |",
            "| --- | --- | ---: | ---: | --- | --- |",
            f"| by colour alone | the most likely class of each of {BINS}^3 colours | miou {baseline:.4f} | | "
            f"below 0.3 | {'yes' if baseline < 0.3 else '**no**'} |",
            *lines,
            "",
            textwrap.fill(about, 118),
            *(["", f"Not run yet: {', '.join(left)}."] if left else []),
            "",
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", metavar="ROW", choices=list(ROWS), help="these rows, in this order")
    options.add_argument("--page", action="store_true", help="train nothing, write the page from what is there")
    chosen = options.parse_args()
    for name in [] if chosen.page else chosen.only or ROWS:
        train(name)
        write()
    write()


def write() -> None:
    done = [name for name in ROWS if (CACHE / name / "test_openings.jsonl").exists()]
    PAGE.write_text(page(done), encoding="utf-8")


if __name__ == "__main__":
    main()
