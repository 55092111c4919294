"""Masks as they should not be: each is told in one line, with the file, what is wrong, where, and what to do."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.load import load
from pellucid.data.source import Source

N, SIDE = 6, 40


def things(seed: int) -> np.ndarray:
    """(40, 40) background and two squares."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for k in (1, 2):
        top, left = rng.integers(0, SIDE - 14, 2)
        mask[top : top + 14, left : left + 14] = k
    mask[0, 0] = 0
    return mask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(N):
        Image.new("RGB", (SIDE, SIDE), (i, 90, 30)).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(things(i)).save(tmp_path / "masks" / f"{i}.png")
    return tmp_path


def repaint(root: Path, change: Callable[[np.ndarray], np.ndarray | Image.Image], n: int = N, end: str = "png") -> None:
    """Change the first `n` masks."""
    for i in range(n):
        path = root / "masks" / f"{i}.png"
        changed = change(np.array(Image.open(path)))
        path.unlink()
        (changed if isinstance(changed, Image.Image) else Image.fromarray(changed)).save(path.with_suffix(f".{end}"))


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def kinds(source: Source) -> dict[str, str]:
    return {problem.record: problem.kind for problem in source.problems}


def test_sound_masks_have_no_problem(root: Path) -> None:
    source = load(root)
    assert len(source) == N and source.problems == [] and source.classes == ("class 0", "class 1", "class 2")


def test_another_size(root: Path) -> None:
    repaint(root, lambda mask: mask[:30], 2)
    source = load(root)
    assert kinds(source) == {"images/0.png": "size-mismatch", "images/1.png": "size-mismatch"}
    repaint(root, lambda mask: mask[:20])
    assert "usable mask of the same name and size. The first of 6 problems (6 size-mismatch): images/0.png: the " in (
        said := refusal(root)
    )
    assert "picture is 40x40 (height x width), its mask 0.png 20x40: save both at one size" in said


def test_ids_without_a_name(root: Path) -> None:
    (root / "classes.txt").write_text("background\nsquare\n")
    repaint(root, lambda mask: np.where(mask == 1, 0, mask), 3)  # these hold 0 and 2, the others 0 to 2
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[7, 11] = 9
    Image.fromarray(mask).save(root / "masks" / "5.png")
    said = refusal(root)
    row, column = np.argwhere(np.array(Image.open(root / "masks/0.png")) == 2)[0]
    assert said.startswith(f"{root / 'masks' / '0.png'} holds the id 2 (first at row {row}, column {column}), but only")
    assert "only 0, 1 are named; 6 of 6 masks hold such ids (all of them: 2, 9): name them in classes.txt" in said
    for i in range(5):
        Image.fromarray(mask * 0).save(root / "masks" / f"{i}.png")
    assert "5.png holds the id 9 (first at row 7, column 11), but only 0, 1 are named; 1 of 6 masks" in refusal(root)


def test_missing_partners_are_counted(root: Path) -> None:
    for name in ("masks/1.png", "masks/3.png", "images/4.png"):
        (root / name).unlink()
    source = load(root)
    assert kinds(source) == {"images/1.png": "no-mask", "images/3.png": "no-mask", "masks/4.png": "no-image"}
    with pytest.raises(
        DataError, match=r"strict, and 3 things had to be left out. The first: images/1.png \(no-mask\)"
    ):
        load(root, strict=True)
    for path in (root / "masks").iterdir():
        path.unlink()
    assert "The first of 5 problems (5 no-mask): images/0.png: there is no masks/0.png" in refusal(root)


def test_nothing_counts(root: Path) -> None:
    repaint(root, lambda mask: np.full_like(mask, 255), 2)
    assert load(root).problems == []  # they are told by `check`, since the others can be learned from
    repaint(root, lambda mask: np.full_like(mask, 255))
    assert "the masks hold nothing but 255 (ignore)" in refusal(root)
    (root / "classes.txt").write_text("background\nsquare\n")
    assert "none of the 6 masks has a pixel with a class: all is ignored (255). Draw the masks" in refusal(root)
    repaint(root, lambda mask: np.zeros_like(mask))
    (root / "classes.txt").unlink()
    assert "hold only class 0: a segmenter needs two classes or more, background included" in refusal(root)


def test_a_split_in_which_nothing_counts_is_left_out(tmp_path: Path) -> None:
    for split, value in (("train", 1), ("val", 1), ("test", 255)):
        for folder in ("images", "masks"):
            (tmp_path / split / folder).mkdir(parents=True)
        for i in range(2):
            mask = np.full((4, 4), value, np.uint8)
            mask[0] = 0 if value == 1 else 255
            Image.new("RGB", (4, 4)).save(tmp_path / split / "images" / f"{i}.png")
            Image.fromarray(mask).save(tmp_path / split / "masks" / f"{i}.png")
    source = load(tmp_path)
    assert np.asarray(source.roles).tolist() == ["train", "train", "val", "val"]
    assert [problem.reason for problem in source.problems] == ["none of the 2 masks of test has a pixel with a class"]


