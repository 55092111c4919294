"""Scenes as they are asked for in words."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.known import content_digest
from pellucid.data.load import load, spec_of
from pellucid.data.scenes.options import Options, parse

WORDS = "size=24x32,difficulty=hard,train=3,val=2,test=1,seed=7,for=classify"


def test_any_options_in_any_order() -> None:
    options = parse(WORDS)
    assert options == Options("24x32", "hard", "fashion", 3, 2, 1, 7, "classify")
    assert parse(",".join(reversed(WORDS.split(",")))) == options
    assert parse(" size = 24 , train=1 ") == Options("24", train=1)
    assert parse("") == Options()


def test_the_text_finds_the_same_options_again() -> None:
    assert parse(parse(WORDS).text) == parse(WORDS)
    assert parse(WORDS).text == WORDS
    assert Options().text == ""


def test_a_loaded_set_is_found_again_by_its_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = load(f"scenes:{WORDS}")
    assert source.spec == spec_of(f"scenes:{WORDS}") == f"scenes:{WORDS}"
    assert source.images.shape == (6, 24, 32, 3) and source.labels is not None
    assert source.card.digest == content_digest(source)
    monkeypatch.chdir(tmp_path)
    again = load(source.spec)
    assert np.array_equal(again.images, source.images) and again.card == source.card


def test_options_of_no_other_known_set() -> None:
    with pytest.raises(DataError, match=r"^digits needs no files and takes no folder, got size=3; write digits\.$"):
        load("digits:size=3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sizes=3",
            r"^Unknown option of scenes 'sizes'\. Did you mean 'size' or 'sprites'\? Choose from: difficulty, for, "
            r"seed, size, sprites, test, train, val\.$",
        ),
        ("size=7", r"^size must be at least 8, got '7'\.$"),
        ("size=big", r"^An image size is N or HxW with numbers from 1 to 8192, got 'big'\.$"),
        ("difficulty=heavy", r"^Unknown value of difficulty 'heavy'\. Did you mean 'easy'\? Choose from: easy, hard, "),
        ("for=tracking", r"^Unknown value of for 'tracking'\. Choose from: classify, detect, segment\.$"),
        ("train=x", r"^train must be a whole number, 0 or positive, got 'x'\.$"),
        ("seed=-1", r"^seed must be a whole number, 0 or positive, got '-1'\.$"),
        ("val=²", r"^val must be a whole number, 0 or positive, got '²'\.$"),
        ("test=9999999", r"^test must be from 0 to 1,000,000, got 9999999\.$"),
        ("seed=99999999999999999999", r"^seed must be from 0 to 2\^63 - 1, got 99999999999999999999\.$"),
        ("train=0,test=0", r"^train, val and test must be more than 0 together, got 0\.$"),
        ("size=64,size=32", r"^scenes: size is given twice, as 64 and as 32\.$"),
        ("hard", r"^Options of scenes are written size=64,difficulty=easy; got 'hard'\.$"),
        (
            "sprites=cats",
            r"^sprites must be fashion, emoji, emoji-each or a folder of PNGs with alpha, got 'cats'\.$",
        ),
        ("sprites=", r"^sprites must be fashion, emoji, emoji-each or a folder of PNGs with alpha, got ''\.$"),
    ],
)
def test_what_is_not_understood_is_refused(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        load(f"scenes:{text}")
