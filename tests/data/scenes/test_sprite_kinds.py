"""Sprites by name or from a folder: what they are, and what is said when they cannot be had."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, DataError, ImageError, PellucidError
from pellucid.data.scenes import Sprites, catalogue, fashion_sprites, make_crop, scenes, silhouettes
from pellucid.data.scenes.sprites import emoji as emoji_module
from pellucid.data.scenes.sprites.cutouts import outermost, words
from pellucid.data.scenes.sprites.emoji import EMOJI, colour_sprites, each_emoji, emoji
from pellucid.data.scenes.sprites.fashion import FASHION, soft_edges
from pellucid.data.scenes.sprites.png_folder import read_png_folder
from pellucid.data.scenes.sprites.shapes import shapes


def has_font() -> bool:
    try:
        return bool(emoji_module.font_path())
    except DataError:
        return False


needs_font = pytest.mark.skipif(not has_font(), reason="the font NotoColorEmoji.ttf is not on this machine")


def drawing(colour: tuple[int, int, int, int] = (200, 30, 30, 255), size: tuple[int, int] = (30, 20)) -> Image.Image:
    """An opaque rectangle in the middle of nothing."""
    picture = Image.new("RGBA", (50, 60))
    picture.paste(colour, (5, 7, 5 + size[0], 7 + size[1]))
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of two drawings."""
    for name, colour in (("apple", (220, 20, 20, 255)), ("leaf", (20, 160, 40, 255))):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for i in range(2):
            drawing(colour, (30 - 9 * i, 20)).save(tmp_path / "mine" / name / f"{i}.png")
    return tmp_path / "mine"


def test_a_silhouette_closes_holes_and_leaves_gaps_open() -> None:
    ring = np.zeros((5, 5), dtype=np.uint8)
    ring[1:4, 1:4] = 90
    ring[2, 2] = 0
    trousers = np.zeros((5, 5), dtype=np.uint8)
    trousers[0, 1:4] = trousers[:, 1] = trousers[:, 3] = 200
    faint = np.full((5, 5), 7, dtype=np.uint8)
    inside = silhouettes(np.stack([ring, trousers, faint]))
    assert inside[0].sum() == 9 and inside[0, 2, 2]
    assert np.array_equal(inside[1], trousers > 0)
    assert not inside[2].any()


