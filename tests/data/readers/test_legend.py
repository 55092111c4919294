"""What values of masks mean: names by id and by colour, and masks that are pictures in colours."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.data.load import load
from pellucid.data.pack.make import make_pack
from pellucid.data.readers.legend import Legend, listed, read_legend

SKY, ROAD, VOID = (128, 128, 128), (128, 64, 128), (0, 0, 0)
COLOURS = {0x808080: 0, 0x804080: 1, 0x000000: 2}
TABLE = Legend({0: "Sky", 1: "Lane Mark"}, frozenset({2}), COLOURS)


@pytest.mark.parametrize(
    ("name", "text", "legend"),
    [
        ("classes.txt", "a\nb\n", Legend({0: "a", 1: "b"})),
        ("classes.json", '["a", "b"]', Legend({0: "a", 1: "b"})),
        ("classes.json", '{"3": "a", "7": "b"}', Legend({3: "a", 7: "b"})),
        ("classes.json", '{"Sky": [128, 128, 128], "Lane Mark": [128, 64, 128], "Void": [0, 0, 0]}', TABLE),
        (
            "classes.json",
            '[{"name": "Sky", "r": 128, "g": 128, "b": 128}, {"name": "Lane Mark", "r": 128, "g": 64, "b": 128}, '
            '{"name": "ignore", "r": 0, "g": 0, "b": 0}]',
            TABLE,
        ),
        ("classes.csv", "name,r,g,b\nSky,128,128,128\nLane Mark,128,64,128\nVoid,0,0,0\n", TABLE),
        ("class_dict.csv", "\ufeffName; R; G; B\r\nSky;128;128;128\r\nLane Mark;128;64;128\r\nVoid;0;0;0\r\n", TABLE),
        ("label_colors.txt", "128 128 128\t\tSky\n128 64 128\tLane Mark\n0 0 0\tVoid\n\n", TABLE),
    ],
)
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str, legend: Legend) -> None:
    assert read_legend(tmp_path) is None
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_legend(tmp_path) == legend


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("classes.csv", "name,red,green,blue\nsky,1,2,3\n", "must hold the header name,r,g,b"),
        ("classes.csv", "name,r,g,b\nsky,1,2\n", "must hold the header name,r,g,b"),
        ("classes.csv", "name,r,g,b\nsky,1,2,256\n", "colours from 0 to 255; got 'sky'"),
        ("classes.csv", "name,r,g,b\nsky,1,2,3\nsea,1,2,3\n", "gives the colour 1 2 3 to sky and to sea"),
        ("classes.csv", "name,r,g,b\nsky,1,2,3\nsky,1,2,4\n", "has the class name 'sky' twice"),
        ("classes.csv", "name,r,g,b\n", "got 0"),
        ("label_colors.txt", "1 2 3 sky\n1 2 road\n", "'1 2 road' has no name"),
        ("label_colors.txt", "1 2 x sky\n", "a class a line, such as 128 64 128 road"),
        ("classes.json", '{"sky": [1, 2]}', "as JSON"),
        ("classes.json", '[{"name": "sky"}]', "as JSON"),
        ("classes.json", "[[1, 2]]", "as JSON"),
    ],
)
def test_tables_that_say_nothing_are_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        read_legend(tmp_path)
    assert words in str(caught.value) and str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ids_in_words() -> None:
    assert [listed(ids) for ids in ((), (4,), (1, 0), (2, 0, 1), (7, 0, 1))] == ["none", "4", "0, 1", "0..2", "0, 1, 7"]


# ------------------------------------------------------------------------------------------------ masks in colours


def painted(root: Path, name: str, rows: list[list[tuple[int, ...]]], mode: str = "RGB") -> None:
    for folder in ("images", "masks"):
        (root / folder).mkdir(exist_ok=True, parents=True)
    pixels = np.array(rows, np.uint8)
    Image.new("RGB", (pixels.shape[1], pixels.shape[0])).save(root / "images" / f"{name}.png")
    mask = Image.fromarray(pixels)
    if mode == "P":  # in any order
        palette = Image.new("P", (1, 1))
        palette.putpalette([0, 0, 0, *ROAD, 7, 7, 7, *SKY])
        mask = mask.quantize(palette=palette, dither=Image.Dither.NONE)
    mask.convert(mode).save(root / "masks" / f"{name}.png")


def table(root: Path) -> None:
    (root / "classes.csv").write_text("name,r,g,b\nsky,128,128,128\nvoid,0,0,0\nroad,128,64,128\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    painted(tmp_path, "a", [[SKY, ROAD], [ROAD, VOID]])
    painted(tmp_path, "b", [[SKY, SKY], [SKY, SKY]])  # all grey, yet in colours
    painted(tmp_path, "c", [[ROAD, SKY], [VOID, VOID]], "P")
    painted(tmp_path, "d", [[ROAD, SKY], [VOID, SKY]], "RGBA")
    table(tmp_path)
    return tmp_path


def packed_masks(root: Path) -> list[list[list[int]]]:
    return make_pack(load(root), (2, 2), 3, "crop", (0, 0, 0), cache=root / "packs").targets["mask"].tolist()


def test_colours_become_classes_and_void_does_not_count(root: Path) -> None:
    source = load(root)
    assert source.classes == ("sky", "road") and source.mask_ids == {0: 0, 2: 1, 1: 255}
    ignored = [[0, 1], [1, 255]], [[0, 0], [0, 0]], [[1, 0], [255, 255]], [[1, 0], [255, 0]]
    assert packed_masks(root) == list(ignored)
    Image.fromarray(np.array([[0, 2], [1, 2]], np.uint8)).save(root / "masks" / "b.png")  # ids count as ids
    assert packed_masks(root)[1] == [[0, 1], [255, 1]]
    (root / "classes.csv").write_text("name,r,g,b\nsky,128,64,128\nvoid,0,0,0\nroad,128,128,128\n")
    assert packed_masks(root)[0] == [[1, 0], [0, 255]]  # another table is another pack, though the ids are the same


def test_a_colour_outside_the_table_is_named_with_its_place(root: Path) -> None:
    painted(root, "c", [[SKY, SKY], [SKY, (1, 2, 3)]])
    painted(root, "d", [[SKY, (9, 9, 9)], [(8, 8, 8), (1, 2, 3)]])
    with pytest.raises(DataError) as caught:
        load(root)
    assert str(caught.value) == (
        f"{root / 'masks' / 'c.png'} has the colour 1 2 3 at row 1, column 1, which the table of colours does not "
        "name; not in it are 1 2 3 (2 of 4 masks hold such colours)."
    )


def test_colours_without_a_table_say_how_to_give_one(root: Path) -> None:
    (root / "classes.csv").unlink()
    for name in "bc":
        (root / "masks" / f"{name}.png").unlink()
    with pytest.raises(DataError) as caught:
        load(root)
    for words in ("2 no-mask, 2 not-a-mask", "a.png is a picture in colours (0 0 0, 128 64 128, 128 128 128)"):
        assert words in str(caught.value)
    assert "name its colours in a classes.csv of name,r,g,b" in str(caught.value)
