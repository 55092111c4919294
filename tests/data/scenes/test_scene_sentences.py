"""What is said of scenes is true of their pixels, and said in good English and Chinese."""

import re

import numpy as np
import pytest

from pellucid.core.errors import ConfigError
from pellucid.data.scenes import compose
from pellucid.data.scenes.colours import COLOURS
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.difficulty import DIFFICULTIES
from pellucid.data.scenes.scene import Scene, Thing
from pellucid.data.scenes.sentences import caption, chinese, english, sentences
from pellucid.data.scenes.sentences.statements import (
    ABOVE,
    BELOW,
    COUNT,
    HIDDEN_BY,
    IN_FRONT,
    LEFT,
    RIGHT,
    Kind,
    Statement,
    statements,
)
from pellucid.data.scenes.sprites.emoji import EMOJI
from pellucid.data.scenes.sprites.fashion import FASHION

SNEAKER, BAG, BOOT, TROUSER, SHIRT = 7, 8, 9, 1, 0


@pytest.fixture(scope="module")
def world() -> list[tuple[Scene, list[np.ndarray]]]:
    """Generated scenes of all difficulties, each with the whole silhouettes of its things, hidden parts included."""
    made = []
    silhouettes: list[np.ndarray] = []
    paste = compose.paste

    def watched(image, instances, colour, coverage, number, top, left):
        if number:
            alone = np.zeros_like(instances)
            paste(image.copy(), alone, colour, coverage, 1, top, left)
            silhouettes.append(alone > 0)
        paste(image, instances, colour, coverage, number, top, left)

    compose.paste = watched
    try:
        for i in range(90):
            silhouettes.clear()
            difficulty = list(DIFFICULTIES.values())[i % 3]
            scene = compose.make_scene(Dice(5, i), FASHION.sprites("test"), (64, 80), difficulty)
            made.append((scene, list(silhouettes)))
    finally:
        compose.paste = paste
    return made


def are(scene: Scene, kind: Kind) -> list[int]:
    """The things that are seen of a kind."""
    return [
        i
        for i, thing in enumerate(scene.things)
        if thing.label == kind.label and kind.colour in ("", thing.colour) and (scene.instances == i + 1).any()
    ]


def is_true(statement: Statement, scene: Scene, silhouettes: list[np.ndarray]) -> bool:
    """By the pixels alone."""
    subjects = are(scene, statement.subject)
    if statement.kind == COUNT:
        return len(subjects) == statement.count
    pairs = [(a, b) for a in subjects for b in are(scene, statement.other) if a != b]
    return any(lies(statement.kind, a, b, scene, silhouettes) for a, b in pairs)


def lies(kind: str, a: int, b: int, scene: Scene, silhouettes: list[np.ndarray]) -> bool:
    (ay, ax), (by, bx) = (np.nonzero(scene.instances == i + 1) for i in (a, b))
    if kind == HIDDEN_BY:
        return lies(IN_FRONT, b, a, scene, silhouettes)
    if kind == IN_FRONT:
        return a > b and bool((silhouettes[a] & silhouettes[b]).any())
    return {
        LEFT: ax.max() < bx.min(),
        RIGHT: ax.min() > bx.max(),
        ABOVE: ay.max() < by.min(),
        BELOW: ay.min() > by.max(),
    }[kind]


def test_every_statement_is_true_of_its_scene(world):
    n = dict.fromkeys((COUNT, LEFT, RIGHT, ABOVE, BELOW, IN_FRONT, HIDDEN_BY), 0)
    for scene, silhouettes in world:
        told = statements(scene)
        assert len(set(told)) == len(told)
        for statement in told:
            assert is_true(statement, scene, silhouettes), statement
            n[statement.kind] += 1
    assert min(n.values()) >= 20  # so each kind was tried


READ_ENGLISH = re.compile(
    "(?P<n>an?|another|two|three|four|five|six) (pairs? of )?"
    f"((?P<colour>{'|'.join(COLOURS)}) )?"
    "(?P<noun>T-shirt|trousers|pullover|dress|coat|sandal|shirt|sneaker|bag|ankle boot)(e?s)?"
)
READ_CHINESE = re.compile(
    "(?P<n>另?[一两三四五六])[件条只个]"
    f"((?P<colour>{'|'.join(colour.chinese for colour in COLOURS.values())})的)?"
    f"(?P<noun>{'|'.join(sorted(FASHION.chinese, key=len, reverse=True))})"
)
NOUNS = ["T-shirt", "trousers", *(name.lower() for name in FASHION.classes[2:])]