def test_deep_masks(root: Path) -> None:
    repaint(root, lambda mask: mask.astype(np.uint16))
    assert load(root).classes == ("class 0", "class 1", "class 2")  # 16 bits that hold ids are fine
    repaint(root, lambda mask: mask.astype(np.uint16) * 300)
    assert "0.png holds values from 0 to 600, but a mask holds whole class ids from 0 to 255" in refusal(root)


def test_masks_with_alpha(root: Path) -> None:
    repaint(root, lambda mask: np.stack([mask, mask, mask, np.full_like(mask, 255)], -1), 3)
    repaint(root, lambda mask: Image.fromarray(mask[..., 0] if mask.ndim == 3 else mask).convert("LA"), 1)
    assert load(root).problems == []  # opaque, and grey
    repaint(root, lambda mask: np.stack([mask] * 3 + [(mask > 0) * np.uint8(255)], -1) if mask.ndim == 2 else mask)
    source = load(root)
    assert set(kinds(source).values()) == {"not-a-mask"} and len(source) == 3
    assert all(
        "has transparent pixels" in problem.reason and "without alpha" in problem.reason for problem in source.problems
    )


def test_jpeg_masks(root: Path) -> None:
    repaint(root, lambda mask: mask * 100, end="jpg")
    said = refusal(root)
    assert "0.jpg is a JPEG, which changes the ids of a mask: save masks as PNG" in said


def as_jpeg(mask: np.ndarray, quality: int = 90) -> Image.Image:
    content = io.BytesIO()
    Image.fromarray(mask * 100).save(content, "JPEG", quality=quality)
    return Image.open(content)


def smoothly(mask: np.ndarray) -> Image.Image:
    smaller = Image.fromarray(mask * 100).resize((27, 27), Image.Resampling.BILINEAR)
    return smaller.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("change", [as_jpeg, lambda mask: as_jpeg(mask, 60), smoothly], ids=["90", "60", "resized"])
def test_png_masks_that_were_jpeg_or_resized_smoothly(root: Path, change: Callable[[np.ndarray], Image.Image]) -> None:
    repaint(root, change)
    said = refusal(root)
    assert "different values, most of them on a few scattered pixels, as JPEG and smooth resizing leave them" in said
    assert "of 6 masks do): make masks anew from the annotation, as PNG, and resize them by the nearest pixel" in said
    (root / "classes.txt").write_text("\n".join(f"thing {i}" for i in range(255)))
    assert len(load(root).classes) == 255  # who names every id means them


def test_many_small_things_are_no_smear(root: Path) -> None:
    """Forty classes, of which most cover less than a hundredth of the picture, thin ones too."""
    rng = np.random.default_rng(0)
    for i in range(N):
        mask = np.zeros((120, 160), np.uint8)
        for k in range(1, 40):
            top, left = rng.integers(0, 110), rng.integers(0, 150)
            height, width = (1, 9) if k % 3 == 0 else (9, 1) if k % 3 == 1 else (6, 6)
            mask[top : top + height, left : left + width] = k
        Image.fromarray(mask).save(root / "masks" / f"{i}.png")
        Image.new("RGB", (160, 120)).save(root / "images" / f"{i}.png")
    assert len(load(root).classes) == 40


def test_broken_and_missing_files(root: Path) -> None:
    for name in ("masks/0.png", "images/1.png"):
        content = (root / name).read_bytes()
        (root / name).write_bytes(content[: len(content) // 2])
    (root / "masks/2.png").write_bytes(b"")
    (root / "masks/3.png").write_text("no picture")
    source = load(root)
    found = kinds(source)
    assert found.pop("images/0.png") == "damaged"  # a PNG that is cut short, by its pixels
    assert found == {"images/2.png": "empty", "images/3.png": "not-an-image"}
    assert len(source) == 3  # what the pixels of a picture are like, the pack finds out


def test_empty_folders(tmp_path: Path) -> None:
    assert "is empty: put the pictures" in refusal(tmp_path)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    assert refusal(tmp_path).endswith("has no picture with a usable mask of the same name and size.")


def test_pictures_of_one_pixel(root: Path) -> None:
    for i in range(N):
        Image.new("L", (1, 1), i % 2).save(root / "masks" / f"{i}.png")
        Image.new("RGB", (1, 1), (i, i, i)).save(root / "images" / f"{i}.png")
    assert len(load(root)) == N


@pytest.mark.parametrize("pair", [("images", "masks"), ("JPEGImages", "SegmentationClass"), ("leftImg8bit", "gtFine")])
@pytest.mark.parametrize("lacking", [0, 1])
def test_half_of_a_layout_is_no_class(tmp_path: Path, pair: tuple[str, str], lacking: int) -> None:
    (tmp_path / pair[1 - lacking] / "train" / "city").mkdir(parents=True)
    Image.new("L", (2, 2)).save(tmp_path / pair[1 - lacking] / "train" / "city" / "a.png")
    assert f"{tmp_path} has {pair[1 - lacking]}/, but {pair[lacking]}/ is missing beside it" in refusal(tmp_path)
