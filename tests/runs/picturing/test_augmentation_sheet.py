"""The picture of augmentation: a row a transform, the same again by the seed, masks in colour."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_runs import make_scenes

from pellucid.cli.main import main
from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.progress import Quiet
from pellucid.data.load import load
from pellucid.runs.picturing.augmentation import draw_augmentation
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.segment.config import SegmentConfig


def draw(data: Path, path: Path, kind: type = ClassifyConfig, task: str = "classify", **changes: object) -> list[str]:
    cfg = settings.change(kind(), changes)
    rows = draw_augmentation(load(data), cfg, task, path, Quiet(), every=False)
    return [row["transform"] for row in rows]


def test_a_row_for_each_transform_that_is_on(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sheet.png"
    found = draw(photos, path, rotate=20.0, mixup=0.2, cutmix=1.0, jitter=0.3)
    assert found == ["Flip", "Affine", "Shift", "Jitter", "Mixup", "CutMix"]
    with Image.open(path) as sheet:
        assert sheet.width > 700 and sheet.height > 900
        first = np.asarray(sheet)
    assert draw(photos, tmp_path / "again.png", rotate=20.0, mixup=0.2, cutmix=1.0, jitter=0.3) == found
    assert np.array_equal(first, np.asarray(Image.open(tmp_path / "again.png")))  # drawn by the seed


def test_nothing_on_and_everything_there_is(photos: Path, tmp_path: Path) -> None:
    assert draw(photos, tmp_path / "none.png", augment=False) == []
    rows = draw_augmentation(load(photos), ClassifyConfig(), "classify", tmp_path / "all.png", Quiet(), every=True)
    names = {row["transform"] for row in rows}
    assert {"Flip", "Affine", "Radial", "Elastic", "Blur", "Noise", "Erase", "Mixup", "CutMix"} <= names


def test_masks_are_drawn_over(tmp_path: Path) -> None:
    """Grey scenes: all colour on the sheet is that of masks."""
    path = tmp_path / "scenes.png"
    found = draw(make_scenes(tmp_path / "scenes"), path, SegmentConfig, "segment", rotate=10.0, cutmix=1.0, shift=0.0)
    assert found == ["Flip", "Affine", "CutMix"]
    pixels = np.asarray(Image.open(path)).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).mean() > 0.2


def test_boxes_are_drawn_where_things_went(tmp_path: Path) -> None:
    """Grey scenes: all colour on the sheet is that of boxes and their names, in the mosaics too."""
    source = load("scenes:size=48,train=10,val=3,test=3,for=detect")
    source.images = np.asarray(source.images).mean(-1, keepdims=True).astype(np.uint8).repeat(3, -1)
    path = tmp_path / "things.png"
    cfg = settings.change(DetectConfig(), {"mosaic": 0.5, "zoom": (0.5, 2.0)})
    rows = draw_augmentation(source, cfg, "detect", path, Quiet())
    assert [row["transform"] for row in rows] == ["Zoom", "Mosaic", "Flip"]
    pixels = np.asarray(Image.open(path)).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).mean() > 0.01
    names = {row["transform"] for row in draw_augmentation(source, cfg, "detect", path, Quiet(), every=True)}
    assert "Mosaic" in names and not names & {"Mixup", "CutMix"}


def test_other_endings_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"--save needs a file name that ends in .png, .jpg, .jpeg, .webp, got .*sheet"
    ):
        draw(photos, tmp_path / "sheet.tiff")


def test_on_the_command_line(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[[step]]\nname = 'radial'\nk = 0.3\n[[step]]\nname = 'blur'\np = 0.3\n")
    assert main(["augment", str(photos), "--policy", str(policy), "--save", "sheet.png"]) == 0
    said = capsys.readouterr().out
    assert "Radial" in said and "k 0.3" in said and "Blur" in said and "Picture: sheet.png" in said
    assert Path("sheet.png").exists()
    assert main(["augment", str(photos), "--polcy", str(policy)]) == 2
    assert "Did you mean --policy" in capsys.readouterr().err
    assert main(["augment"]) == 2
    assert "augment needs DATA" in capsys.readouterr().err
