"""Data sets with one thing wrong each, and sound ones, for `benchmarks/doctor.py`."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from short_runs import SETS

from pellucid.core.config import change
from pellucid.core.progress import Quiet
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.data.scenes import fashion_sprites, make_crop
from pellucid.data.source import Source
from pellucid.doctor.examine import examine
from pellucid.runs.checking.cross_validated import cross_validated
from pellucid.tasks import CONFIGS, get_task

SIDE, N, COPIES = 64, 120, 6
Change = Callable[[np.ndarray], np.ndarray]


def clothes(n: int = N, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Textured pictures of clothes (n, 64, 64, 3), their classes, and the split of each."""
    rng, sprites = np.random.default_rng(seed), fashion_sprites("train")
    drawn = [make_crop(rng, sprites, SIDE) for _ in range(n)]
    roles = np.where(np.arange(n) % 4 == 3, "val", "train")
    return np.stack([image for image, _ in drawn]), np.array([label - 1 for _, label in drawn]), roles


def examined(images: np.ndarray, labels: np.ndarray, roles: np.ndarray, doubts: bool = False) -> list[Verdict]:
    """What the data doctor says of pictures in memory."""
    names = [str(k) for k in range(10)]
    source = Source("made", images, [f"picture {k}" for k in range(len(images))], tuple(names), labels, roles=roles)
    return of_source(source, doubts)


def of_source(source: Source, doubts: bool = False) -> list[Verdict]:
    """The verdicts on a source; with `doubts` on its labels too, by models that did not see the picture."""
    cfg = change(CONFIGS["classify"](), {"image_size": str(np.asarray(source.images).shape[1])})
    splits = get_task("classify").make_data(cfg, source, Quiet(), None)
    probabilities = cross_validated(splits) if doubts else None
    return [finding.verdict for finding in examine(splits, source, probabilities=probabilities)]


def leaked(change: Change) -> Callable[[], list[Verdict]]:
    """Six training pictures stand in validation too, changed."""

    def run() -> list[Verdict]:
        images, labels, roles = clothes()
        train, val = np.flatnonzero(roles == "train")[:COPIES], np.flatnonzero(roles == "val")[:COPIES]
        images[val] = [change(image) for image in images[train]]
        labels[val] = labels[train]
        return examined(images, labels, roles)

    return run


def again(image: np.ndarray) -> np.ndarray:
    """The same."""
    return image


def resized(image: np.ndarray) -> np.ndarray:
    """Through two thirds of its size."""
    small = Image.fromarray(image).resize((42, 42), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def flipped(image: np.ndarray) -> np.ndarray:
    """Left and right exchanged."""
    return image[:, ::-1].copy()


def reencoded(image: np.ndarray) -> np.ndarray:
    """Through a JPEG of quality 50."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def cropped(image: np.ndarray) -> np.ndarray:
    """Its middle, without a tenth on each side, enlarged."""
    middle = Image.fromarray(image[6:-6, 6:-6])
    return np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def wrong_labels() -> list[Verdict]:
    """15 labels of 300 are wrong: digits, in memory."""
    digits: Any = load("digits")
    rng = np.random.default_rng(4)
    rows = rng.permutation(len(digits.labels))[:300]
    labels = np.asarray(digits.labels)[rows].copy()
    wrong = rng.choice(300, 15, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, 15)) % 10
    roles = np.where(np.arange(300) % 4 == 3, "val", "train")
    return examined(np.asarray(digits.images)[rows], labels, roles, doubts=True)


def missing_class() -> list[Verdict]:
    """No picture of class 3 in validation."""
    images, labels, roles = clothes()
    return examined(images, labels, np.where(labels == 3, "train", roles))


def sound(name: str) -> Callable[[], list[Verdict]]:
    """800 pictures of a set with nothing wrong."""

    def run() -> list[Verdict]:
        data = SETS[name]()
        rows = np.random.default_rng(6).permutation(len(data.labels))[:800]
        return of_source(data.take(np.sort(rows)), doubts=name == "digits")

    return run


# fault -> the rule that must say so, and what examines it
BROKEN: dict[str, tuple[str, Callable[[], list[Verdict]]]] = {
    "leaked copies, exact": ("leaked-duplicates", leaked(again)),
    "leaked copies, resized": ("leaked-duplicates", leaked(resized)),
    "leaked copies, flipped": ("leaked-duplicates", leaked(flipped)),
    "leaked copies, re-encoded": ("leaked-duplicates", leaked(reencoded)),
    "leaked copies, cropped": ("leaked-duplicates", leaked(cropped)),
    "15 wrong labels of 300": ("label-noise", wrong_labels),
    "a class missing from validation": ("class-missing-from-split", missing_class),
}
SOUND = {f"data of {name}": sound(name) for name in SETS} | {"generated clothes": lambda: examined(*clothes(seed=8))}
