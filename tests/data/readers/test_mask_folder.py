"""Pictures beside masks: pairing, sizes, class names, and what values a mask may hold."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.readers import masks
from pellucid.data.readers.mask_folder import is_mask_folder, read_mask_folder
from pellucid.data.source import Source


def picture(path: Path, height: int = 4, width: int = 6) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path)


def mask(path: Path, *ids: int, height: int = 4, width: int = 6) -> None:
    """A mask that holds these ids, and the first wherever there is room left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.full(height * width, ids[0], np.uint8)
    values[: len(ids)] = ids
    Image.fromarray(values.reshape(height, width)).save(path)


def pairs(root: Path, *names: str, ids: tuple[int, ...] = (0, 1)) -> Path:
    for name in names:
        picture(root / "images" / f"{name}.jpg")
        mask(root / "masks" / f"{name}.png", *ids)
    return root


def kinds(source: Source) -> list[tuple[str, str]]:
    return sorted((problem.record, problem.kind) for problem in source.problems)


def refuse(root: Path, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_mask_folder(root)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pairs_are_found_by_name(tmp_path: Path) -> None:
    root = pairs(tmp_path / "streets", "b", "a", "deep/c.d")
    picture(root / "images/e.png")
    mask(root / "masks/e_mask.png", 0, 1)
    source = read_mask_folder(root)
    assert source.name == "streets" and source.kind == "segment" and source.labels is None
    assert source.names == ["images/a.jpg", "images/b.jpg", "images/deep/c.d.jpg", "images/e.png"]
    assert source.masks is not None
    assert [Path(str(path)).name for path in source.masks] == ["a.png", "b.png", "c.d.png", "e_mask.png"]
    assert source.classes == ("class 0", "class 1") and source.mask_ids is None
    assert np.asarray(source.roles).tolist() == [""] * 4 and source.problems == []
    assert is_mask_folder(root) and not is_mask_folder(root / "images")


def test_the_two_arrangements_of_splits(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    pairs(inner, "train/a", "val/b", "test/c")
    for split, name in (("train", "a"), ("valid", "b"), ("test", "c")):
        pairs(outer / split, name)
    for root in (inner, outer):
        assert is_mask_folder(root)
        source = read_mask_folder(root)
        found = dict(zip((name[-5] for name in source.names), np.asarray(source.roles).tolist(), strict=True))
        assert found == {"a": "train", "b": "val", "c": "test"}
    picture(outer / "trian/images/x.jpg")
    refuse(outer, "the folder trian is no split", "Did you mean train?")
    pairs(inner, "tset/d")
    refuse(inner, "tset is no split", "Did you mean test?")
    picture(tmp_path / "half/test/images/x.jpg")
    pairs(tmp_path / "half/train", "a")
    assert kinds(read_mask_folder(tmp_path / "half")) == [("test", "no-mask")]


def test_what_has_no_partner_or_another_size_is_named(tmp_path: Path) -> None:
    root = pairs(tmp_path, "a", "b", "c")
    picture(root / "images/alone.jpg")
    mask(root / "masks/widow.png", 0)
    mask(root / "masks/b.png", 0, 1, height=5)
    picture(root / "images/c.png")  # a second c
    mask(root / "masks/a.bmp", 0, 1)
    (root / "images/notes.txt").touch()
    picture(root / "images/broken.jpg")
    mask(root / "masks/broken.png", 0, 1)
    (root / "images/broken.jpg").write_bytes(b"")
    picture(root / "images/colour.jpg")
    picture(root / "masks/colour.png")
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(4, 6, 3)).save(root / "masks/colour.png")
    source = read_mask_folder(root)
    assert source.names == ["images/a.jpg", "images/c.jpg"]
    assert kinds(source) == [
        ("images/alone.jpg", "no-mask"),
        ("images/b.jpg", "size-mismatch"),
        ("images/broken.jpg", "empty"),
        ("images/c.png", "duplicate"),
        ("images/colour.jpg", "not-a-mask"),
        ("images/notes.txt", "not-an-image"),
        ("masks/a.png", "duplicate"),
        ("masks/widow.png", "no-image"),
    ]
    reasons = {problem.record: problem.reason for problem in source.problems}
    assert reasons["images/b.jpg"] == "the picture is 4x6 (height x width), its mask b.png 5x6: save both at one size"
    assert reasons["images/alone.jpg"] == "there is no masks/alone.png"


def test_the_size_counts_after_rotation(tmp_path: Path) -> None:
    root = pairs(tmp_path, "a")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 6)).save(root / "images/a.jpg", exif=exif)
    assert len(read_mask_folder(root)) == 1


