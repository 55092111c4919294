"""Arrays: every layout and kind of label, and the text of each refusal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.readers.arrays import read_arrays, read_npz

N, H, W = 6, 5, 4
GREY = np.arange(N * H * W, dtype=np.uint8).reshape(N, H, W)
RGB = np.stack([GREY, GREY + 1, GREY + 2], axis=-1)
LABELS = np.array([0, 1, 1, 0, 2, 2])


def refuse(content: Any, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_arrays(content, "set")
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layouts_of_pictures() -> None:
    for images, expected in [
        (GREY, GREY),
        (RGB, RGB),
        (RGB.transpose(0, 3, 1, 2), RGB),
        (GREY[:, None], GREY[..., None]),
        (GREY[..., None], GREY[..., None]),
        (RGB / 255, RGB),
        ((RGB / 255).astype(np.float32), RGB),
    ]:
        source = read_arrays((images, LABELS))
        np.testing.assert_array_equal(source.images, expected)
        assert np.asarray(source.images).dtype == np.uint8
    assert source.names == ["0", "1", "2", "3", "4", "5"] and source.kind == "classify"


def test_many_floats_are_scaled_in_blocks() -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 2, 2), dtype=np.uint8)
    labels = np.arange(600) % 2
    np.testing.assert_array_equal(read_arrays((images / 255, labels)).images, images)
    broken = images / 255
    broken[520, 0, 0] = np.nan
    refuse((broken, labels), "set: image 520 holds NaN")


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (LABELS, ("0", "1", "2"), [0, 1, 1, 0, 2, 2]),
        (LABELS[:, None], ("0", "1", "2"), [0, 1, 1, 0, 2, 2]),
        (LABELS.tolist(), ("0", "1", "2"), [0, 1, 1, 0, 2, 2]),
        ([10, 9, 9, 10, -1, -1], ("9", "10"), [1, 0, 0, 1, -1, -1]),
        (["dog", "cat", "cat", "dog", "ant", "ant"], ("ant", "cat", "dog"), [2, 1, 1, 2, 0, 0]),
        (np.array(["b", "a", "a", "b", "a", "a"], dtype=object), ("a", "b"), [1, 0, 0, 1, 0, 0]),
        (np.array([b"b", b"a", b"a", b"b", b"a", b"a"]), ("a", "b"), [1, 0, 0, 1, 0, 0]),
        (np.array([True, False] * 3), ("False", "True"), [1, 0, 1, 0, 1, 0]),
    ],
)
def test_kinds_of_labels(labels: Any, classes: tuple[str, ...], expected: list[int]) -> None:
    source = read_arrays({"image": GREY, "label": labels})
    assert source.classes == classes and np.asarray(source.labels).tolist() == expected


def test_class_names_give_meaning_to_numbers_and_text() -> None:
    names = np.array(["zebra", "ant", "cat", "never seen"])
    source = read_arrays({"images": GREY, "labels": LABELS, "classes": names})
    assert source.classes == tuple(names) and np.asarray(source.labels).tolist() == LABELS.tolist()
    text = read_arrays({"x": GREY, "y": names[LABELS], "class_names": names})
    assert np.asarray(text.labels).tolist() == LABELS.tolist()
    refuse({"images": GREY, "labels": LABELS + 2, "classes": names}, "label '4' of record 4", "(0..3)")
    refuse({"images": GREY, "labels": ["ant", "fox"] * 3, "classes": names}, "label 'fox' of record 1", "zebra, ant")
    refuse({"images": GREY, "labels": LABELS, "classes": ["a", "b", "a"]}, "a class name occurs twice in a, b, a")


def test_splits_and_groups() -> None:
    split = ["train", "train", "valid", "", "test", "test"]
    source = read_arrays({"images": GREY, "labels": LABELS, "split": split, "group": [7, 7, 8, 8, 9, 9]})
    assert np.asarray(source.roles).tolist() == ["train", "train", "val", "", "test", "test"]
    assert source.names == ["train/0", "train/1", "val/0", "0", "test/0", "test/1"]
    assert np.asarray(source.groups).tolist() == [7, 7, 8, 8, 9, 9]
    other = read_arrays({"images": GREY, "labels": LABELS, "patient": list("aabbcc")}, group="patient")
    assert np.asarray(other.groups).tolist() == list("aabbcc")
    with pytest.raises(ConfigError, match=r"Unknown array for group 'patent'. Did you mean 'patient'\?"):
        read_arrays({"images": GREY, "labels": LABELS, "patient": list("aabbcc")}, group="patent")
    refuse({"images": GREY, "labels": LABELS, "split": ["trian"] * 6}, "trian is no split", "Did you mean train?")


def test_arrays_named_by_their_split_are_joined() -> None:
    medical = {"test_images": GREY[4:], "train_images": GREY[:4], "train_labels": LABELS[:4], "test_labels": LABELS[4:]}
    keras = {"x_train": GREY[:4], "y_train": LABELS[:4], "x_test": GREY[4:], "y_test": LABELS[4:]}
    for content in (medical, keras):
        source = read_arrays(content)
        np.testing.assert_array_equal(source.images, GREY)
        assert np.asarray(source.labels).tolist() == LABELS.tolist()
        assert np.asarray(source.roles).tolist() == ["train"] * 4 + ["test"] * 2
        assert source.names[3:5] == ["train/3", "test/0"]
    refuse({"x_train": GREY, "y_train": LABELS, "x_test": GREY}, "images for train, test, but labels for train")
    refuse(
        {"x_train": GREY, "x_val": GREY[:, 1:], "y_train": LABELS, "y_val": LABELS}, "one shape", "(6, 5, 4), (6, 4, 4)"
    )
    refuse({"x": GREY, "images": GREY, "y": LABELS}, "set has images twice: keep one")


def test_masks() -> None:
    masks = np.zeros((N, H, W), np.int64)
    masks[:, 0], masks[0, 1], masks[1, 2] = 1, 255, 2
    source = read_arrays((GREY, masks))
    assert source.kind == "segment" and source.classes == ("class 0", "class 1", "class 2")
    np.testing.assert_array_equal(np.asarray(source.masks), masks)
    gaps = np.where(masks == 2, 40, masks)
    source = read_arrays({"images": RGB, "masks": gaps[..., None]})
    assert source.classes == ("class 0", "class 1", "class 40") and source.mask_ids is None
    np.testing.assert_array_equal(np.asarray(source.masks), masks)
    binary = np.where(masks > 0, 255, 0)
    source = read_arrays({"images": GREY, "masks": binary, "classes": ["sky", "bird"]})
    np.testing.assert_array_equal(np.asarray(source.masks), binary // 255)
    assert source.classes == ("sky", "bird")
    refuse(
        {"images": GREY, "masks": gaps, "classes": list("abc")},
        "set: mask 1 holds the id 40 (first at row 2, column 0)",
        "only 0..2 are named",
    )
    refuse((GREY, masks[:, 1:]), "set: masks must have shape (N, H, W) = (6, 5, 4), got (6, 4, 4)")
    refuse((GREY, np.stack([masks] * 3, -1)), "set: masks must have shape (N, H, W)", "argmax of one-hot", "colours")
    refuse((GREY, masks - 1), "whole class ids from 0 to 255", "from -1 to 254")
    refuse((GREY, masks / 1), "whole class ids", "float64")
    refuse((GREY, np.zeros_like(masks)), "only class 0", "two classes or more")


def test_tensors_are_taken_as_they_are() -> None:
    import torch

    source = read_arrays({"images": torch.from_numpy(RGB).permute(0, 3, 1, 2), "labels": torch.from_numpy(LABELS)})
    np.testing.assert_array_equal(source.images, RGB)


def test_what_does_not_fit_is_said_with_both_shapes() -> None:
    refuse({"labels": LABELS}, "set must have images, and labels or masks; got labels")
    refuse({"images": GREY}, "must have images, and labels or masks; got images")
    refuse((GREY,), "must be a dict or a tuple (images, labels), got 1 items")
    refuse((GREY, LABELS[:5]), "set: labels must have shape (N) = (6), got (5,)")
    refuse((GREY, np.eye(6)), "got (6, 6)", "Take the argmax of one-hot labels")
    refuse((GREY, LABELS / 1), "labels must be whole numbers or text, got float64")
    refuse((GREY.reshape(N, -1), LABELS), "images must have shape (N, H, W), (N, H, W, C)", "got (6, 20)")
    refuse((np.zeros((N, H, W, 4), np.uint8), LABELS), "with C = 1 or 3", "got (6, 5, 4, 4)")
    refuse((GREY[:0], LABELS[:0]), "got (0, 5, 4)")
    refuse((GREY.astype(np.int64), LABELS), "set: image 0: pixels must be uint8 (0..255) or float (0..1), got int64")
    refuse((GREY.astype(float), LABELS), "float pixels must be in 0..1, got 0 to 19")
    refuse((GREY, ["a", "b", "", "a", "b", "a"]), "label '' of record 2 is none of the classes (a, b)")
    refuse((GREY, [[1], [2, 3]]), "set: labels is no array")
    refuse({"images": GREY, "labels": LABELS, "groups": [1, 2]}, "set: groups must have shape (N) = (6), got (2,)")


def test_npz_files(tmp_path: Path) -> None:
    path = tmp_path / "cells.npz"
    np.savez_compressed(path, images=GREY, labels=LABELS, classes=np.array(["a", "b", "c"]))
    source = read_npz(path)
    assert source.name == "cells" and source.classes == ("a", "b", "c") and source.card.origin == str(path)
    content = path.read_bytes()
    for length in (0, 3, 100, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"cells\.npz is no readable \.npz file"):
            read_npz(path)
    np.savez(path, images=GREY, labels=np.array([{}] * 6, dtype=object))
    with pytest.raises(DataError, match="holds Python objects, which are never loaded"):
        read_npz(path)
    with open(path, "wb") as file:
        np.save(file, GREY)
    with pytest.raises(DataError, match=r"is one array: save images and labels together with np\.savez"):
        read_npz(path)
