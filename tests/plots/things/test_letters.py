"""Names are legible in any script, or say that they are not."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from pellucid.plots.grid import grid
from pellucid.plots.sheets.strips import Part, Strip, strips
from pellucid.plots.things import letters
from pellucid.plots.things.letters import cut, with_letters

NAMES = ["naïve café", "Größe", "кошка"]


def test_ascii_looks_the_same_everywhere() -> None:
    font, texts = with_letters(["cat 0.50", "a dog"], 14)
    usual = ImageFont.load_default(14)
    assert texts == ["cat 0.50", "a dog"]
    assert bytes(font.getmask("cat")) == bytes(usual.getmask("cat"))


def test_without_a_font_accents_are_left_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "FONTS", ("no such font.ttf",))
    _, texts = with_letters(NAMES, 14)
    assert texts == ["naive cafe", "Gro?e", "?????"]


def test_a_font_is_taken_that_knows_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    class Knows:
        def __init__(self, script: str) -> None:
            self.script = script

        def getmask(self, letter: str) -> bytes:
            return letter.encode() if letter in self.script else b"box"

    known = {"latin.ttf": Knows("ïéöß"), "all.ttf": Knows("ïéößкоша")}
    monkeypatch.setattr(letters, "FONTS", tuple(known))
    monkeypatch.setattr(letters, "_of_system", lambda name, size: known[name])
    assert with_letters(NAMES[:2], 14) == (known["latin.ttf"], NAMES[:2])
    assert with_letters(NAMES, 14) == (known["all.ttf"], NAMES)
    assert with_letters(["猫 1"], 14)[1] == ["? 1"]
    assert with_letters(["кошка 猫", "naïve"], 14) == (known["all.ttf"], ["кошка ?", "naïve"])


def test_with_the_fonts_of_this_machine_no_letter_is_a_box() -> None:
    font, texts = with_letters(NAMES, 14)
    box = bytes(ImageFont.load_default(14).getmask("\uffff"))
    assert all(bytes(font.getmask(letter)) != box for text in texts for letter in text)


def test_sheets_write_names_as_drawings_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "FONTS", ())
    black = Image.new("L", (100, 100))
    accents, bare = (np.asarray(grid([black], captions=[name])) for name in ("café", "cafe"))
    assert np.array_equal(accents, bare)
    drawn = []
    for e in "éeo":
        row = Strip(f"caf{e}", f"f{e}es", [black], [f"th{e}"])
        drawn.append(np.asarray(strips([Part(f"t{e}", f"n{e}", [row], [f"c{e}"])])))
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[1], drawn[2])


def test_a_line_that_is_too_long_is_cut() -> None:
    font = ImageFont.load_default(11)
    assert cut("short", 100, font) == "short"
    long = cut("x" * 1000, 100, font)
    assert long.endswith("x...") and font.getlength(long) <= 100 < font.getlength(f"x{long}")
