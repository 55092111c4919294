"""A last layer on trained features beats training from scratch, in less time.

The task is small and real: from which of 14 photographs is a piece of 96 x 96 pixels? They are those that come with
scikit-image and scikit-learn: a brick wall, grass, gravel, a cat, a cup of coffee, a rocket, coins, a palace and more.
Pieces are grey, of one brightness and one contrast, so that neither colour nor light gives the answer. There are ten of
each to learn from, cut from the left 55 % of the photograph; those to test on are from the right 40 % and share no
pixel with them. The classes are photographs, not kinds of things: what counts is texture and style.

EfficientNet-Lite0 with ImageNet weights, of which only the last layer is trained, tells about five pieces in six after
eight CPU seconds. The same network from scratch gets three times as long and is hardly better than a guess (7 %): 140
pictures and two epochs are nothing to it. A convnet made for such small tasks gets a little more time than the first,
30 epochs, and tells half of the pieces.

What it does not show: that trained weights win everywhere. On three textures alone (brick, grass, gravel) both the last
layer and the small convnet are always right.

    python recipes/architectures/transfer.py  # 3 minutes, with packages of extra weights
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from skimage import data as photographs
from sklearn.datasets import load_sample_image

import pellucid
from pellucid.plots.bars import bars

PHOTOS = (
    *("brick", "grass", "gravel", "chelsea", "coffee", "astronaut", "rocket", "hubble_deep_field"),
    *("immunohistochemistry", "retina", "coins", "motorcycle", "china", "flower"),
)
SIDE = 96  # of a piece, in pixels
TRAIN_PART, TEST_PART = (0.0, 0.55), (0.6, 1.0)  # of the width of each photograph, so that pieces never overlap
SEEDS, EACH, TEST = 3, 10, 15  # pieces of each photograph

# what is trained -> settings, and epochs: those that start from scratch get more CPU seconds than the first
WAYS: dict[str, tuple[dict[str, Any], int]] = {
    "Lite0, last layer": (
        {"weights": "imagenet", "tune": "last", "lr": 0.01},
        5,
    ),
    "Lite0, from scratch": ({"model": "efficientnet_lite0", "image_size": "224"}, 2),
    "convnet, from scratch": ({"model": "convnet"}, 30),
}
ALIKE = {"progress": "quiet", "val_fraction": 0.0, "test_fraction": 0.0, "threads": 1, "device": "cpu", "batch": 10}


def photo(name: str) -> np.ndarray:
    """A photograph in grey, (H, W)."""
    if name in ("china", "flower"):
        found = load_sample_image(f"{name}.jpg")
    else:
        found = photographs.stereo_motorcycle()[0] if name == "motorcycle" else getattr(photographs, name)()
    return found.mean(axis=2) if found.ndim == 3 else found.astype(float)


def pieces(part: tuple[float, float], n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 96, 96) uint8 from one part of each photograph, all of one brightness and contrast, and which it is from."""
    rng = np.random.default_rng(seed)
    images = []
    for name in PHOTOS:
        whole = photo(name)
        height, width = whole.shape
        for _ in range(n):
            top = rng.integers(0, height - SIDE + 1)
            left = rng.integers(int(width * part[0]), int(width * part[1]) - SIDE + 1)
            piece = whole[top : top + SIDE, left : left + SIDE]
            images.append((piece - piece.mean()) / (piece.std() + 1e-3) * 50 + 128)
    return np.clip(images, 0, 255).astype(np.uint8), np.repeat(np.arange(len(PHOTOS)), n)


def trial(
    folder: Path, way: str, seed: int, epochs: int = 0, each: int = EACH, test: int = TEST
) -> tuple[float, float]:
    """CPU seconds of training, and the share of new pieces that are told."""
    settings, usual = WAYS[way]
    changes: Any = {**ALIKE, **settings, "epochs": epochs or usual, "seed": seed}
    run = pellucid.train(pieces(TRAIN_PART, each, seed), out=folder, **changes)
    times = [json.loads(line) for line in (folder / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
    found = run.evaluate(pieces(TEST_PART, test, 1000), progress="quiet")
    return sum(line["cpu_seconds"] for line in times), found["accuracy"]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """CPU seconds and accuracy of each way: means over the seeds, and the range of accuracies."""
    with tempfile.TemporaryDirectory() as folder:
        found = {
            way: np.array([trial(Path(folder) / f"{place}-{seed}", way, seed) for seed in range(SEEDS)])
            for place, way in enumerate(WAYS)
        }
    rows = []
    for way, (_, epochs) in WAYS.items():
        seconds, accuracy = found[way].T
        told = f"{accuracy.mean():.1%} ({accuracy.min():.1%} to {accuracy.max():.1%})"
        rows.append([way, str(epochs), f"{seconds.mean():.1f}", told])
    title = "From which photograph is this piece? Ten pieces each to learn from"
    picture = bars({"pieces told": [float(found[way][:, 1].mean()) for way in WAYS]}, list(WAYS), title, top=1.0)
    return ["trained", "epochs", "CPU seconds", "pieces told"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.ljust(58 if place == 0 else 24) for place, cell in enumerate(row)))
