"""Class folders: what is listed, in which order and role, and what each wrong arrangement is told."""

import os
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.readers.class_folder import read_class_folder
from pellucid.data.source import Source


def fill(root: Path, *names: str) -> Path:
    """Files with these names; listing never opens one, so they may be empty."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def twos(*folders: str) -> list[str]:
    return [f"{folder}/{i}.jpg" for folder in folders for i in (1, 2)]


def kinds(source: Source) -> list[tuple[str, str]]:
    return sorted((problem.record, problem.kind) for problem in source.problems)


def refuse(root: Path, *words: str, group: str = "") -> None:
    with pytest.raises(DataError) as caught:
        read_class_folder(root, group)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_class_folders_give_sorted_names_and_labels(tmp_path: Path) -> None:
    root = fill(
        tmp_path / "pets", "dog/b.JPG", "dog/a.png", "cat/1.webp", "cat/deep/er/2.tiff", "ant/x.bmp", "ant/y.gif"
    )
    source = read_class_folder(root)
    assert source.name == source.card.title == "pets" and source.kind == "classify"
    assert source.classes == ("ant", "cat", "dog")
    assert source.names == ["ant/x.bmp", "ant/y.gif", "cat/1.webp", "cat/deep/er/2.tiff", "dog/a.png", "dog/b.JPG"]
    assert [str(path.relative_to(root)) for path in source.images] == source.names
    assert source.labels is not None and source.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert source.roles is not None and source.roles.tolist() == [""] * 6
    assert source.groups is None and source.problems == []


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_splits_give_roles_and_the_union_of_their_classes(tmp_path: Path, val: str) -> None:
    root = fill(tmp_path, *twos("train/cat", "train/dog", f"{val}/dog", f"{val}/eel", "test/cat"))
    source = read_class_folder(root)
    assert source.classes == ("cat", "dog", "eel")
    assert source.roles is not None and source.labels is not None
    assert source.roles.tolist() == ["train"] * 4 + ["val"] * 4 + ["test"] * 2
    assert source.labels.tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 0, 0]
    assert source.names[4] == f"{val}/dog/1.jpg"
    assert kinds(source) == [("eel", "untrained-class")]


def test_empty_splits_and_classes_are_named(tmp_path: Path) -> None:
    root = fill(tmp_path, *twos("train/cat", "train/dog", "val/cat"))
    (root / "val/dog").mkdir()
    (root / "test").mkdir()
    source = read_class_folder(root)
    assert source.classes == ("cat", "dog") and len(source) == 6
    assert kinds(source) == [("test", "empty-split"), ("val/dog", "empty-class")]
    (root / "train/eel").mkdir()
    assert read_class_folder(root).classes == ("cat", "dog")  # a class nobody has ever seen is none


def test_a_test_folder_without_classes_is_left_out_and_counted(tmp_path: Path) -> None:
    source = read_class_folder(fill(tmp_path, *twos("train/cat", "train/dog", "test")))
    assert set(np.asarray(source.roles).tolist()) == {"train"}
    assert kinds(source) == [("test", "empty-split"), ("test/1.jpg", "no-class"), ("test/2.jpg", "no-class")]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    source = read_class_folder(fill(tmp_path, *twos("bus", "train")))
    assert source.classes == ("bus", "train") and set(np.asarray(source.roles).tolist()) == {""}


def test_what_is_no_picture_is_counted(tmp_path: Path) -> None:
    root = fill(
        tmp_path, *twos("cat", "dog"), "cat/.DS_Store", "cat/notes.txt", "dog/phone.heic", "stray.png", "README.md"
    )
    fill(root, "dog/.ipynb_checkpoints/1.jpg", "__MACOSX/cat/._1.jpg", ".git/x.png")
    source = read_class_folder(root)
    assert len(source) == 4 and source.classes == ("cat", "dog")
    assert kinds(source) == [
        ("cat/.DS_Store", "not-an-image"),
        ("cat/notes.txt", "not-an-image"),
        ("dog/.ipynb_checkpoints", "not-an-image"),
        ("dog/phone.heic", "not-an-image"),
        ("stray.png", "no-class"),
    ]


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    secret = fill(tmp_path / "elsewhere", *twos("cat"))
    root = fill(tmp_path / "photos", *twos("cat", "dog", "dog/more"))
    (root / "cat/out.jpg").symlink_to(secret / "cat/1.jpg")
    (root / "cat/folder").symlink_to(secret / "cat")
    (root / "eel").symlink_to(secret / "cat")
    fill(tmp_path / "photos-private", *twos("cat"))  # a name that only begins like the root's
    (root / "cat/near.jpg").symlink_to(tmp_path / "photos-private/cat/1.jpg")
    (root / "cat/in.jpg").symlink_to(root / "cat/1.jpg")
    (root / "dog/more/loop").symlink_to(root / "dog")
    (root / "dog/broken.jpg").symlink_to(root / "dog/gone.jpg")
    source = read_class_folder(root)
    expected = ["cat/1.jpg", "cat/2.jpg", "cat/in.jpg", "dog/1.jpg", "dog/2.jpg", "dog/broken.jpg"]
    assert source.names == [*expected, "dog/more/1.jpg", "dog/more/2.jpg"]
    assert kinds(source) == [
        ("cat/folder", "outside-root"),
        ("cat/near.jpg", "outside-root"),
        ("cat/out.jpg", "outside-root"),
        ("dog/more/loop", "link-loop"),
        ("eel", "empty-class"),
        ("eel", "outside-root"),
    ]
    link = tmp_path / "link"
    link.symlink_to(root)  # the root itself may be one
    assert read_class_folder(link).names == source.names


def test_a_split_that_is_a_link_out_of_the_root_is_said(tmp_path: Path) -> None:
    outside = fill(tmp_path / "a", *twos("cat", "dog"))
    root = tmp_path / "b"
    root.mkdir()
    (root / "train").symlink_to(outside)
    refuse(root, "has no pictures in the class folders of its splits", "train/cat is a link that leads out of")


def test_groups_are_parent_folders(tmp_path: Path) -> None:
    source = read_class_folder(fill(tmp_path, *twos("cat/tom", "cat/kit", "dog/rex")), "folder")
    assert np.asarray(source.groups).tolist() == ["cat/kit"] * 2 + ["cat/tom"] * 2 + ["dog/rex"] * 2
    with pytest.raises(ConfigError, match="group must be folder .* got 'patient'"):
        read_class_folder(tmp_path, "patient")
    refuse(fill(tmp_path / "flat", *twos("cat", "dog")), "make folders inside the class folders", group="folder")
    fill(tmp_path / "splits", *twos("train/cat", "train/dog", "val/cat"))
    assert read_class_folder(tmp_path / "splits", "folder").groups is not None  # nothing is to be divided


def test_wrong_arrangements_are_told_what_to_do(tmp_path: Path) -> None:
    refuse(tmp_path / "gone", "gone does not exist: give a folder of pictures")
    refuse(fill(tmp_path, "file.jpg") / "file.jpg", "file.jpg is no folder")
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", "empty is empty")
    refuse(fill(tmp_path / "flat", *twos(".")), "holds 2 pictures but no class folders", "flat/cat/1.jpg", "path,label")
    refuse(fill(tmp_path / "table", *twos("."), "labels.csv"), "but a table: give", "labels.csv instead")
    refuse(fill(tmp_path / "text", "cat/a.txt", "dog/b.txt"), "has no pictures in class folders")
    refuse(fill(tmp_path / "flatsplits", *twos("train", "test")), "no pictures in the class folders of its splits")


def test_misspelt_splits_are_told_the_nearest_name(tmp_path: Path) -> None:
    root = fill(tmp_path / "a", *twos("train/cat", "train/dog", "tets/cat"))
    refuse(root, "the folder tets is no split (train, val, test). Did you mean test?")
    refuse(fill(tmp_path / "b", *twos("trian/cat", "trian/dog", "vall/cat")), "trian is no split", "mean train?")
    refuse(fill(tmp_path / "c", *twos("train/cat", "train/dog", "other/cat")), "other is no split", "move it away")
    refuse(fill(tmp_path / "d", *twos("val/a", "valid/a", "train/a")), "val and valid both name the val split")
    notes = fill(tmp_path / "e", *twos("train/cat", "train/dog"), "notes/read.txt")
    assert len(read_class_folder(notes)) == 4  # a folder without pictures does no harm


def test_names_that_are_no_unicode_can_be_printed(tmp_path: Path) -> None:
    root = fill(tmp_path, *twos("cat", "dog"))
    try:
        Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9")).mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for name in (b"a.jpg", b"\xff.jpg"):
        Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9/" + name)).touch()
    source = read_class_folder(root)
    assert source.classes == ("caf\ufffd", "cat", "dog")
    assert source.names[:2] == ["caf\ufffd/a.jpg", "caf\ufffd/\ufffd.jpg"]
    assert all(path.exists() for path in source.images)
    (root / "cat/two\nlines\x1b[31m.txt").touch()
    assert read_class_folder(root).problems[0].record == "cat/two\ufffdlines\ufffd[31m.txt"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is locked for this user")
def test_a_locked_folder_is_said(tmp_path: Path) -> None:
    root = fill(tmp_path, *twos("cat", "dog"))
    (root / "dog").chmod(0)
    try:
        refuse(root, "dog cannot be listed: Permission denied")
    finally:
        (root / "dog").chmod(0o755)
