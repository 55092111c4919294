"""Data and settings with which a run takes a fraction of a second."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from pellucid.training import checkpoint

COLOURS = {"blue": (40, 70, 210), "green": (40, 180, 60), "red": (220, 40, 40)}
QUICK: dict[str, Any] = {
    "model": "convnet",
    "image_size": "16",
    "epochs": 2,
    "batch": 8,
    "val_fraction": 0.2,
    "threads": 1,
    "precision": "fp32",
    "device": "cpu",
}


class Tiny(nn.Module):
    """Has all that resuming can get wrong, and little of it: running statistics, dropout, image weights."""

    def __init__(self, n_classes: int, channels: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Dropout(0.2)
        )
        self.head = nn.Linear(8, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3))) / 4


def flags(settings: Mapping[str, Any]) -> list[str]:
    """Settings as command-line flags."""
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def make_photos(root: Path, n: int = 10, seed: int = 0) -> Path:
    """Three classes of `n` pictures of 18 x 21 pixels whose colours differ."""
    for name, colour in COLOURS.items():
        (root / name).mkdir(parents=True)
        for number in range(n):
            grain = np.random.default_rng([seed, number, *colour]).integers(-30, 31, size=(18, 21, 3))
            image = np.clip(np.array(colour) + grain, 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / name / f"{number}.png")
    return root


def make_scenes(root: Path, n: int = 10) -> Path:
    """`n` pictures of 20 x 24 pixels with a bright box, and masks: 0 ground, 1 box."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(n):
        rng = np.random.default_rng(number)
        top, left = rng.integers(0, 10, 2)
        image = rng.integers(0, 60, (20, 24, 3)).astype(np.uint8)
        mask = np.zeros((20, 24), dtype=np.uint8)
        image[top : top + 9, left : left + 11] += 180
        mask[top : top + 9, left : left + 11] = 1
        Image.fromarray(image).save(root / "images" / f"{number}.png")
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
    return root


def arrays(n: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of 8 x 8 grey pixels, dark (label 0) or bright (label 1)."""
    labels = np.arange(n) % 2
    images = np.random.default_rng(seed).integers(0, 100, (n, 8, 8)) + 120 * labels[:, None, None]
    return images.astype(np.uint8), labels


def outcome(folder: Path) -> dict[str, bytes]:
    """What must be equal to the bit when a run is repeated or resumed."""
    newest = checkpoint.generations(folder / "last")[0]
    names = ("config.toml", "model.safetensors", "metrics.jsonl", "doctor.json", "split.json")
    return {name: (folder / name).read_bytes() for name in names} | {newest.name: newest.read_bytes()}


def everything(root: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, with its content."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def temporary_files(root: Path) -> list[Path]:
    """Half-written files."""
    return list(root.rglob("*.tmp"))
