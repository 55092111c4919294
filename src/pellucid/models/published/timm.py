"""The `config.json` that timm puts beside its files: architecture, preprocessing, licence."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.errors import PellucidError, WeightsError
from pellucid.core.files import read_json
from pellucid.core.preprocess import INTERPOLATIONS, Preprocess
from pellucid.models.published.entry import MEAN, STD, canvas_of, normalised
from pellucid.models.published.names import ARCHITECTURES

CONFIG = "config.json"


@dataclass(frozen=True)
class Config:
    """What the file says.

    Attributes:
        architecture: its name among `pellucid models` if it is there, else timm's.
        preprocess: as timm validates with it.
        licence: "" where it is not said.
    """

    architecture: str
    preprocess: Preprocess
    licence: str


def read_config(weights: Path) -> Config | None:
    """What lies beside a weights file; None when nothing does, or another program's file.

    Raises:
        WeightsError: it is timm's but cannot be understood.
    """
    path = weights.parent / CONFIG
    if not path.is_file():
        return None
    try:
        content = read_json(path)
    except (PellucidError, ValueError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("pretrained_cfg"), dict):
        return None
    stated: dict[str, Any] = content["pretrained_cfg"]
    try:
        channels, height, width = stated["input_size"]
        share = float(stated.get("crop_pct", 0.875))
        mean, std = (tuple(map(float, stated.get(key, usual))) for key, usual in (("mean", MEAN), ("std", STD)))
        how = stated.get("interpolation", "bilinear")
        if channels != 3 or not 0 < share <= 1 or min(std) <= 0:
            raise ValueError("numbers out of range")
        preprocess = normalised(
            (int(height), int(width)),
            canvas_of((int(height), int(width)), share),
            mean,
            std,
            how if how in INTERPOLATIONS else "bilinear",
        )
    except (KeyError, TypeError, ValueError, PellucidError) as error:
        raise WeightsError(
            f"{path} does not say how pictures are prepared ({error}). Remove it, or repair it."
        ) from error
    name = str(content.get("architecture", ""))
    return Config(ARCHITECTURES.get(name, name), preprocess, str(stated.get("license", "")))