def test_the_words_say_what_the_statement_says(world):
    """Read back by a grammar."""
    chinese_colours = {colour.chinese: name for name, colour in COLOURS.items()}
    for scene, _ in world[:30]:
        for one in sentences(scene, FASHION.classes, FASHION.chinese, n=99):
            first, second = one.statement.subject, one.statement.other
            expected = [first, second] if second else [first]
            found = [Kind(NOUNS.index(m["noun"]), m["colour"] or "") for m in READ_ENGLISH.finditer(one.english)]
            assert found == expected, one
            found = [
                Kind(FASHION.chinese.index(m["noun"]), chinese_colours.get(m["colour"], ""))
                for m in READ_CHINESE.finditer(one.chinese)
            ]
            assert found == (expected if one.statement.kind == HIDDEN_BY else expected[::-1]), one
            count = one.statement.count
            assert one.english.split()[0] == {1: READ_ENGLISH.match(one.english)["n"], 2: "two", 3: "three"}[count]
            assert ("another" in one.english) == ("另" in one.chinese) == (first == second)


def test_sentences_are_fixed_by_the_seed_and_take_turns(world):
    scene = max((scene for scene, _ in world), key=lambda scene: len({one.kind for one in statements(scene)}))
    first = sentences(scene, FASHION.classes, FASHION.chinese, n=7, seed=3)
    assert first == sentences(scene, FASHION.classes, FASHION.chinese, n=7, seed=3)
    assert first != sentences(scene, FASHION.classes, FASHION.chinese, n=7, seed=4)
    assert len({one.statement.kind for one in first}) == 7  # all kinds before any comes again
    everything = sentences(scene, FASHION.classes, n=10_000)
    assert sorted(map(repr, (one.statement for one in everything))) == sorted(map(repr, statements(scene)))
    assert sentences(scene, FASHION.classes, n=0) == []


def two(first: tuple[int, str], second: tuple[int, str]) -> Scene:
    """The first at the left, the second at the right, whole."""
    instances = np.zeros((8, 20), dtype=np.uint8)
    instances[2:6, 1:7], instances[2:6, 12:19] = 1, 2
    points = np.full((4, 3), 2, dtype=np.float32)
    things = tuple(Thing(label, colour, points, 28) for label, colour in (first, second))
    return Scene(np.zeros((8, 20, 3), dtype=np.uint8), instances, things)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            (SNEAKER, "red"),
            (BAG, "green"),
            ("a red sneaker to the left of a green bag", "一个绿色的包左边有一只红色的运动鞋"),
        ),
        (
            (BOOT, "orange"),
            (TROUSER, ""),
            ("an orange ankle boot to the left of a pair of trousers", "一条裤子左边有一只橙色的短靴"),
        ),
        (
            (TROUSER, "blue"),
            (TROUSER, "blue"),
            (
                "a pair of blue trousers to the left of another pair of blue trousers",
                "一条蓝色的裤子左边有另一条蓝色的裤子",
            ),
        ),
        ((BOOT, ""), (SHIRT, ""), ("an ankle boot to the left of a T-shirt", "一件T恤左边有一只短靴")),
    ],
)
def test_relations_read_as_people_write(first, second, said):
    told = sentences(two(first, second), FASHION.classes, FASHION.chinese, n=99)
    assert said in [(one.english, one.chinese) for one in told]


def test_the_other_relations_read_as_people_write():
    bag, shoe = Kind(BAG, "green"), Kind(SNEAKER, "red")
    expected = {
        RIGHT: ("a red sneaker to the right of a green bag", "一个绿色的包右边有一只红色的运动鞋"),
        ABOVE: ("a red sneaker above a green bag", "一个绿色的包上方有一只红色的运动鞋"),
        BELOW: ("a red sneaker below a green bag", "一个绿色的包下方有一只红色的运动鞋"),
        IN_FRONT: ("a red sneaker in front of a green bag", "一个绿色的包前面有一只红色的运动鞋"),
        HIDDEN_BY: ("a red sneaker partly hidden by a green bag", "一只红色的运动鞋被一个绿色的包挡住了一部分"),
    }
    for kind, (in_english, in_chinese) in expected.items():
        statement = Statement(kind, shoe, bag)
        assert english.say(statement, FASHION.classes) == in_english
        assert chinese.say(statement, FASHION.chinese) == in_chinese
    same = Statement(HIDDEN_BY, shoe, shoe)
    assert chinese.say(same, FASHION.chinese) == "一只红色的运动鞋被另一只红色的运动鞋挡住了一部分"