def test_ids_get_names_from_files_or_from_themselves(tmp_path: Path) -> None:
    root = pairs(tmp_path, "a", "b", ids=(0, 2, 7, 255))
    source = read_mask_folder(root)
    assert source.classes == ("class 0", "class 2", "class 7") and source.mask_ids == {0: 0, 2: 1, 7: 2}
    (root / "classes.json").write_text('{"0": "sky", "7": "road", "2": "car", "9": "never seen"}')
    source = read_mask_folder(root)
    assert source.classes == ("sky", "car", "road", "never seen") and source.mask_ids == {0: 0, 2: 1, 7: 2, 9: 3}
    (root / "classes.json").write_text('["a", "b", "c", "d", "e", "f", "g", "h"]')
    assert read_mask_folder(root).classes == tuple("abcdefgh")
    (root / "classes.txt").write_text("\ufeffsky\r\nroad\r\ncar\r\n\n", encoding="utf-8")
    refuse(root, "a.png holds the id 7 (first at row 0, column 2), but only 0..2 are named", "2 of 2 masks")
    refuse(root, "classes.txt", "255 = ignore")


def test_black_and_white_masks_have_two_classes(tmp_path: Path) -> None:
    root = pairs(tmp_path, "a", "b", ids=(0, 255))
    source = read_mask_folder(root)
    assert source.classes == ("class 0", "class 255") and source.mask_ids == {0: 0, 255: 1}
    (root / "classes.txt").write_text("background\nleaf\n")
    source = read_mask_folder(root)
    assert source.classes == ("background", "leaf") and source.mask_ids == {0: 0, 255: 1}
    mask(root / "masks/a.png", 0, 1, 255)  # now 1 is the object, and 255 is ignored
    assert read_mask_folder(root).mask_ids is None


def test_of_very_many_masks_a_part_is_read_and_the_card_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pairs(tmp_path, *(f"{i:02d}" for i in range(12)))
    assert "masks)" not in read_mask_folder(root).card.origin
    monkeypatch.setattr(masks, "READ_AT_MOST", 5)
    source = read_mask_folder(root)
    assert len(source) == 12 and source.card.origin == f"{root} (classes by 5 of 12 masks)"


def test_groups_are_folders(tmp_path: Path) -> None:
    root = pairs(tmp_path, "p1/a", "p1/b", "p2/a")
    (root / "images/p1/b.jpg").write_bytes(b"")  # left out, and its group with it
    source = read_mask_folder(root, "folder")
    assert np.asarray(source.groups).tolist() == ["images/p1", "images/p2"]
    with pytest.raises(ConfigError, match="group must be folder"):
        read_mask_folder(root, "patient")


def test_wrong_folders_are_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x/images").mkdir(parents=True)
    refuse(tmp_path / "x", "must hold the folders images/ and masks/")
    (tmp_path / "x/masks").mkdir()
    refuse(tmp_path / "x", "has no picture with a usable mask of the same name and size")
    picture(tmp_path / "x/images/a.jpg")
    picture(tmp_path / "x/masks/a.jpg")
    refuse(tmp_path / "x", "The first of 1 problems", "is a JPEG", "save masks as PNG")
    refuse(pairs(tmp_path / "one", "a", ids=(3, 255)), "the masks hold only class 3", "two classes or more")
    refuse(pairs(tmp_path / "void", "a", ids=(255,)), "nothing but 255 (ignore)")
    names = pairs(tmp_path / "names", "a") / "classes.json"
    for text in ("{", "17", '{"road": 1}', "[" * 100_000):
        names.write_text(text)
        refuse(names.parent, "must hold one class name a line, or as JSON")
    names.write_text('{"0": "a", "300": "b"}')
    refuse(names.parent, "must name ids from 0 to 255", "got 0, 300")
    names.write_text('["a", "b", "a"]')
    refuse(names.parent, "has the class name 'a' twice")
