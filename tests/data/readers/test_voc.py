"""Pascal VOC's folders, with real palette PNGs."""

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.load import load
from pellucid.data.pack.make import make_pack
from pellucid.data.readers.voc import CLASSES, read_voc, voc_colours
from pellucid.data.source import Source

# The first colours as the development kit's table prints them, and the last, of the border.
PUBLISHED = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 4: (0, 0, 128), 8: (64, 0, 0)}
PUBLISHED |= {15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}


def pair(year: Path, name: str, ids: np.ndarray, mode: str = "P") -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (year / folder).mkdir(parents=True, exist_ok=True)
    height, width = ids.shape
    Image.new("RGB", (width, height), (40, 90, 160)).save(year / "JPEGImages" / f"{name}.jpg")
    mask = Image.fromarray(ids, "L").convert("L")
    mask.putpalette([value for colour in voc_colours() for value in colour])
    mask.convert(mode).save(year / "SegmentationClass" / f"{name}.png")


def listed(year: Path, **lists: str) -> None:
    folder = year / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True, exist_ok=True)
    for name, stems in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{stem}\n" for stem in stems.split()))


def ids(*values: int) -> np.ndarray:
    """A 4x5 mask with these values first, background else, and a border."""
    mask = np.zeros((4, 5), np.uint8)
    mask.flat[: len(values)] = values
    mask[3] = 255
    return mask


@pytest.fixture
def year(tmp_path: Path) -> Path:
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for name, values in (("2007_1", (0, 1)), ("2007_2", (15, 20)), ("2008_3", (0, 2)), ("2008_4", (7,))):
        pair(root, name, ids(*values))
    Image.new("RGB", (5, 4)).save(root / "JPEGImages" / "2009_detection.jpg")
    listed(root, train="2007_1 2007_2", val="2008_3", trainval="2007_1 2007_2 2008_3 2008_4")
    return root


def roles(source: Source) -> dict[str, str]:
    return dict(zip(source.names, np.asarray(source.roles).tolist(), strict=True))


def test_the_colours_are_those_of_the_development_kit() -> None:
    colours = voc_colours()
    assert {i: colours[i] for i in PUBLISHED} == PUBLISHED
    assert len(set(colours)) == 256


def test_lists_say_who_is_who_and_indices_are_ids(year: Path) -> None:
    for root in (year, year.parent, year.parent.parent):
        source = load(root)
        assert source.classes == CLASSES and len(CLASSES) == 21 and source.mask_ids is None
        assert source.name == "VOC2012" and source.problems == []  # pictures of other tasks are no problem
        assert roles(source) == {
            "JPEGImages/2007_1.jpg": "train",
            "JPEGImages/2007_2.jpg": "train",
            "JPEGImages/2008_3.jpg": "val",
            "JPEGImages/2008_4.jpg": "",
        }
    pack = make_pack(source, (4, 5), 3, "crop", (0, 0, 0), cache=year)
    for mask, values in zip(pack.targets["mask"], ((0, 1), (15, 20), (0, 2), (7,)), strict=True):
        assert np.array_equal(mask, ids(*values))


def test_masks_saved_as_rgb_are_read_by_the_colours(year: Path) -> None:
    for name, values in (("2007_1", (0, 1)), ("2008_3", (15, 20, 255))):
        pair(year, name, ids(*values), "RGB")
    pack = make_pack(load(year), (4, 5), 3, "crop", (0, 0, 0), cache=year)
    for mask, values in zip(pack.targets["mask"], ((0, 1), (15, 20), (15, 20, 255), (7,)), strict=True):
        assert np.array_equal(mask, ids(*values))
    pair(year, "2007_2", ids(3, 21, 22), "RGB")  # colours of the palette, but of no class
    colour = f"{' '.join(map(str, voc_colours()[21]))} at row 0, column 1"
    with pytest.raises(DataError, match=rf"2007_2\.png has the colour {colour}, .* \(1 of 4 masks hold"):
        load(year)


def test_an_index_beyond_the_classes_is_named_with_its_place(year: Path) -> None:
    pair(year, "2007_2", ids(0, 0, 37, 21))
    with pytest.raises(DataError) as caught:
        load(year)
    assert str(caught.value).startswith(str(year / "SegmentationClass" / "2007_2.png"))
    assert "holds the ids 21, 37 (first at row 0, column 3), but only 0..20 are named" in str(caught.value)
    assert "1 of 4 masks" in str(caught.value) and "classes.txt" in str(caught.value)
    (year / "classes.txt").write_text("\n".join(f"thing {i}" for i in range(38)))
    assert load(year).classes[37] == "thing 37"


def test_an_index_beyond_the_palette_is_no_colour(year: Path) -> None:
    """Index 30 where the palette has two entries: made by hand, as no library writes it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes(row) for row in ids(0, 1, 30).tolist())
    header = struct.pack(">IIBBBBB", 5, 4, 8, 3, 0, 0, 0)
    parts = (b"IHDR", header), (b"PLTE", bytes([0, 0, 0, 128, 0, 0])), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    path = year / "SegmentationClass" / "2007_1.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    with pytest.raises(DataError, match=r"2007_1\.png holds the id 30 \(first at row 0, column 2\), but only 0\.\.20"):
        load(year)


def test_without_lists_every_mask_counts(year: Path) -> None:
    shutil.rmtree(year / "ImageSets")
    Image.new("L", (5, 4)).save(year / "SegmentationClass" / "widow.png")
    source = load(year)
    assert set(roles(source).values()) == {""} and len(source) == 4
    assert [(problem.record, problem.kind) for problem in source.problems] == [("SegmentationClass/widow", "no-image")]


def test_lists_with_marks_blanks_and_windows_ends(year: Path) -> None:
    pair(year, "my photo 1", ids(3))
    folder = year / "ImageSets" / "Segmentation"
    (folder / "train.txt").write_bytes("\ufeff2007_1 -1\r\n2007_2  1\r\n\r\nmy photo 1\r\n".encode())
    source = load(year)
    assert source.problems == [] and roles(source)["JPEGImages/my photo 1.jpg"] == "train"
    assert [name for name, role in roles(source).items() if role == "train"][:2] == [
        "JPEGImages/2007_1.jpg",
        "JPEGImages/2007_2.jpg",
    ]
    (folder / "train.txt").write_bytes(b"\xff\xfe\x00 no text")
    with pytest.raises(DataError, match=r"train\.txt cannot be read as a list of names"):
        load(year)


def test_lists_that_name_what_is_not_there(year: Path) -> None:
    listed(year, train="2007_1 2009_detection ../../etc/passwd", test="2007_2")
    source = load(year)
    assert {problem.record: problem.kind for problem in source.problems} == {
        "JPEGImages/2009_detection.jpg": "no-mask",
        "../../etc/passwd": "missing",
    }
    assert roles(source)["JPEGImages/2007_2.jpg"] == "test"
    listed(year, val="2007_1")
    with pytest.raises(DataError, match=r"val\.txt names 2007_1, which train\.txt has too"):
        load(year)


def test_several_years_no_year_and_no_groups(year: Path) -> None:
    with pytest.raises(ConfigError, match="Pascal VOC, which has no groups: leave out group=folder"):
        load(year, group="folder")
    with pytest.raises(DataError, match="must hold JPEGImages/ and SegmentationClass/"):
        read_voc(year / "JPEGImages")
    pair(year.parent / "VOC2007", "a", ids(1))
    with pytest.raises(DataError, match="holds 2 years, VOC2007, VOC2012: give one"):
        load(year.parent)
