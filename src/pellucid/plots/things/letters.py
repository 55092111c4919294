"""Letters for names in any script: the built-in font knows ASCII alone."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from PIL import ImageFont

ASCII = frozenset(map(chr, range(128)))
FONTS = (  # that systems have; of equals the first is taken
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "Nirmala.ttf",
)
NO_LETTER = "\uffff"  # drawn as what stands for letters that a font lacks
LACKING = "?"
MOST = 200  # letters of a line below a picture; measuring more takes long


def with_letters(texts: Sequence[str], size: float) -> tuple[Any, list[str]]:
    """A font, and the texts as it can write them.

    Texts in ASCII get the font that comes with Pillow, so that they look the same everywhere. For others that font of
    the system is taken that knows the most of their letters. Those that it lacks lose their accents, or stand as "?".

    Args:
        texts: each in one line.
        size: of the letters, in pixels.
    """
    strange = frozenset("".join(texts)) - ASCII
    best, known = ImageFont.load_default(size), frozenset[str]()
    for name in FONTS if strange else ():
        font = _of_system(name, size)
        knows = frozenset[str]() if font is None else _known(font, strange)
        if len(knows) > len(known):
            best, known = font, knows
        if known == strange:
            break
    return best, [_written(text, ASCII | known) for text in texts]


def cut(text: str, room: float, font: Any) -> str:
    """A line of at most so many pixels, and of 200 letters; where it is longer, it ends in "..."."""
    text = text[:MOST]
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text + "..."


@cache
def _of_system(name: str, size: float) -> Any:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _known(font: Any, letters: Iterable[str]) -> frozenset[str]:
    lacking = bytes(font.getmask(NO_LETTER))
    return frozenset(letter for letter in letters if bytes(font.getmask(letter)) != lacking)


def _written(text: str, known: frozenset[str]) -> str:
    if known.issuperset(text):
        return text
    bare = (letter if letter in known else unicodedata.normalize("NFKD", letter) for letter in text)
    plain = (letter for letter in "".join(bare) if not unicodedata.combining(letter))
    return "".join(letter if letter in known else LACKING for letter in plain)
