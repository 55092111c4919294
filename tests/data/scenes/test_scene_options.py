"""Scenes as they are asked for in words."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.known import content_digest
from pellucid.data.load import load, spec_of
from pellucid.data.scenes.frozen import scene_of
from pellucid.data.scenes.labels import objects
from pellucid.data.scenes.options import TOLD, Options, parse

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


def test_every_option_is_told() -> None:
    assert [part.split("=")[0] for part in TOLD.split(", ") if "=" in part] == (
        ["size", "difficulty", "things", "sprites", "train", "val", "test", "seed", "for"]
    )
    assert {field.name for field in fields(Options)} == {*re.findall(r"(\w+)=", TOLD)} - {"for"} | {"purpose"}


def test_options_of_no_other_known_set() -> None:
    with pytest.raises(DataError, match=r"^digits needs no files and takes no folder, got size=3; write digits\.$"):
        load("digits:size=3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sizes=3",
            r"^Unknown option of scenes 'sizes'\. Did you mean 'size' or 'sprites'\? Choose from: difficulty, for, "
            r"seed, size, sprites, test, things, train, val\.$",
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
        ("things=3-1", r"^things must be a number or a range such as 1-3, from 0 to 254, got '3-1'\.$"),
        ("things=-1", r"^things must be a number or a range such as 1-3, from 0 to 254, got '-1'\.$"),
        ("things=255", r"^things must be a number or a range such as 1-3, from 0 to 254, got '255'\.$"),
        ("things=one", r"^things must be a number or a range such as 1-3, from 0 to 254, got 'one'\.$"),
        ("things=2,for=classify", r"^for=classify shows one thing a picture, got things=2: leave one of them out\.$"),
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


@pytest.mark.parametrize(("things", "low", "high"), [("1", 1, 1), ("0-2", 0, 2), ("0", 0, 0), ("7-7", 7, 7)])
def test_how_many_things_are_in_a_scene(things: str, low: int, high: int) -> None:
    options = parse(f"size=40,train=12,test=4,things={things},for=detect")
    assert parse(options.text) == options and f"things={things}" in options.text
    drawn = [scene_of(options, "train", i) for i in range(12)]
    assert {len(scene.things) for scene in drawn} <= set(range(low, high + 1))
    if high - low < 3:
        assert {low, high} <= {len(scene.things) for scene in drawn}
    source, masks = load(f"scenes:{options.text}"), load(f"scenes:{options.text.replace('detect', 'segment')}")
    assert [len(each) for each in source.objects] == [len(objects(scene)) for scene in drawn] + [
        len(each) for each in source.objects[12:]
    ]
    assert np.array_equal(source.images, masks.images), "the same scenes whatever they are for"
    told = f"{low} to {high} things" if low < high else "1 thing" if low == 1 else f"{low} things"
    assert source.card.title.startswith(f"Scenes: {told} before a background")


def test_one_thing_is_what_a_picture_to_classify_shows_anyhow() -> None:
    one, usual = (load(f"scenes:size=24,train=3,test=0,for=classify{more}") for more in (",things=1", ""))
    assert np.array_equal(one.images, usual.images) and np.array_equal(one.labels, usual.labels)
