"""English for scenes: articles, plurals, numbers and relations."""

from collections.abc import Sequence

from pellucid.data.scenes.sentences.statements import (
    ABOVE,
    BELOW,
    HIDDEN_BY,
    IN_FRONT,
    LEFT,
    RIGHT,
    Kind,
    Statement,
)

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
RELATIONS = {
    LEFT: "to the left of",
    RIGHT: "to the right of",
    ABOVE: "above",
    BELOW: "below",
    IN_FRONT: "in front of",
    HIDDEN_BY: "partly hidden by",
}
# What a class is called in a sentence, where that is not its name.
NAMES = {"t-shirt/top": "T-shirt", "t-shirt": "T-shirt"}
MEASURED = {  # class -> what is counted, and of what
    "trouser": ("pair", "trousers"), "trousers": ("pair", "trousers"), "glasses": ("pair", "glasses"),
    "scissors": ("pair", "scissors"), "grapes": ("bunch", "grapes"), "fruit": ("piece", "fruit"),
}  # fmt: skip
PLURALS = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "leaf": "leaves", "knife": "knives", "wolf": "wolves",
    "sheep": "sheep", "deer": "deer", "tomato": "tomatoes", "potato": "potatoes", "bus": "buses",
}  # fmt: skip
LIKE_CONSONANTS = ("uni", "use", "usu", "eu", "one", "once", "ufo")  # begin with a y or w to the ear
SAID_WITH_VOWEL = "AEFHILMNORSX"  # letters whose names begin with a vowel
LIKE_VOWELS = ("hour", "honest", "honour", "heir", "x-")


def say(statement: Statement, classes: Sequence[str]) -> str:
    """A statement as a phrase: "two red bags", "a red sneaker to the left of a green bag"."""
    subject = some(statement.subject, statement.count, classes)
    if statement.other is None:
        return subject
    again = statement.other == statement.subject
    other = another(statement.other, classes) if again else some(statement.other, 1, classes)
    return f"{subject} {RELATIONS[statement.kind]} {other}"


def some(kind: Kind, count: int, classes: Sequence[str]) -> str:
    """A thing, or several: "an orange bag", "two pairs of red trousers"."""
    before, noun = _noun(kind, classes, count)
    phrase = f"{before} {noun}".strip()
    if count == 1:
        return f"{article(phrase)} {phrase}"
    return f"{NUMBERS[count] if count < len(NUMBERS) else count} {phrase}"


def another(kind: Kind, classes: Sequence[str]) -> str:
    """One more of the same: "another red sneaker"."""
    before, noun = _noun(kind, classes, 1)
    return f"another {before} {noun}".replace("  ", " ")


def listed(phrases: Sequence[str]) -> str:
    """Phrases in a row: "a, b and c"."""
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


def article(phrase: str) -> str:
    """Either "a" or "an", by how the first word sounds."""
    word, low = phrase.split(" ")[0], phrase.lower()
    if word[:2].isupper() and len(word) > 1:  # spelled letter by letter: an LED, a USB stick
        return "an" if word[0] in SAID_WITH_VOWEL else "a"
    if low.startswith(LIKE_CONSONANTS):
        return "a"
    return "an" if low.startswith(("a", "e", "i", "o", "u", *LIKE_VOWELS)) else "a"


def plural(noun: str) -> str:
    """Several of a noun, whose last word changes: "ankle boots"."""
    before, space, last = noun.rpartition(" ")
    low = last.lower()
    if low in PLURALS:
        many = PLURALS[low]
    elif low.endswith("fish"):
        many = last
    elif low.endswith(("s", "x", "z", "ch", "sh")):
        many = last + "es"
    elif low.endswith("y") and low[-2:-1] not in ("a", "e", "i", "o", "u"):
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return before + space + many


def _noun(kind: Kind, classes: Sequence[str], count: int) -> tuple[str, str]:
    """What stands before the noun, colour included, and the noun."""
    name = classes[kind.label].replace("_", " ").strip()
    low = name.lower()
    if low in MEASURED:
        measure, noun = MEASURED[low]
        return f"{measure if count == 1 else plural(measure)} of {kind.colour}".strip(), noun
    is_spelled = any(letter.isupper() or letter.isdigit() for word in name.split() for letter in word[1:])
    noun = NAMES.get(low, name if is_spelled else low)
    return kind.colour, noun if count == 1 else plural(noun)
