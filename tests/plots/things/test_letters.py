"""Names are legible in any script, or say that they are not."""

import pytest
from PIL import ImageFont

from pellucid.plots.things import letters
from pellucid.plots.things.letters import with_letters

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
