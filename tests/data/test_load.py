"""One word for data: which reader it reaches, and what is said when it reaches none."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.known import KNOWN
from pellucid.data.load import load

GREY = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
SET = "fashion-mnist-mini"  # the quickest to load
LABELS = np.array([0, 1] * 3)


def refuse(data: object, *words: str, strict: bool = False) -> None:
    with pytest.raises(DataError) as caught:
        load(data, strict=strict)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_kind_of_data_reaches_its_reader(class_folder: Path) -> None:
    folder = load(class_folder)
    assert folder.classes == ("blue", "green", "red") and len(folder) == 24
    assert load(str(class_folder)).names == folder.names
    table = class_folder / "all.csv"
    rows = [f"{name},{name.split('/')[0]}" for name in folder.names]
    table.write_text("\n".join(["path,label", *rows]))
    assert load(table).names == folder.names
    table.with_suffix(".tsv").write_text("\n".join(["path,label", *rows]).replace(",", "\t"))
    assert load(table.with_suffix(".tsv")).names == folder.names
    np.savez(class_folder / "all.npz", images=GREY, labels=LABELS)
    for source in (load(class_folder / "all.npz"), load({"images": GREY, "labels": LABELS}), load((GREY, LABELS))):
        np.testing.assert_array_equal(source.images, GREY)
    assert load(folder) is folder


def test_pictures_beside_masks_are_for_segmentation(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / part / "a.png")
    assert load(tmp_path).kind == "segment"


def test_known_sets_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(SET).name == SET and load(SET).classes == KNOWN[SET].classes
    with pytest.raises(DataError, match="gone is no folder"):
        load("fashion-mnist:gone")
    (tmp_path / SET).mkdir()
    refuse(SET, "a known data set and also lies in this folder", f"write {SET}: for the known set or ./{SET}")
    assert load(f"{SET}:").name == SET
    refuse(f"./{SET}", f"{SET} is empty")
    refuse(Path(SET), f"{SET} is empty")  # a Path is never a name


def test_what_is_nothing_gets_the_nearest_names(tmp_path: Path) -> None:
    refuse(
        "fashion-mnst",
        "There is no folder or file fashion-mnst.",
        "Did you mean 'fashion-mnist'",
        "Choose from: cifar10",
    )
    refuse("cocos:x.json", "There is no folder or file cocos:x.json. Unknown data set 'cocos'.")
    refuse("./photos", "./photos does not exist: give a folder of pictures")
    refuse("photos/cats", "photos/cats does not exist")
    refuse(tmp_path / "x.csv", "x.csv does not exist")
    refuse("", "a dict of arrays, got ''")
    refuse("x" * 5000, "There is no folder or file xxx")
    refuse("a\0b", "There is no folder or file")
    refuse(17, "got 17")
    for name, words in {
        "a.jpg": "a.jpg is one picture: give the folder",
        "a.npy": "a.npy is one array: save images and labels together",
        "a.zip": "a.zip is no data set: give a folder of pictures (jpeg, png",
    }.items():
        (tmp_path / name).touch()
        refuse(tmp_path / name, words)


def test_strict_refuses_what_was_left_out(class_folder: Path) -> None:
    assert load(class_folder, strict=True).problems == []
    (class_folder / "red/notes.txt").touch()
    (class_folder / "red/more.txt").touch()
    assert len(load(class_folder).problems) == 2
    refuse(class_folder, "strict, and 2 things had to be left out", "The first: red/", "(not-an-image)", strict=True)
    refuse(load(class_folder), "strict, and 2 things", strict=True)


def test_groups_that_are_not_there_are_refused(class_folder: Path) -> None:
    for data in (SET, load(class_folder)):
        with pytest.raises(ConfigError, match="has no groups: leave out group=folder"):
            load(data, group="folder")


def test_listing_needs_no_torch(class_folder: Path) -> None:
    code = (
        "import sys\n"
        "from pellucid.data.load import load\n"
        "load(sys.argv[1]), load('fashion-mnist-mini')\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(class_folder)], check=False).returncode == 0
