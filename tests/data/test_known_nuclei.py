"""Nuclei: tiles of three sides that share no pixel, from the published files and from small ones of the same format."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.known import KNOWN, download, nuclei
from pellucid.data.load import load
from pellucid.data.source import Source

NUCLEI = KNOWN["nuclei"]
REAL = os.environ.get("PELLUCID_NUCLEI", "")  # the wheel or its folder, where the package is not installed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Files like the published ones: the picture tells where each pixel lies, the mask has nuclei as squares."""
    ids = np.zeros((512, 512), np.uint16)
    for i, (row, column) in enumerate(np.ndindex(8, 8)):
        ids[row * 64 + 20 : row * 64 + 44, column * 64 + 30 : column * 64 + 50] = 300 + i  # above one byte
    ids[20:44, 50:70] = 7  # touches number 300
    image = np.arange(512, dtype=np.uint16)[None] * 100 + np.arange(512, dtype=np.uint16)[:, None] % 100
    Image.fromarray(image).save(tmp_path / "img2d.tif")
    Image.fromarray(ids).save(tmp_path / "mask2d.tif")
    return tmp_path


def read(place: Path | None) -> Source:
    return nuclei.read_nuclei(NUCLEI, place)


def wheel_of(place: Path, folder: str = "stardist/data/images") -> Path:
    path = place / "stardist-0.9.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in nuclei.FILES:
            archive.write(place / name, f"{folder}/{name}")
    return path


def test_the_sides_share_no_pixel_and_cover_the_picture(place: Path) -> None:
    source = read(place)
    assert source.kind == "segment" and source.classes == ("background", "nucleus") and len(source) == 73
    roles = np.asarray(source.roles)
    assert {role: int((roles == role).sum()) for role in ("train", "val", "test")} == NUCLEI.counts
    assert np.array_equal(np.asarray(source.groups), roles)
    seen = {role: np.zeros((512, 512), int) for role in NUCLEI.counts}
    for name, role in zip(source.names, roles, strict=True):
        words = name.partition("/")[2].split()
        seen[role][int(words[1]) : int(words[1]) + 128, int(words[3]) : int(words[3]) + 128] += 1
    assert sum((count > 0).astype(int) for count in seen.values()).tolist() == np.ones((512, 512)).tolist()
    assert seen["test"].max() == seen["val"].max() == 1  # each pixel is measured once
    columns = {role: np.flatnonzero(count.any(axis=0)) for role, count in seen.items()}
    assert columns["train"].max() < columns["val"].min() and columns["val"].max() < columns["test"].min()


def test_greys_are_scaled_by_the_training_side_alone(place: Path) -> None:
    before = read(place)
    image = np.array(Image.open(place / "img2d.tif"))
    low, high = np.percentile(image[:, :256], (1, 99.8))
    train = np.rint(np.clip((image[:128, :128] - low) / (high - low), 0, 1) * 255)
    assert np.array_equal(np.asarray(before.images)[0], train)
    image[:, 256:] = 60_000  # what the other sides hold changes nothing in training
    Image.fromarray(image).save(place / "img2d.tif")
    after = read(place)
    is_train = np.asarray(before.roles) == "train"
    assert np.array_equal(np.asarray(before.images)[is_train], np.asarray(after.images)[is_train])
    assert (np.asarray(after.images)[~is_train] == 255).all()
    assert nuclei.to_eight_bits(np.full((2, 2), 9), np.full(3, 9)).tolist() == [[0, 0], [0, 0]]


def test_masks_have_two_classes_and_things_keep_their_numbers_apart(place: Path) -> None:
    source = read(place)
    assert source.objects is not None and source.masks is not None
    assert set(np.unique(np.asarray(source.masks))) == {0, 1}
    first = source.objects[0]  # columns 0..127: squares of two columns, two rows, and the one that touches
    assert len(first) == 5 and set(first.labels.tolist()) == {1}
    boxes = {tuple(box) for box in first.boxes_xyxy.tolist()}
    assert {(30, 20, 50, 44), (50, 20, 70, 44), (94, 20, 114, 44)} <= boxes
    for mask, objects in zip(source.masks, source.objects, strict=True):
        assert np.array_equal(objects.dense().sum(0), mask)  # the things cover the mask, and never each other
    assert len(nuclei.things(np.zeros((4, 4), np.uint16))) == 0


def test_a_wheel_the_package_or_a_folder_will_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = wheel_of(place)
    package = place / "site" / "stardist"
    (package / "data" / "images").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    for name in nuclei.FILES:
        (package / "data" / "images" / name).write_bytes((place / name).read_bytes())
    monkeypatch.syspath_prepend(place / "site")
    monkeypatch.setenv("PELLUCID_CACHE", str(place / "cache"))
    assert NUCLEI.is_here and NUCLEI._find(None) == package
    for found in (wheel, package, package.parent, NUCLEI._find(None)):
        assert np.array_equal(np.asarray(read(found).images), np.asarray(read(place).images))


def test_other_files_are_refused_with_how_to_get_the_right_ones(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(place / "cache"))
    monkeypatch.setattr("pellucid.data.known.record.find_spec", lambda name: None)
    how = r"pip install --no-deps stardist==0\.9\.2"
    for data, words in (
        ("nuclei", f"nuclei is not on this machine.*{how}"),
        (f"nuclei:{place}/nowhere", f"is no folder.*{how}"),
        (f"nuclei:{place}", rf"not the published pictures.*{how}"),
        (f"nuclei:{wheel_of(place, 'elsewhere')}", f"holds no stardist/data/images/img2d.tif.*{how}"),
        (f"nuclei:{place}/img2d.tif", f"img2d.tif cannot be read as a wheel.*{how}"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            load(data)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=f"comes with a package and is not fetched.*{how}"):
        download("nuclei")
    (place / "mask2d.tif").unlink()
    with pytest.raises(DataError, match=rf"has no mask2d\.tif.*{how}"):
        load(f"nuclei:{place}")
    Image.new("I;16", (512, 511)).save(place / "mask2d.tif")
    with pytest.raises(DataError, match="must be 512x512, got 512x512 and 511x512"):
        load(f"nuclei:{place}")
    Image.new("RGB", (512, 512)).save(place / "mask2d.tif")
    with pytest.raises(
        DataError, match="mask2d.tif cannot be used: .* must be grey with 8 or 16 bits a pixel, got RGB"
    ):
        load(f"nuclei:{place}")
    (place / "mask2d.tif").write_bytes((place / "img2d.tif").read_bytes()[:9000])
    with pytest.raises(DataError, match="mask2d.tif cannot be used: .* damaged"):
        load(f"nuclei:{place}")


@pytest.mark.skipif(not (REAL or NUCLEI.is_here), reason="stardist's files are not here")
def test_the_published_files_hold_125_nuclei() -> None:
    source = load(f"nuclei:{REAL}" if REAL else "nuclei")  # checks the digest
    assert source.objects is not None
    ids = nuclei._read(Path(REAL) if REAL else NUCLEI._find(None) or Path(), "mask2d.tif")
    assert len(np.unique(ids)) == 1 + 125 and (ids > 0).mean() == pytest.approx(0.199, abs=0.001)
    assert sum(map(len, source.objects)) == 790
