"""What can be asked of the set `scenes`, and how it is written: `scenes:size=128,difficulty=medium`."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from pellucid.core.choose import unknown
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.core.shapes import parse_size
from pellucid.data.scenes.compose import SMALLEST
from pellucid.data.scenes.difficulty import DIFFICULTIES, Difficulty, filling
from pellucid.data.scenes.sprites.kinds import KINDS

PURPOSES = ("segment", "classify", "detect")
WHOLE = ("train", "val", "test", "seed")
MOST = 1_000_000  # scenes in a split: more than memory holds
MOST_THINGS = 254  # numbers of things are bytes
TOLD = (  # what is told of all options, by `pellucid datasets scenes`
    "size=64 or HEIGHTxWIDTH, difficulty=easy|medium|hard, things=1 or 1-3 (how many; else by difficulty), "
    "sprites=fashion|emoji|emoji-each|FOLDER, train=2000, val=0, test=400, seed=0, for=segment|detect|classify"
)


@dataclass(frozen=True)
class Options:
    """A frozen set of scenes. In text, `purpose` is written `for`.

    Attributes:
        size: side, or HEIGHTxWIDTH, in pixels.
        difficulty: easy, medium or hard.
        sprites: fashion, emoji, emoji-each, or a folder of PNGs with alpha.
        train, val, test: how many scenes of each split.
        seed: fixes every byte.
        purpose: segment, for scenes with masks; detect, for the same scenes with boxes, outlines and keypoints of
            each thing; or classify, for pictures that one thing fills, with labels.
        things: how many are in a scene, 1 or 1-3; "" as many as the difficulty says.

    Raises:
        ConfigError: a value is not allowed.
    """

    size: str = "64"
    difficulty: str = "easy"
    sprites: str = "fashion"
    train: int = 2_000
    val: int = 0
    test: int = 400
    seed: int = 0
    purpose: str = "segment"
    things: str = ""

    def __post_init__(self) -> None:
        require("," not in self.sprites, "sprites", "without commas, which part options", self.sprites)
        require(min(parse_size(self.size)) >= SMALLEST, "size", f"at least {SMALLEST}", self.size)
        for name, value, allowed in (("difficulty", self.difficulty, DIFFICULTIES), ("for", self.purpose, PURPOSES)):
            if value not in allowed:
                raise ConfigError(unknown(value, allowed, f"value of {name}"))
        for name in ("train", "val", "test"):
            require(0 <= getattr(self, name) <= MOST, name, f"from 0 to {MOST:,}", getattr(self, name))
        require(self.train + self.val + self.test > 0, "train, val and test", "more than 0 together", 0)
        require(0 <= self.seed < 2**63, "seed", "from 0 to 2^63 - 1", self.seed)
        low, high = self.ranges.things
        if self.purpose == "classify" and (low, high) != (1, 1):
            raise ConfigError(
                f"for=classify shows one thing a picture, got things={self.things}: leave one of them out."
            )

    @property
    def ranges(self) -> Difficulty:
        """What is drawn, and how many things."""
        ranges = DIFFICULTIES[self.difficulty]
        ranges = filling(ranges) if self.purpose == "classify" else ranges
        if not self.things:
            return ranges
        low, _, high = self.things.partition("-")
        ends = [int(end) if end.isascii() and end.isdigit() else -1 for end in (low, high or low)]
        fits = 0 <= ends[0] <= ends[1] <= MOST_THINGS
        require(fits, "things", f"a number or a range such as 1-3, from 0 to {MOST_THINGS}", self.things)
        return replace(ranges, things=(ends[0], ends[1]))

    @property
    def text(self) -> str:
        """These options as they are written, without those that are as usual."""
        given = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "sprites" and value not in KINDS:
                value = str(Path(value).expanduser().resolve())
            if value != field.default:
                given.append(f"{'for' if field.name == 'purpose' else field.name}={value}")
        return ",".join(given)


def parse(text: str) -> Options:
    """The inverse of `Options.text`: any of the options, in any order.

    Raises:
        ConfigError: an unknown option or value, one given twice, or no `=`; the message lists what is allowed.
    """
    names = ["for" if field.name == "purpose" else field.name for field in fields(Options)]
    values: dict[str, str | int] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise ConfigError(f"Options of scenes are written {names[0]}=64,{names[1]}=easy; got {part.strip()!r}.")
        if name not in names:
            raise ConfigError(unknown(name, names, "option of scenes"))
        key = "purpose" if name == "for" else name
        if key in values:
            raise ConfigError(f"scenes: {name} is given twice, as {values[key]} and as {value}.")
        if name in WHOLE:
            require(value.isascii() and value.isdigit(), name, "a whole number, 0 or positive", value)
            values[key] = int(value)
        else:
            values[key] = value
    return Options(**values)  # type: ignore[arg-type]