def test_only_the_dark_rim_is_soft() -> None:
    shade = np.zeros((1, 6, 6), dtype=np.uint8)
    shade[0, 1:5, 1:5] = 200
    shade[0, 1, 1:5] = 60  # a rim that is 60 / 200 covered
    shade[0, 3, 3] = 10  # a dark place inside
    coverage = (shade > 0).astype(np.uint8) * 255
    soft = soft_edges(shade, coverage)[0]
    assert (soft[1, 1:5] == 60 * 255 * 3 // (2 * 200)).all()
    assert (soft[2:5, 1:5] == 255).all() and soft.sum() == soft[1:5, 1:5].sum()


def test_the_packaged_clothes_keep_their_outline() -> None:
    sprites = FASHION.sprites("test")
    hard = fashion_sprites("test")
    assert np.array_equal(sprites.shade, hard.shade) and np.array_equal(sprites.labels, hard.labels)
    assert ((sprites.coverage > 0) <= (hard.coverage > 0)).all()
    kept = (sprites.coverage >= 128).sum() / (hard.coverage > 0).sum()
    assert 0.9 < kept < 1
    assert (sprites.coverage >= 128).any(axis=(1, 2)).all()
    assert len(FASHION.classes) == len(FASHION.chinese) == 10


def test_train_and_test_clothes_are_whole_halves_for_crops() -> None:
    train, test = (fashion_sprites(role) for role in ("train", "test"))
    assert len(train.labels) == 12_000 and len(test.labels) == 2_000
    assert not {s.tobytes() for s in train.shade} & {s.tobytes() for s in test.shade}
    assert train.labels.min() == 1 and train.labels.max() == 10


def test_a_crop_shows_one_whole_cloth_in_the_colour_that_was_asked_for() -> None:
    full = np.full((1, 10, 10), 255, dtype=np.uint8)
    white = Sprites(full, full, np.array([7]))
    asked = []

    def red(rng: np.random.Generator, label: int) -> np.ndarray:
        asked.append(label)
        return np.array([200, 0, 0])

    for seed in range(20):
        image, label = make_crop(np.random.default_rng(seed), white, 20, red)
        side = np.flatnonzero((image == (200, 0, 0)).all(axis=2).any(axis=0)).size
        assert image.shape == (20, 20, 3) and image.dtype == np.uint8 and label == 7
        assert 14 <= side <= 20 and (image == (200, 0, 0)).all(axis=2).sum() >= side**2
    assert asked == [7] * 20


def test_the_bytes_of_crops_are_pinned() -> None:
    """The pages that recipes write rest on them."""
    digest = hashlib.sha256()
    for seed in range(40):
        image, label = make_crop(np.random.default_rng(seed), fashion_sprites("train"), 20 + seed)
        digest.update(image.tobytes() + bytes([label]))
    assert digest.hexdigest()[:16] == "c90230ff392e0cda"


def test_outermost_pixels_are_the_middle_ones_of_those_farthest_out() -> None:
    coverage = np.zeros((2, 7, 9), dtype=np.uint8)
    coverage[0, 1, 3:6] = coverage[0, 2:5, 2:8] = coverage[0, 5, 2] = coverage[0, 5, 7] = 255
    coverage[0, 0, 0] = 127  # by less than half
    coverage[1, 3, 4] = 20  # nothing is covered by half
    points = outermost(coverage)
    assert points[0].tolist() == [[4, 1], [7, 4], [7, 5], [2, 4]]  # of two feet the second
    assert points[1].tolist() == [[4, 3]] * 4


def test_words_hold_the_planes_and_halve_them() -> None:
    shade = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    coverage = np.full((1, 4, 6), 255, dtype=np.uint8)
    packed = words(Sprites(shade, coverage, np.array([1])), 0, 0)
    assert packed.shape == (6, 8) and not packed[0].any() and not packed[:, -1].any()
    assert np.array_equal(packed[1:-1, 1:-1] & 255, shade[0]) and (packed[1:-1, 1:-1] >> 48 == 255).all()
    half = words(Sprites(shade, coverage, np.array([1])), 0, 1)
    assert half[1:-1, 1:-1].shape == (2, 3) and int(half[1, 1] & 255) == (0 + 1 + 6 + 7 + 2) // 4


def test_shapes_have_no_class() -> None:
    assert (shapes().labels == 0).all() and shapes().tintable
    assert (shapes().coverage.sum(axis=(1, 2)) > 255 * 300).all()
    assert len({each.tobytes() for each in shapes().coverage}) == len(shapes().labels)


@needs_font
def test_ten_classes_of_several_emoji() -> None:
    kind = emoji()
    assert len(kind.classes) == len(kind.chinese) == len(set(kind.classes)) == 10 and kind.shared
    sprites = kind.sprites("train")
    assert not sprites.tintable and sprites.coverage.shape[1:] == (128, 128)
    assert sorted(set(sprites.labels)) == list(range(1, 11))
    assert np.bincount(sprites.labels)[1:].tolist() == [len(drawings) for _, drawings in EMOJI.values()]
    assert min(np.bincount(sprites.labels)[1:]) >= 4
    assert (sprites.shade <= sprites.coverage[..., None]).all()  # dimmed by alpha
    sides = sprites.boxes[:, 2:] - sprites.boxes[:, :2]
    assert (sides.max(axis=1) == 128).all()
    assert len({each.tobytes() for each in sprites.shade}) == len(sprites.labels)  # no picture of a missing sign


@needs_font
def test_a_class_for_every_emoji() -> None:
    kind = each_emoji()
    assert len(kind.classes) == len(set(kind.classes)) == len(set(kind.chinese)) == len(kind.sprites("test").labels)
    assert kind.classes[0] == "dog" and kind.chinese[0] == "狗"
    assert catalogue("emoji-each").classes == kind.classes


@needs_font
def test_things_that_keep_their_colours_have_no_colour_name() -> None:
    source = scenes(3, 0, 0, 32, "medium", "emoji")
    assert source.classes[:3] == ("background", "dog", "bird") and "Open Font" in source.card.licence


def test_without_the_font_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emoji_module, "FOLDERS", (str(tmp_path),))
    monkeypatch.delenv("PELLUCID_EMOJI_FONT", raising=False)
    with pytest.raises(
        DataError,
        match=r"^sprites=emoji needs the font NotoColorEmoji\.ttf, which is not on this machine: install Debian's "
        r"package fonts-noto-color-emoji, or set PELLUCID_EMOJI_FONT to the path of the file\.$",
    ):
        emoji()
    monkeypatch.setenv("PELLUCID_EMOJI_FONT", str(tmp_path / "none.ttf"))
    with pytest.raises(DataError, match=r"none\.ttf, which is no file: it must be the path of NotoColorEmoji\.ttf\.$"):
        emoji()
    (tmp_path / "text.ttf").write_text("no font")
    monkeypatch.setenv("PELLUCID_EMOJI_FONT", str(tmp_path / "text.ttf"))
    with pytest.raises(DataError, match=r"text\.ttf cannot be drawn with \(.*\): it must be the bitmap version"):
        emoji()


