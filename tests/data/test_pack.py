import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.core.progress import Quiet
from pellucid.data.canvas import place
from pellucid.data.images import read_image, read_mask, read_size
from pellucid.data.pack import Pack, decode, make_pack
from pellucid.data.source import Source

WHITE = (255, 255, 255)
SIZE = (12, 14)


def photos(folder: Path, n: int = 9) -> list[Path]:
    """Pictures of many shapes, PNG and JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(n):
        pixels = np.random.default_rng(k).integers(0, 256, (10 + 3 * k, 30 - 2 * k, 3), dtype=np.uint8)
        paths.append(folder / f"{k}.{'png' if k % 2 else 'jpg'}")
        Image.fromarray(pixels).save(paths[-1])
    return paths


def masks_of(paths: list[Path], ids: int = 3) -> list[Path]:
    found = []
    for path in paths:
        height, width = read_size(path)
        ramp = (np.arange(height * width) // 7 % ids).astype(np.uint8).reshape(height, width)
        found.append(path.with_name(f"{path.stem}-mask.png"))
        Image.fromarray(ramp).save(found[-1])
    return found


def source_of(paths: list[Path], **changes: object) -> Source:
    content = {"labels": np.arange(len(paths)) % 3, "classes": ("a", "b", "c"), **changes}
    return Source("photos", paths, [path.name for path in paths], **content)


def pack_it(source: Source, cache: Path, fit: str = "crop", **changes: object) -> Pack:
    return make_pack(source, SIZE, 3, fit, WHITE, cache=cache, **changes)


def no_decoding(*_: object) -> None:
    raise AssertionError("a picture was decoded again")


# ------------------------------------------------------------------------------------------------------ from files


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("cores", [1, 3])
def test_a_pack_holds_every_picture_on_its_canvas(tmp_path, fit, cores, monkeypatch):
    monkeypatch.setattr(decode, "_cores", lambda: cores)
    monkeypatch.setattr(decode, "BLOCK", 2)
    source = source_of(photos(tmp_path / "photos"))
    pack = pack_it(source, tmp_path / "packs", fit)
    assert len(pack) == 9
    assert pack.problems == [] and pack.note == ""
    assert pack.path.parent == tmp_path / "packs"
    assert isinstance(pack.images, np.memmap)
    for row, path in enumerate(source.images):
        placed = place(read_image(path), SIZE, fit, WHITE)
        assert np.array_equal(pack.images[row], placed.image)
        for key, expected in (
            ("valid_hw", placed.valid_hw),
            ("original_hw", placed.original_hw),
            ("canvas_affine", placed.affine),
        ):
            assert np.array_equal(pack.targets[key][row], expected)
    assert np.array_equal(pack.targets["label"], source.labels)
    assert pack.names == source.names
    assert pack.rows.tolist() == list(range(9))


def test_the_second_time_nothing_is_decoded(tmp_path, monkeypatch):
    paths = photos(tmp_path / "photos")
    source = source_of(paths, masks=masks_of(paths))
    first = pack_it(source, tmp_path / "packs")
    monkeypatch.setattr(decode, "read_image", no_decoding)
    again = pack_it(source, tmp_path / "packs")
    assert again.path == first.path
    assert np.array_equal(again.images, first.images)
    assert set(again.targets) == set(first.targets) == {"label", "mask", "valid_hw", "original_hw", "canvas_affine"}
    for key in first.targets:
        assert np.array_equal(again.targets[key], first.targets[key])
        assert again.targets[key].dtype == first.targets[key].dtype


def test_other_labels_need_no_new_pack(tmp_path, monkeypatch):
    paths = photos(tmp_path / "photos")
    pack_it(source_of(paths), tmp_path / "packs")
    monkeypatch.setattr(decode, "read_image", no_decoding)
    assert pack_it(source_of(paths, labels=np.zeros(9)), tmp_path / "packs").targets["label"].tolist() == [0] * 9


def test_a_changed_file_or_setting_makes_another_pack(tmp_path):
    source, folder = source_of(photos(tmp_path / "photos")), tmp_path / "packs"
    packed = {pack_it(source, folder).path}
    packed.add(pack_it(source, folder, "pad").path)
    packed.add(make_pack(source, (12, 15), 3, "crop", WHITE, cache=folder).path)
    packed.add(make_pack(source, SIZE, 1, "crop", WHITE, cache=folder).path)
    packed.add(make_pack(source, SIZE, 3, "crop", (0, 0, 0), cache=folder).path)
    packed.add(pack_it(source.take(np.arange(5)), folder).path)
    Image.new("RGB", (20, 20), (1, 2, 3)).save(source.images[3])
    changed = pack_it(source, folder)
    packed.add(changed.path)
    assert (changed.images[3] == (1, 2, 3)).all()
    os.utime(source.images[3], ns=(0, 0))
    packed.add(pack_it(source, folder).path)
    assert len(packed) == 8 == len(list(folder.iterdir()))


def test_a_moved_folder_finds_its_pack(tmp_path, monkeypatch):
    source = source_of(photos(tmp_path / "photos"))
    first = pack_it(source, tmp_path / "packs")
    shutil.move(tmp_path / "photos", tmp_path / "elsewhere")
    monkeypatch.setattr(decode, "read_image", no_decoding)
    moved = source_of([tmp_path / "elsewhere" / path.name for path in source.images])
    assert pack_it(moved, tmp_path / "packs").path == first.path


def test_writing_into_a_pack_changes_no_file(tmp_path):
    source = source_of(photos(tmp_path / "photos"))
    pack = pack_it(source, tmp_path / "packs")
    before = pack.images[0].copy()
    pack.images[0] = 0
    assert np.array_equal(pack_it(source, tmp_path / "packs").images[0], before)


def test_progress_is_told(tmp_path):
    class Heard(Quiet):
        def bar(self, label, total):
            self.label, self.total = label, total
            return super().bar(label, total)

    heard = Heard()
    pack_it(source_of(photos(tmp_path / "photos")), tmp_path / "packs", progress=heard)
    assert (heard.label, heard.total) == ("Packing pictures", 9)


# ------------------------------------------------------------------------------------------------- broken records


def test_broken_pictures_are_left_out_and_named(tmp_path):
    paths = photos(tmp_path / "photos")
    paths[0].write_bytes(b"")
    paths[4].write_bytes(paths[4].read_bytes()[:200])
    paths[8].unlink()
    source = source_of(paths)
    for _ in range(2):  # decoded, then found again
        pack = pack_it(source, tmp_path / "packs")
        assert pack.rows.tolist() == [1, 2, 3, 5, 6, 7]
        assert pack.names == [paths[row].name for row in pack.rows]
        assert [(problem.record, problem.kind) for problem in pack.problems] == [
            ("0.jpg", "empty"),
            ("4.jpg", "damaged"),
            ("8.jpg", "missing"),
        ]
        assert pack.targets["label"].tolist() == [1, 2, 0, 2, 0, 1]
        assert all(len(values) == 6 for values in pack.targets.values())
        for n, row in enumerate(pack.rows):
            placed = place(read_image(paths[row]), SIZE, "crop", WHITE)
            assert np.array_equal(pack.images[n], placed.image)
            assert np.array_equal(pack.targets["original_hw"][n], placed.original_hw)
            assert np.array_equal(pack.targets["canvas_affine"][n], placed.affine)


def test_strict_and_all_broken_are_refused(tmp_path):
    paths = photos(tmp_path / "photos", 3)
    paths[1].write_bytes(b"")
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            pack_it(source_of(paths), tmp_path / "packs", strict=True)
        assert str(caught.value) == (
            f"photos: 1 of 3 pictures cannot be used. The first: {paths[1]} is empty (0 bytes). "
            "Repair or remove them, or leave out --strict to go on without them."
        )
    for path in paths:
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^photos: none of the 3 pictures can be used\. The first: .*0\.jpg is empty"):
        pack_it(source_of(paths), tmp_path / "packs")
    with pytest.raises(DataError, match=r"^photos holds no pictures\.$"):
        pack_it(source_of([]), tmp_path / "packs")


def test_masks_move_with_their_pictures(tmp_path):
    paths = photos(tmp_path / "photos")
    masks: list[Path | None] = list(masks_of(paths))
    masks[2] = None
    source = source_of(paths, masks=masks, mask_ids={0: 2, 1: 0, 2: 255})
    pack = pack_it(source, tmp_path / "packs", "pad")
    assert pack.problems == []
    table = np.array([2, 0, 255], np.uint8)
    for row, path in enumerate(paths):
        mask = np.full(read_size(path), 255, np.uint8) if row == 2 else table[read_mask(masks[row])]
        expected = place(read_image(path), SIZE, "pad", WHITE, mask)
        assert np.array_equal(pack.targets["mask"][row], expected.mask)


def test_masks_that_do_not_fit_are_named(tmp_path):
    paths = photos(tmp_path / "photos", 4)
    masks = masks_of(paths)
    Image.new("L", (5, 6)).save(masks[1])
    height, width = read_size(paths[2])
    Image.new("L", (width, height), 7).save(masks[2])
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(paths[3].with_suffix(".jpg"))
    pack = pack_it(source_of(paths, masks=masks), tmp_path / "packs")
    assert pack.rows.tolist() == [0, 3]
    size, value = pack.problems
    assert (size.record, size.kind) == ("1.png", "mask-size")
    assert size.reason == (f"{masks[1]}: the mask is 6x5 pixels but its picture is 13x28. Save both at one size.")
    assert (value.record, value.kind) == ("2.jpg", "mask-id")
    assert value.reason == (
        f"{masks[2]}: the mask has the value 7 (first at row 0, column 0), which is no class (allowed: 0..2, and "
        "255 = ignore). Repair the mask or name its values."
    )


# ------------------------------------------------------------------------------------------------------ from arrays


@pytest.mark.parametrize("c", [1, 3])
def test_arrays_of_the_right_size_are_not_copied(tmp_path, c):
    images = np.random.default_rng(0).integers(0, 256, (6, 12, 14, c), dtype=np.uint8)
    masks = np.random.default_rng(0).integers(0, 2, (6, 12, 14), dtype=np.uint8)
    given = images[..., 0] if c == 1 else images
    source = Source("arrays", given, list("abcdef"), ("x", "y"), masks=masks)
    pack = make_pack(source, SIZE, c, "crop", WHITE, cache=tmp_path)
    assert np.shares_memory(pack.images, images) and np.array_equal(pack.images, images)
    assert np.shares_memory(pack.targets["mask"], masks)
    assert "label" not in pack.targets
    assert (pack.targets["original_hw"] == SIZE).all() and (pack.targets["valid_hw"] == SIZE).all()
    assert (pack.targets["canvas_affine"] == np.eye(2, 3)).all()
    assert pack.path is None and not list(tmp_path.iterdir())


def test_arrays_of_another_size_or_colour_are_placed(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (6, 20, 30), dtype=np.uint8)
    source = Source("arrays", images, list("abcdef"), ("x",), labels=np.zeros(6))
    in_memory = pack_it(source, tmp_path)
    assert in_memory.path is None
    monkeypatch.setattr("pellucid.data.pack.make.IN_MEMORY_UP_TO", 10)
    on_disk = pack_it(source, tmp_path)
    assert on_disk.path.exists()
    for pack in (in_memory, on_disk):
        for row in range(6):
            assert np.array_equal(pack.images[row], place(read_image(images[row]), SIZE, "crop", WHITE).image)
    images[5, 0, 0] ^= 1  # another content is another pack
    assert pack_it(source, tmp_path).path != on_disk.path


def test_masks_in_arrays_are_mapped_and_checked_without_touching_them(tmp_path):
    images = np.zeros((4, 12, 14, 3), np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None]
    masks = np.array([10, 20, 99, 255], np.uint8)[:, None, None] * np.ones((12, 14), np.uint8)
    before = masks.copy()
    source = Source("arrays", images, list("abcd"), ("x", "y"), labels=np.array([0, 1, 1, 0]), masks=masks)
    source.mask_ids = {10: 0, 20: 1}
    pack = make_pack(source, SIZE, 3, "crop", WHITE, cache=tmp_path)
    assert np.array_equal(masks, before)
    assert pack.rows.tolist() == [0, 1, 3]
    assert [mask[0, 0] for mask in pack.targets["mask"]] == [0, 1, 255]
    assert [image[0, 0, 0] for image in pack.images] == [0, 1, 3]
    assert pack.targets["label"].tolist() == [0, 1, 0]
    assert [(p.record, p.kind) for p in pack.problems] == [("c", "mask-id")]
    assert pack.problems[0].reason.startswith(
        "c: the mask has the value 99 (first at row 0, column 0), which is no class (allowed: 10, 20, and 255"
    )
