"""Cityscapes' folders, with the published ids."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.load import load
from pellucid.data.pack.make import make_pack
from pellucid.data.readers.cityscapes import CLASSES, read_cityscapes

# id -> trainId, typed from the authors' labels.py: each line its id there, 255 or -1 not counted
TRAIN_ID = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13}
TRAIN_ID |= {27: 14, 28: 15, 31: 16, 32: 17, 33: 18}


def frame(root: Path, split: str, city: str, number: int, ids: list[int], kind: str = "labelIds") -> None:
    name = f"{city}_{number:06d}_000019"
    image = root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png"
    mask = root / "gtFine" / split / city / f"{name}_gtFine_{kind}.png"
    for path in (image, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((5, 8), np.uint8)
    values.flat[: len(ids)] = ids
    Image.new("RGB", (8, 5), (number, 60, 90)).save(image)
    Image.fromarray(values).save(mask)
    Image.fromarray(np.stack([values] * 3, -1)).save(mask.with_name(f"{name}_gtFine_color.png"))
    Image.fromarray(values.astype(np.uint16) * 1000).save(mask.with_name(f"{name}_gtFine_instanceIds.png"))
    mask.with_name(f"{name}_gtFine_polygons.json").write_text("{}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    frame(tmp_path, "train", "aachen", 0, list(range(34)))
    frame(tmp_path, "train", "ulm", 1, [7, 26, 4])
    frame(tmp_path, "val", "munster", 2, [24, 11])
    frame(tmp_path, "test", "berlin", 3, [3, 1])  # the publisher keeps the true ones
    return tmp_path


def test_ids_become_the_19_classes_and_all_others_do_not_count(root: Path) -> None:
    source = load(root, group="folder")
    assert source.classes == tuple(CLASSES.values()) and len(source.classes) == 19
    assert source.classes[:3] == ("road", "sidewalk", "building") and source.classes[-1] == "bicycle"
    assert np.asarray(source.roles).tolist() == ["train", "train", "val"]
    assert source.groups is not None
    cities = [group.rpartition("/")[2] for group in source.groups]
    assert cities == ["aachen", "ulm", "munster"]
    assert [(problem.record, problem.kind, problem.reason) for problem in source.problems] == [
        ("test", "all-ignored", "none of the 1 masks of test has a pixel with a class")
    ]
    mask = make_pack(source, (5, 8), 3, "crop", (0, 0, 0), cache=root).targets["mask"][0].ravel()
    assert {value: int(k) for value, k in enumerate(mask[:34]) if k != 255} == TRAIN_ID
    assert (mask[34:] == 255).all()  # id 0 once more


def test_train_ids_are_classes_as_they_are(root: Path) -> None:
    for path in list(root.rglob("*_labelIds.png")):
        city, number = path.name.split("_")[:2]
        split = path.parent.parent.name
        path.unlink()
        frame(root, split, city, int(number), [0, 18, 255], "labelTrainIds")
    source = load(root)
    assert source.mask_ids is None and source.classes == tuple(CLASSES.values()) and source.groups is None
    assert len(source) == 4
    frame(root, "val", "munster", 2, [0, 19], "labelTrainIds")
    with pytest.raises(DataError, match=r"labelTrainIds\.png holds the id 19 \(first at row 0, column 1\)"):
        load(root)


def test_what_does_not_fit_together_is_named(root: Path) -> None:
    next((root / "gtFine").rglob("ulm*labelIds.png")).unlink()
    next((root / "leftImg8bit").rglob("munster*.png")).unlink()
    (root / "leftImg8bit" / "trian").mkdir()
    source = load(root)
    assert {(problem.record, problem.kind) for problem in source.problems} == {
        ("leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png", "no-mask"),
        ("gtFine/val/munster/munster_000002_000019_gtFine_labelIds.png", "no-image"),
        ("test", "all-ignored"),
    }
    frame(root, "trian", "bonn", 9, [7])
    with pytest.raises(DataError, match=r"folder trian is no split .* Did you mean train\?"):
        load(root)
    with pytest.raises(DataError, match=r"must hold leftImg8bit/ and gtFine/"):
        read_cityscapes(root / "gtFine")


def test_other_groups_are_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="group must be folder"):
        load(root, group="city")