def test_a_folder_of_drawings(folder: Path) -> None:
    kind = catalogue(str(folder))
    assert kind.classes == kind.chinese == ("apple", "leaf") and kind.shared
    sprites = kind.sprites("val")
    assert sprites.labels.tolist() == [1, 1, 2, 2] and not sprites.tintable
    assert (sprites.coverage[0] == 255).sum() == 128 * (128 * 20 // 30)
    assert sprites.shade[0][sprites.coverage[0] == 255].mean(axis=0).tolist() == [220, 20, 20]
    source = scenes(4, 1, 1, 48, "easy", str(folder), seed=2)
    assert source.classes == ("background", "apple", "leaf") and str(folder) in source.card.origin
    red = source.images[source.masks == 1].mean(axis=0)
    assert red[0] > 3 * red[1]


def test_a_folder_is_read_again_only_when_it_has_changed(folder: Path) -> None:
    first = catalogue(str(folder))
    assert catalogue(str(folder)) is first
    drawing().save(folder / "leaf" / "2.png")
    assert len(catalogue(str(folder)).sprites("train").labels) == 5


def test_splits_with_folders_of_their_own(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "split"
    root.mkdir()
    folder.rename(root / "train")
    for name in ("apple", "leaf"):
        (root / "test" / name).mkdir(parents=True)
        drawing((1, 2, 3, 255)).save(root / "test" / name / "x.PNG")
    kind = read_png_folder(root)
    assert not kind.shared and [len(kind.sprites(role).labels) for role in ("train", "val", "test")] == [4, 4, 2]
    (root / "test" / "pear").mkdir()
    drawing().save(root / "test" / "pear" / "x.png")
    with pytest.raises(DataError, match=r"test must have the classes of train: apple, leaf; got apple, leaf, pear\.$"):
        read_png_folder(root)
    os.rename(root / "train", root / "val")
    with pytest.raises(DataError, match=r"split has folders for val, test, but none for train\.$"):
        read_png_folder(root)


def _no_alpha(path: Path) -> None:
    drawing().convert("RGB").save(path)


def _empty(path: Path) -> None:
    drawing((9, 9, 9, 100)).save(path)


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("a picture, believe me")


def _cut(path: Path) -> None:
    drawing().save(path)
    path.write_bytes(path.read_bytes()[:80])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_alpha, r"leaf.1\.png has no alpha, so where the thing ends is not known: save it as PNG with transp"),
        (_empty, r"leaf.1\.png shows nothing: its alpha is below one half everywhere\.$"),
        (_nothing, r"leaf.1\.png is empty \(0 bytes\)\.$"),
        (_text, r"leaf.1\.png is text; only "),
        (_cut, r"leaf.1\.png is damaged or cut short"),
    ],
)
def test_a_drawing_that_cannot_be_used_is_named(folder: Path, spoil: object, message: str) -> None:
    spoil(folder / "leaf" / "1.png")
    with pytest.raises(ImageError, match=message) as caught:
        read_png_folder(folder)
    assert "\n" not in str(caught.value) and isinstance(caught.value, PellucidError)


def test_other_ways_to_say_what_is_transparent(folder: Path) -> None:
    palette = drawing().convert("RGB").quantize(4)
    palette.save(folder / "leaf" / "0.png", transparency=palette.getpixel((0, 0)))
    Image.merge("LA", [Image.new("L", (9, 9), 77), Image.new("L", (9, 9), 255)]).save(folder / "leaf" / "1.png")
    sprites = read_png_folder(folder).sprites("train")
    assert (sprites.shade[3][sprites.coverage[3] == 255] == 77).all()
    assert (sprites.coverage[2] == 255).sum() == pytest.approx(128 * 128 * 2 / 3, rel=0.05)


def test_a_folder_that_holds_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no class folders: put the PNGs of each class into a folder of its name"):
        read_png_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty holds no PNG: every class needs one at least\.$"):
        read_png_folder(tmp_path)
    with pytest.raises(ConfigError, match=r"^sprites must be fashion, emoji, emoji-each or a folder of PNGs with alph"):
        catalogue("nowhere")


def test_narrow_and_tiny_drawings_become_sprites() -> None:
    line = Image.new("RGBA", (400, 3), (1, 2, 3, 255))
    dot = Image.new("RGBA", (1, 1), (1, 2, 3, 255))
    sprites = colour_sprites([line, dot], [0, 1], 64)
    assert (sprites.coverage[0] > 0).any(axis=1).sum() == 1 and (sprites.coverage[1] == 255).all()
