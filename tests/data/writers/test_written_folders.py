"""Sets in memory, written to folders and read back by the readers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError, WriteError
from pellucid.data.images import read_image, read_mask
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.readers.object_lines import object_line, read_object_lines
from pellucid.data.source import Source
from pellucid.data.writers.class_folder import cut_out, folder_names, write_class_folder
from pellucid.data.writers.mask_folder import write_mask_folder
from pellucid.data.writers.names import stem_of
from pellucid.data.writers.new_folder import new_folder

RNG = np.random.default_rng(0)
NAMES = ["train/0", "train/1", "val/0", "test/deep/0"]
ROLES = np.array(["train", "train", "val", "test"])


def by_stem(source: Source) -> dict[tuple[str, str], int]:
    """Split and name without folders above it -> row."""
    names = [name.rsplit(".", 1)[0].split(role + "/")[1] for name, role in zip(source.names, source.roles, strict=True)]
    return {(role, name): i for i, (role, name) in enumerate(zip(source.roles.tolist(), names, strict=True))}


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_masks_come_back_as_they_were(tmp_path, shape):
    images = RNG.integers(256, size=(4, *shape), dtype=np.uint8)
    masks = RNG.integers(3, size=(4, 5, 7), dtype=np.uint8)
    masks[0, 0, 0] = 255
    source = Source("given", images, NAMES, ("background", "ein Käfer", "dog"), masks=masks, roles=ROLES)
    write_mask_folder(source, tmp_path / "out")
    back = load(tmp_path / "out", strict=True)
    assert back.classes == source.classes and back.mask_ids is None
    rows = by_stem(back)
    for i, key in enumerate([("train", "0"), ("train", "1"), ("val", "0"), ("test", "deep/0")]):
        assert np.array_equal(read_mask(back.masks[rows[key]]), masks[i])
        assert np.array_equal(
            read_image(back.images[rows[key]], channels=1 if len(shape) < 3 or shape[2] == 1 else 3),
            images[i].reshape(5, 7, -1),
        )
    with Image.open(tmp_path / "out" / "masks" / "train" / "0.png") as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)  # ignore
        colours = np.array(image.convert("RGB"))
    assert (colours[masks[0] == 0] == 0).all() and (colours[masks[0] == 1] != 0).any()


def test_classes_come_back_as_they_were(tmp_path):
    images = RNG.integers(256, size=(4, 6, 6, 3), dtype=np.uint8)
    source = Source("given", images, NAMES, ("T-shirt/top", "bag"), labels=np.array([0, 1, 0, 1]), roles=ROLES)
    write_class_folder(source, tmp_path)  # exists, and is empty
    back = load(tmp_path)
    assert back.classes == ("T-shirt-top", "bag")
    assert sorted(back.roles) == sorted(ROLES)
    found = {
        (role, back.classes[label], read_image(path).tobytes())
        for role, label, path in zip(back.roles, back.labels, back.images, strict=True)
    }
    assert found == {
        (role, back.classes[label], image.tobytes())
        for role, label, image in zip(ROLES, source.labels, images, strict=True)
    }


def test_without_splits_there_is_no_folder_for_them(tmp_path):
    source = Source(
        "given", np.zeros((3, 4, 4), dtype=np.uint8), ["0", "1", "2"], ("a", "b"), labels=np.array([0, 1, 1])
    )
    write_class_folder(source, tmp_path / "out")
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.png")) == [
        "a/0.png", "b/1.png", "b/2.png",
    ]  # fmt: skip


def test_names_keep_what_is_above_them_but_for_the_split():
    roles = np.array(["train", "train", "test", "train"])
    names = ["train/17", "cows/train/3.png", "../x", "train"]
    given = Source("given", np.zeros((4, 2, 2)), names, ("a", "b"), roles=roles)
    assert [stem_of(given, row) for row in range(4)] == [
        ("train", "17"),
        ("train", "cows/train/3.png"),
        ("test", "x"),
        ("train", "3"),
    ]
    assert stem_of(Source("given", np.zeros((1, 2, 2)), ["cows/3"], ("a", "b")), 0) == ("", "cows/3")


def small(**changed) -> Source:
    parts = {"images": np.zeros((2, 4, 4), dtype=np.uint8), "names": ["0", "1"], "classes": ("a", "b")}
    return Source("given", **{**parts, **changed})


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is not empty: name a folder that does not exist yet"):
        write_class_folder(small(labels=[0, 1]), tmp_path)
    with pytest.raises(DataError, match="is a file: name a folder"):
        write_class_folder(small(labels=[0, 1]), tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_one_stands_in_is_filled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_class_folder(small(labels=[0, 1]), Path("."))
    assert sorted(path.name for path in Path(".").iterdir()) == ["a", "b"]


def test_what_was_begun_is_removed_when_it_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "out") as place:
        (place / "half").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path) as place:  # it exists, and stays
        (place / "half").write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WriteError, match="Cannot write .*out: a part of the path is a file"),
        new_folder(tmp_path / "file" / "out"),
    ):
        pass


@pytest.mark.parametrize(
    ("write", "source", "said"),
    [
        (write_class_folder, small(labels=[0, -1]), "class folders need a class for every picture"),
        (write_class_folder, small(), "class folders need a class for every picture"),
        (write_class_folder, small(labels=[0, 1], names=["0", "./0"]), "two pictures are called ./0: one"),
        (write_mask_folder, small(labels=[0, 1]), "needs a mask for every picture, in memory"),
        (write_class_folder, small(labels=[0, 1], roles=np.array(["train", ""])), "1 pictures belong to no split"),
        (write_class_folder, small(labels=[0, 1], images=["a.png", "b.png"]), "lie in files already; copy those"),
        (write_class_folder, small(labels=[0, 1], classes=("a/b", "a:b")), "'a:b' cannot have a folder of its own"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(tmp_path, write, source, said):
    with pytest.raises(DataError, match=said):
        write(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_of_folders():
    assert folder_names(["T-shirt/top", "a  b", "CON: x?", "bag."]) == ["T-shirt-top", "a b", "CON- x-", "bag"]
    for classes in (["Bag", "bag"], ["..", "a"], ["a", ""]):
        with pytest.raises(DataError, match="cannot have a folder of its own"):
            folder_names(classes)


def test_cut_out_takes_a_margin_where_there_is_one():
    image = np.arange(100).reshape(10, 10)
    assert cut_out(image, (2, 3, 6, 5), margin=0).tolist() == image[3:5, 2:6].tolist()
    assert cut_out(image, (0, 4, 10, 9), margin=0.2).tolist() == image[3:10].tolist()


def test_things_come_back_by_the_names_of_their_classes(tmp_path):
    first = Objects([[0, 0, 2, 2], [1, 1, 3, 4]], np.array([1, 0]), np.ones((2, 4, 4)), np.ones((2, 3, 3)))
    lines = [object_line("a.png", first, ["bag", "shoe"]), object_line("b.png", Objects.empty(), ["bag", "shoe"])]
    path = tmp_path / "objects.jsonl"
    path.write_text("\n".join(lines))
    nothing, back = read_object_lines(path, ["b.png", "a.png"], ["background", "bag", "shoe"])
    assert len(nothing) == 0
    assert back.labels.tolist() == [2, 1] and back.masks == first.masks
    assert np.array_equal(back.boxes_xyxy, first.boxes_xyxy) and np.array_equal(back.keypoints, first.keypoints)
    with pytest.raises(DataError, match="objects.jsonl says nothing of c.png and 1 more"):
        read_object_lines(path, ["a.png", "c.png", "d.png"], ["bag", "shoe"])
    with pytest.raises(DataError, match="line 1: there is no class or field 'shoe'"):
        read_object_lines(path, ["a.png"], ["bag"])
    for text in ("[]", "{", '{"image": 1}', '{"image": "a", "classes": 3}'):
        path.write_text(text)
        with pytest.raises(DataError, match="objects.jsonl, line 1"):
            read_object_lines(path, [], ["bag"])
    with pytest.raises(DataError, match="cannot be read"):
        read_object_lines(tmp_path / "none", [], [])
