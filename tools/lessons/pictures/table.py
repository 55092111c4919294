"""All pictures by the name of their lesson."""

from collections.abc import Callable

from lessons.pictures import layers

PICTURES: dict[str, Callable[[], str]] = {**layers.PICTURES}

# A page may be shown on white or on black; the shapes take the colour of letters from here.
COLOURS = (
    "<style>svg{color:#1d2733;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}}</style>"
)


def draw(name: str) -> str:
    """The picture of a lesson as a file of its own, readable on light and dark pages."""
    made = PICTURES[name]()
    at = made.index(">") + 1
    return made[:at] + COLOURS + made[at:] + "\n"
