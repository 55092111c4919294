"""Sentences about a scene in two languages, the same ones for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.data.scenes.dice import Dice
from pellucid.data.scenes.scene import Scene
from pellucid.data.scenes.sentences import chinese, english
from pellucid.data.scenes.sentences.statements import COUNT, KINDS, Statement, statements

NOTHING = ("nothing", "空无一物")
HARDLY = ("something that can hardly be seen", "几乎看不清的东西")


@dataclass(frozen=True)
class Sentence:
    """One phrase in both languages, and what it says; None says that nothing is there."""

    english: str
    chinese: str
    statement: Statement | None


def sentences(
    scene: Scene, classes: Sequence[str], chinese_names: Sequence[str] = (), n: int = 5, seed: int = 0
) -> list[Sentence]:
    """Up to `n` different phrases that are true of a scene, fewer where less can be said; see `statements`.

    The kinds of statement take turns, so that counts are not lost among many relations.

    Args:
        classes: name of each class in English.
        chinese_names: and in Chinese; the English ones where there are none.
        n: how many at most.
        seed: which ones, and in which order.

    Raises:
        ConfigError: not as many Chinese names as classes, or a number is negative.
    """
    require(n >= 0 and seed >= 0, "n and seed of sentences", "0 or positive", (n, seed))
    _check(classes, chinese_names)
    told = statements(scene)
    if not told:
        return [Sentence(*NOTHING, None)][:n] if not scene.instances.any() else []
    dice = Dice(seed)
    queues = [_shuffled(dice, [one for one in told if one.kind == kind]) for kind in _shuffled(dice, list(KINDS))]
    turns = [queue[i] for i in range(len(told)) for queue in queues if i < len(queue)]
    names = chinese_names or classes
    return [Sentence(english.say(one, classes), chinese.say(one, names), one) for one in turns[:n]]


def caption(scene: Scene, classes: Sequence[str], chinese_names: Sequence[str] = ()) -> tuple[str, str]:
    """All that is well seen, counted, in English and Chinese: "two red bags, an orange coat and a pair of trousers".

    Raises:
        ConfigError: not as many Chinese names as classes.
    """
    _check(classes, chinese_names)
    counts = [one for one in statements(scene) if one.kind == COUNT]
    finest = [one for one in counts if one.subject.colour or not _has_colours(one, counts)]
    if not finest:
        return HARDLY if scene.instances.any() else NOTHING
    names = chinese_names or classes
    return (
        english.listed([english.say(one, classes) for one in finest]),
        chinese.listed([chinese.say(one, names) for one in finest]),
    )


def _has_colours(one: Statement, counts: Sequence[Statement]) -> bool:
    return any(other.subject.colour and other.subject.label == one.subject.label for other in counts)


def _check(classes: Sequence[str], chinese_names: Sequence[str]) -> None:
    if chinese_names and len(chinese_names) != len(classes):
        raise ConfigError(f"{len(classes)} classes need as many Chinese names or none, got {len(chinese_names)}.")


def _shuffled(dice: Dice, items: list) -> list:
    """The items in any order (Fisher and Yates)."""
    items = list(items)
    for i in range(len(items) - 1, 0, -1):
        j = dice.integers(i + 1)
        items[i], items[j] = items[j], items[i]
    return items
