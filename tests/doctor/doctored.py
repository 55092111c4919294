"""Data sets with and without a fault, for the tests of the doctor."""

import io
from functools import cache

import numpy as np
from PIL import Image

from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.load import load
from pellucid.data.prepare import Splits, prepare
from pellucid.data.source import Source
from pellucid.doctor.examine import examine
from pellucid.doctor.finding import Finding


def made(images: np.ndarray, labels: np.ndarray | None = None, roles: np.ndarray | None = None) -> Source:
    """A source of arrays with two classes, unless `labels` say more."""
    n = len(images)
    labels = np.arange(n) % 2 if labels is None else labels
    classes = tuple(f"class {k}" for k in range(int(labels.max()) + 1))
    return Source("made", images, [str(i) for i in range(n)], classes, labels=labels, roles=roles)


def prepared(source: Source, seed: int = 0) -> Splits:
    return prepare(source, DataConfig(), AugmentConfig(), seed, source.kind)


def findings(source: Source, **more: object) -> dict[str, Finding]:
    """Rule id -> finding, of all that is not merely told."""
    found = examine(prepared(source), source, **more)  # type: ignore[arg-type]
    return {each.verdict.rule: each for each in found if each.verdict.status not in ("pass", "info")}


def mini(n: int, seed: int = 0) -> Source:
    """Some pictures of the packaged Fashion-MNIST, as many of each class, not yet split."""
    source = load("fashion-mnist-mini")
    assert source.labels is not None
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(np.flatnonzero(source.labels == k), n // 10, False) for k in range(10)])
    return made(np.asarray(source.images)[rows], source.labels[rows])


def scenes(n: int) -> np.ndarray:
    """(n, 64, 64, 3) generated scenes."""
    return np.asarray(known_scenes().images)[:n]


@cache
def known_scenes() -> Source:
    return load("scenes")


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    content = io.BytesIO()
    image(picture).save(content, "JPEG", quality=quality)
    return like(Image.open(content), picture)


def resized(picture: np.ndarray, factor: float) -> np.ndarray:
    """To another size and back."""
    whole = image(picture)
    other = whole.resize((round(whole.width * factor), round(whole.height * factor)), Image.Resampling.BICUBIC)
    return like(other.resize(whole.size, Image.Resampling.BILINEAR), picture)


def cropped(picture: np.ndarray, keep: float, seed: int) -> np.ndarray:
    """A part of the sides, somewhere, enlarged to the size of the whole."""
    whole = image(picture)
    width, height = round(whole.width * keep), round(whole.height * keep)
    rng = np.random.default_rng(seed)
    left, top = int(rng.integers(0, whole.width - width + 1)), int(rng.integers(0, whole.height - height + 1))
    part = whole.crop((left, top, left + width, top + height))
    return like(part.resize(whole.size, Image.Resampling.BILINEAR), picture)


def image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(picture[..., 0] if picture.shape[2:] == (1,) else picture)


def like(changed: Image.Image, before: np.ndarray) -> np.ndarray:
    return np.asarray(changed).reshape(before.shape)
