"""All pictures by the name of their lesson."""

import re
from collections.abc import Callable

from lessons.pictures import (
    activations,
    attention,
    convolution,
    functions,
    graphs,
    layers,
    losses,
    measuring,
    nets,
    normalisation,
    optimisers,
    pooling,
    recurrent,
    regularisation,
    upsampling,
)

PICTURES: dict[str, Callable[[], str]] = {
    **layers.PICTURES,
    **activations.PICTURES,
    **losses.PICTURES,
    **regularisation.PICTURES,
    **convolution.PICTURES,
    **pooling.PICTURES,
    **upsampling.PICTURES,
    **normalisation.PICTURES,
    **recurrent.PICTURES,
    **attention.PICTURES,
    **optimisers.PICTURES,
    **graphs.PICTURES,
    **functions.PICTURES,
    **nets.PICTURES,
    **measuring.PICTURES,
}

ROOM = 8  # pixels on each side

# A page may be shown on white or on black; the shapes take the colour of letters from here. `.plot` by itself
# inherits its colour, so the class has to be named here too.
COLOURS = (
    "<style>svg.plot{color:#1d2733;background:#fff}"
    "@media(prefers-color-scheme:dark){svg.plot{color:#e6edf3;background:#0d1117}}</style>"
)


def draw(name: str) -> str:
    """The picture of a lesson."""
    return on_page(PICTURES[name]())


def on_page(picture: str) -> str:
    """An SVG as a file of its own, with a little room around it, readable on light and dark pages."""
    width, height = (float(size) for size in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)[0])
    roomy = f'viewBox="{-ROOM:g} {-ROOM:g} {width + 2 * ROOM:g} {height + 2 * ROOM:g}"'
    picture = re.sub('viewBox="[^"]*"', roomy, picture, count=1)
    at = picture.index(">") + 1
    return picture[:at] + COLOURS + picture[at:] + "\n"
