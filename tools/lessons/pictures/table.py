"""All pictures by the name of their lesson."""

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
    """An SVG as a file of its own, readable on light and dark pages."""
    at = picture.index(">") + 1
    return picture[:at] + COLOURS + picture[at:] + "\n"
