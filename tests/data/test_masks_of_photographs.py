"""Photographs of 500x375 in Pascal VOC's folders, through every fit and crop: mask, picture and file stay together."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.load import load
from pellucid.data.prepare import prepare
from pellucid.data.readers.voc import voc_colours

IDS = np.array([0, 3, 7, 15, 20])
GREY = np.zeros(256, np.uint8)  # of each id in a picture that is painted like its mask
GREY[IDS] = [0, 60, 120, 180, 240]
SIZES = ((375, 500), (500, 333), (375, 500), (334, 500), (375, 500), (500, 500))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Squares of 90 pixels in five classes, painted as they are called; a border of 255 that is painted 0."""
    year = tmp_path_factory.mktemp("kit") / "VOC2012"
    rng = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass"):
        (year / folder).mkdir(parents=True)
    for i, (height, width) in enumerate(SIZES):
        rough = rng.choice(IDS, (6, 6)).astype(np.uint8)
        mask = rough.repeat(90, 0).repeat(90, 1)[:height, :width].copy()
        Image.fromarray(np.stack([GREY[mask]] * 3, -1)).save(year / "JPEGImages" / f"{i}.png", compress_level=1)
        mask[:4] = 255
        palette = Image.fromarray(mask)
        palette.putpalette([value for colour in voc_colours() for value in colour])
        palette.save(year / "SegmentationClass" / f"{i}.png")
    return year


def unmixed(mask: Tensor, margin: int = 6) -> Tensor:
    """(N, H, W) bool: pixels with one id all around them."""
    side = 2 * margin + 1
    around = mask.unfold(1, side, 1).unfold(2, side, 1).flatten(3)
    found = torch.zeros(mask.shape, dtype=torch.bool)
    found[:, margin:-margin, margin:-margin] = (around == around[..., :1]).all(-1)
    return found & (mask != 255)


@pytest.mark.parametrize("fit", ["auto", "crop", "stretch", "short-side"])
@pytest.mark.parametrize(
    "augment",
    [
        {},
        {"crop": 0.2},
        {"short_side": (128, 256)},
        {"crop": 0.5, "rotate": 30.0, "stretch": 0.3, "radial": 0.1, "vflip": 0.5, "cutout": 0.2},
        {"policy": "step = [{name = 'scale_crop', short_side = [120, 200]}, {name = 'elastic', amount = 0.05}]"},
    ],
    ids=["usual", "crop", "short side", "many", "policy"],
)
def test_mask_picture_and_file_agree(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: Any, augment: dict[str, Any]
) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    data = DataConfig(image_size="96x112", fit=fit, val_fraction=0.2, test_fraction=0.2)
    splits = prepare(load(photos), data, AugmentConfig(**augment), 0, "segment")
    loader = splits.loader("train", 4, training=True, seed=1)
    grey = torch.from_numpy(GREY)
    shares = []
    for epoch in range(3):
        for batch in loader.epoch(epoch):
            mask, image = batch["mask"].long(), batch["image"]
            assert mask.shape[1:] == image.shape[2:] == (96, 112)
            assert set(mask.unique().tolist()) <= {*IDS.tolist(), 255}
            sure = unmixed(mask)
            if "cutout" in augment:
                sure &= image[:, 0] != 128
            shares.append(float(sure.float().mean()))
            assert ((image[:, 0].int() - grey[mask].int()).abs() <= 1)[sure].all()
    assert np.mean(shares) > 0.1


@pytest.mark.parametrize("augment", [{}, {"crop": 0.2}, {"short_side": (128, 256)}, {"rotate": 40.0, "shear": 20.0}])
def test_the_way_back_leads_to_the_pixel_of_the_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, augment: dict[str, Any]
) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    source = load(photos)
    data = DataConfig(image_size="96x112", val_fraction=0.2, test_fraction=0.2)
    splits = prepare(source, data, AugmentConfig(**augment), 0, "segment")
    files = [np.array(Image.open(photos / "SegmentationClass" / f"{i}.png")) for i in range(len(SIZES))]
    rows = {name: i for i, name in enumerate(source.names)}
    y, x = torch.meshgrid(torch.arange(96) + 0.5, torch.arange(112) + 0.5, indexing="ij")
    centres = torch.stack([x, y, torch.ones_like(x)], -1).double()
    seen = 0
    for batch in splits.loader("train", 4, training=True, seed=2).epoch(0):
        sure = unmixed(batch["mask"].long())
        for mask, keep, affine, index in zip(
            batch["mask"].numpy(), sure, batch["canvas_affine"].double(), batch["index"].tolist(), strict=True
        ):
            name = splits.names[splits.split.train[index]]
            file = files[rows[name]]
            column, row = (centres @ affine.T).floor().long().unbind(-1)
            held = file[row.clamp(0, file.shape[0] - 1), column.clamp(0, file.shape[1] - 1)]
            assert (held == mask)[keep].all()
            seen += int(keep.sum())
    assert seen > 2_000
