"""A page filled like that of a real run, with made-up numbers: `python demo_page.py OUT.html [--odd]`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pellucid.core.verdict import Verdict
from pellucid.plots.bars import bars
from pellucid.plots.curves import curves
from pellucid.plots.overlay import overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.reliability import reliability
from pellucid.report.blocks import (
    Bar,
    Code,
    Facts,
    Figure,
    Legend,
    Matrix,
    Note,
    Number,
    Picture,
    Pictures,
    Section,
    Table,
    Verdicts,
)
from pellucid.report.page import page

CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
THINGS = ("sky", "ground", "ball", "box")
ODD = ("猫 & 狗", '<b>"bold"</b>', "emoji 🐈‍⬛", "קפה שחור", "a_very_long_class_name_that_never_ends_" * 3)
ODD_CLASSES = tuple(f"{name} {k}" for k, name in enumerate(ODD * 6))


def tiny_pictures(n: int, seed: int = 0) -> list[Image.Image]:
    """Grey 28 x 28 shapes with soft edges."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        big = Image.new("L", (112, 112), 0)
        draw = ImageDraw.Draw(big)
        w, h, tone = rng.integers(24, 44), rng.integers(30, 50), int(rng.integers(120, 240))
        draw.rounded_rectangle((56 - w, 56 - h, 56 + w, 56 + h), 10, fill=tone)
        for _ in range(3):
            x, y, r = rng.integers(20, 92), rng.integers(20, 92), rng.integers(4, 16)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=int(rng.integers(30, 200)))
        found.append(big.resize((28, 28), Image.Resampling.LANCZOS))
    return found