def test_counts_and_captions():
    scene = two((TROUSER, "blue"), (TROUSER, "blue"))
    assert [english.say(one, FASHION.classes) for one in statements(scene) if one.kind == COUNT] == [
        "two pairs of trousers",
        "two pairs of blue trousers",
    ]
    assert caption(scene, FASHION.classes, FASHION.chinese) == ("two pairs of blue trousers", "两条蓝色的裤子")
    scene = two((BOOT, "orange"), (BAG, ""))
    assert caption(scene, FASHION.classes, FASHION.chinese) == (
        "a bag and an orange ankle boot",
        "一个包和一只橙色的短靴",
    )
    assert english.listed(["a", "b", "c"]) == "a, b and c" and chinese.listed(["一", "二", "三"]) == "一、二和三"


def test_an_empty_scene_and_one_with_a_sliver():
    empty = Scene(np.zeros((4, 4, 3), dtype=np.uint8), np.zeros((4, 4), dtype=np.uint8), ())
    assert [(one.english, one.chinese) for one in sentences(empty, FASHION.classes)] == [("nothing", "空无一物")]
    assert caption(empty, FASHION.classes) == ("nothing", "空无一物")
    instances = np.zeros((4, 4), dtype=np.uint8)
    instances[0, 0] = 1
    sliver = Scene(empty.image, instances, (Thing(BAG, "red", np.zeros((4, 3), dtype=np.float32), 300),))
    assert sentences(sliver, FASHION.classes) == []
    assert caption(sliver, FASHION.classes)[0] == "something that can hardly be seen"


def test_what_is_hardly_seen_is_neither_counted_nor_left_out_of_a_count():
    scene = two((BAG, "red"), (BAG, "green"))
    hardly = Scene(scene.image, scene.instances, (scene.things[0], Thing(BAG, "green", scene.things[1].keypoints, 900)))
    assert [one for one in statements(hardly) if one.kind == COUNT] == []


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("bag", "bags"), ("dress", "dresses"), ("ankle boot", "ankle boots"), ("box", "boxes"), ("cherry", "cherries"),
        ("toy", "toys"), ("mouse", "mice"), ("fish", "fish"), ("wine glass", "wine glasses"), ("woman", "women"),
        ("class 3", "class 3s"), ("tropical fish", "tropical fish"), ("bunch", "bunches"),
    ],
)  # fmt: skip
def test_plurals(noun, many):
    assert english.plural(noun) == many


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("apple", "an"),
        ("bag", "a"),
        ("unicorn", "a"),
        ("umbrella", "an"),
        ("hourglass", "an"),
        ("T-shirt", "a"),
        ("LED lamp", "an"),
        ("N95 mask", "an"),
    ],
)
def test_articles(phrase, said):
    assert english.article(phrase) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "一"), (2, "两"), (3, "三"), (10, "十"), (12, "十二"), (20, "二十"), (35, "三十五"), (120, "120")],
)
def test_chinese_numbers(count, said):
    assert chinese.number(count) == said


def test_names_of_other_sets_are_used_as_they_are():
    scene = two((0, ""), (1, "no colour of ours"))
    told = [(one.english, one.chinese) for one in sentences(scene, ["hot_dog", "USB stick"], n=99)]
    assert ("a hot dog", "一个hot_dog") in told
    assert ("a USB stick", "一个USB stick") in told


def test_drawings_in_colour_have_nouns_of_their_own():
    classes, names = zip(*(drawing for _, each in EMOJI.values() for drawing in each.values()), strict=True)
    said = [english.say(Statement(COUNT, Kind(k), count=2), classes) for k in range(len(classes))]
    assert {"two dogs", "two bunches of grapes", "two speedboats", "two strawberries", "two fish"} <= set(said)
    said = [chinese.say(Statement(COUNT, Kind(k), count=2), names) for k in range(len(names))]
    assert {"两只狗", "两串葡萄", "两艘快艇", "两颗草莓", "两条鱼", "两个苹果", "两棵橡树"} <= set(said)
    assert english.some(Kind(0, "red"), 1, ["grapes"]) == "a bunch of red grapes"


def test_names_in_chinese_are_as_many_as_classes():
    scene = two((0, ""), (1, ""))
    with pytest.raises(ConfigError, match="10 classes need as many Chinese names or none, got 1"):
        caption(scene, FASHION.classes, ["包"])
    with pytest.raises(ConfigError, match="n and seed of sentences"):
        sentences(scene, FASHION.classes, n=-1)