def scenes(n: int, seed: int = 0, size: tuple[int, int] = (240, 320)) -> list[tuple[Image.Image, np.ndarray]]:
    """Colour scenes with masks: sky, ground, balls, a box."""
    rng = np.random.default_rng(seed)
    h, w = size
    y, x = np.mgrid[:h, :w]
    found = []
    for _ in range(n):
        horizon = int(rng.integers(h // 3, 2 * h // 3))
        picture = np.zeros((h, w, 3))
        picture[:horizon] = np.linspace([120, 170, 220], [200, 220, 240], horizon)[:, None]
        picture[horizon:] = np.linspace([90, 140, 80], [50, 90, 50], h - horizon)[:, None]
        mask = (y >= horizon).astype(np.uint8)
        for _ in range(3):
            cy, cx, r = rng.integers(40, h - 40), rng.integers(40, w - 40), rng.integers(14, 44)
            ball = (y - cy) ** 2 + (x - cx) ** 2 < r * r
            picture[ball], mask[ball] = rng.integers(60, 230, 3), 2
        top, left = rng.integers(40, h - 60), rng.integers(40, w - 80)
        box = (y >= top) & (y < top + 50) & (x >= left) & (x < left + 70)
        picture[box], mask[box] = rng.integers(60, 230, 3), 3
        noisy = np.clip(picture + rng.normal(0, 9, picture.shape), 0, 255).astype(np.uint8)
        found.append((Image.fromarray(noisy), mask))
    return found


def confusion(k: int, n: int) -> np.ndarray:
    """Counts of `n` pictures a class, most of them right."""
    rng = np.random.default_rng(0)
    weights = np.eye(k) * 40 + rng.exponential(0.4, (k, k)) ** 2
    return np.array([rng.multinomial(n, row / row.sum()) for row in weights])


def training(epochs: int = 20) -> Section:
    rng = np.random.default_rng(1)
    t = np.arange(1, epochs + 1)
    loss = {
        "training": (t, 0.2 + 1.4 * np.exp(-t / 4)),
        "validation": (t, 0.27 + 1.25 * np.exp(-t / 3.5) + rng.normal(0, 0.015, epochs)),
    }
    accuracy = 0.93 - 0.35 * np.exp(-t / 4) + rng.normal(0, 0.004, epochs)
    steps = np.arange(epochs * 47)
    rate = 1e-3 * np.where(steps < 47, steps / 47, 0.5 * (1 + np.cos(np.pi * (steps - 47) / (len(steps) - 47))))
    k = int(accuracy.argmax())
    blocks = [
        Figure(curves(loss, "Loss", y_label="cross-entropy")),
        Figure(curves({"validation": (t, accuracy)}, "Accuracy", y_label="accuracy", best=(t[k], accuracy[k]))),
        Figure(curves({"rate": (steps / 47, rate)}, "Learning rate", y_label="rate"), "One epoch of warm-up."),
        Figure(curves(loss, "Loss, logarithmic", log_y=True), "Here a steady fall is a straight line."),
        Verdicts(verdicts(), "Findings"),
    ]
    return Section("Training", "", blocks)


def verdicts() -> list[Verdict]:
    twins = "37 pictures of the test split also lie in the training split: coat/0412.png = coat/1983.png, ..."
    return [
        Verdict("initial-loss", "pass", "The first loss was 2.31; theory says 2.303 for 10 classes."),
        Verdict(
            "overfit",
            "warn",
            "Training loss 0.21, validation loss 0.34 and rising since epoch 14.",
            "The network learns the training pictures by heart.",
            "Augment more (--crop 0.6 --jitter 0.2) or stop earlier (--patience 3).",
        ),
        Verdict("twins", "fail", twins, "The same photo was saved twice.", "Keep copies on one side with --group."),
        Verdict("dead-units", "pass", "0 of 1,248 units never fired."),
        Verdict("imbalance", "info", "The largest class has 1.4 times as many pictures as the smallest."),
    ]


def result(classes: tuple[str, ...]) -> Section:
    counts = confusion(len(classes), 100)
    right, pictures = np.diag(counts), tiny_pictures(12, 3)
    recall, precision = right / counts.sum(1), right / np.maximum(counts.sum(0), 1)
    rows = [
        (name, 100, Bar(recall[k]), Bar(precision[k]), 2 * recall[k] * precision[k] / (recall[k] + precision[k]))
        for k, name in enumerate(classes)
    ]
    said = f"{classes[6]}, not {classes[4]}"
    wrong = [Picture(p, said, "bad", f"sure to {0.99 - 0.01 * k:.2f}, test/{k:04}.png") for k, p in enumerate(pictures)]
    doubtful = [Picture(p, f"{classes[4]}, correct", "good", "sure to 0.31") for p in pictures[:6]]
    edges = np.linspace(0, 1, 16)
    count = np.array([0, 0, 3, 11, 19, 28, 31, 40, 44, 52, 66, 80, 115, 200, 311])
    confidence = np.where(count > 0, (edges[:-1] + edges[1:]) / 2, np.nan)
    diagram = reliability(edges, confidence, confidence**1.35, count, "Calibration, ECE 0.041")
    note = "Recall: how many of a class were found. Precision: how many of those called so are so."
    blocks = [
        Table(("Class", "Pictures", "Recall", "Precision", "F1"), rows, title="Class by class", note=note),
        Matrix(counts, classes, classes, "What was taken for what"),
        Pictures(wrong, "Most confident errors"),
        Pictures(doubtful, "Least sure, yet right"),
        Figure(diagram, "Bars below the diagonal: the model is surer than it should be."),
    ]
    return Section("Result on test", "Measured on pictures that no choice was made on.", blocks)


def data(classes: tuple[str, ...]) -> Section:
    split = {"train": [480] * len(classes), "val": [60] * len(classes), "test": [100] * len(classes)}
    facts = [
        ("Pictures", 6400, "4,800 train, 600 validation, 1,000 test"),
        ("Classes", len(classes)),
        ("Size", "28 × 28, grey"),
        ("Preprocessing", "standardise", "mean 72.9, deviation 90.0, from the training split"),
        ("Split", "3fa9c1d2", "first digits of its SHA-256"),
        ("Licence", "MIT"),
    ]
    samples = [Picture(p, classes[k % len(classes)]) for k, p in enumerate(tiny_pictures(12))]
    left_out = [
        ("coat/0007.png", "unreadable", "truncated after 312 bytes"),
        ("bag/desktop.ini", "not a picture", "left out"),
    ]
    blocks = [
        Facts(facts),
        Figure(bars(split, classes, "Pictures of each class", stacked=True)),
        Pictures(samples, "As they enter the network, after augmentation"),
        Table(("File", "Problem", "Why"), left_out, title="Left out", note="2 of 6,402 files."),
    ]
    return Section("Data", "What the network learned from, and exactly what it saw.", blocks)


def masks() -> Section:
    colours = palette(len(THINGS))
    drawn = [overlay_mask(image, mask, colours, 0.45) for image, mask in scenes(6)]
    worst = [Picture(image, f"IoU {0.71 + 0.04 * k:.2f}", "plain", f"scene/{k}.jpg") for k, image in enumerate(drawn)]
    blocks = [
        Legend([(name, tuple(colour)) for name, colour in zip(THINGS, colours, strict=True)]),
        Pictures(worst, "Worst pictures"),
        Figure(bars({"IoU": [0.93, 0.9, 0.71, float("nan")]}, THINGS, "IoU of each class", top=1)),
        Matrix(confusion(4, 3_000_000), THINGS, THINGS, "Confusion of pixels"),
    ]
    return Section("Scenes", "The same page for masks.", blocks)


def use() -> Section:
    again = "pellucid train fashion-mnist-mini --model convnet --epochs 20 --seed 0\npellucid evaluate runs/mini-0"
    config = '[model]\nmodel = "convnet"\n\n[train]\nepochs = 20\nbatch = 128\nseed = 0\n'
    blocks = [
        Code(again, "The same run again"),
        Code("pellucid predict runs/mini-0 photo.jpg --json", "Use it"),
        Code(config, "config.toml"),
    ]
    return Section("Reproduce and use", "", blocks)


def demo(classes: tuple[str, ...] = CLASSES, name: str = "fashion-mnist-mini") -> str:
    """The whole page."""
    lead = (
        "A small convolutional network tells ten kinds of clothing apart in 91.3 % of 1,000 pictures it never saw. "
        "Shirts are its weak spot: every fifth is taken for a T-shirt or a coat."
    )
    numbers = [
        Number("Accuracy on test", "91.3 %", "1,000 pictures, opened once; ±1.7 points", "good"),
        Number("Calibration error", "0.041", "ECE, 15 bins"),
        Number("Weakest class", "74 %", f"recall of {classes[6]}", "bad"),
        Number("Training took", "2 min 10 s", "2 threads, bf16"),
    ]
    twins = "One thing needs attention: 37 test pictures also lie in the training split."
    speed = [("Training", "5,900 images/s"), ("Prediction", "11,200 images/s", "batch 128"), ("Device", "cpu", "bf16")]
    sections = [
        Section("Summary", "Training went well and stopped changing after epoch 17.", [Note(twins, "bad")]),
        data(classes),
        training(),
        result(classes),
        masks(),
        Section("Nothing", "This must not be seen.", [Table(("a",), []), Pictures([])]),
        Section("Speed", "", [Facts(speed)]),
        use(),
    ]
    return page(f"{name}: convnet, 20 epochs", lead, numbers, sections, "Made by Pellucid. This file fetches nothing.")


if __name__ == "__main__":
    odd = "--odd" in sys.argv
    text = demo(ODD_CLASSES, "Fotos <2024> & 更多") if odd else demo()
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
