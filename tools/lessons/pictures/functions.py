"""Pictures of the elementary functions: each with its derivative, where it is defined."""

from collections.abc import Callable, Mapping

import numpy as np

from lessons.pictures.chart import SAMPLES, key, panel
from lessons.pictures.drawing import caption, picture
from pellucid.plots import svg
from pellucid.scratch.graph.elementwise import Elementwise
from pellucid.scratch.graph.functions.exponentials import exp, exponential, ln, logarithm
from pellucid.scratch.graph.functions.hyperbolic import arcosh, arsinh, artanh, cosh, sinh, tanh
from pellucid.scratch.graph.functions.inverse_trigonometric import arccos, arccot, arccsc, arcsec, arcsin, arctan
from pellucid.scratch.graph.functions.powers import constant, power, reciprocal, root
from pellucid.scratch.graph.functions.trigonometric import cos, cot, csc, sec, sin, tan

COLUMNS = 3
WIDE, TALL = 148.0, 84.0


def family(title: str, functions: Mapping[str, Elementwise], reach: float = 4.0, height: float = 3.0) -> str:
    """Small panels, from -reach to reach and from -height to height."""
    parts, top = key({"f(x)": 1, "f'(x)": 2})
    x = np.linspace(-reach, reach, SAMPLES)
    for number, (name, function) in enumerate(functions.items()):
        row, column = divmod(number, COLUMNS)
        left, upper = column * (WIDE + 16), top + row * (TALL + 34)
        area = panel(left, upper + 22, WIDE, TALL, (-reach, reach), (-height, height))
        inside = np.ones(len(x), dtype=bool) if function.inside is None else function.inside(x)
        parts.append(svg.text(left, upper + 17, name, "small"))
        parts.append(
            svg.text(left + WIDE, upper + 17, "" if function.inside is None else function.domain, "small soft", "end")
        )
        parts += area.cross()
        with np.errstate(all="ignore"):
            for series, curve in ((1, function.value), (2, function.derivative)):
                parts.append(area.curve(x, np.where(inside, curve(np.where(inside, x, np.nan)), np.nan), f"s{series}"))
    bottom = top + -(-len(functions) // COLUMNS) * (TALL + 34) + 14
    parts.append(caption(0, bottom, f"x from −{reach:g} to {reach:g}, heights from −{height:g} to {height:g}"))
    return picture(title, bottom + 10, f"{title}: {', '.join(functions)}, each with its derivative.", parts)


def by_name(*functions: Elementwise) -> dict[str, Elementwise]:
    return {function.name: function for function in functions}


def powers() -> str:
    return family(
        "The exponent comes down, and falls by one",
        {"2": constant(2), "x²": power(2), "x³": power(3), "√x": root(2), "∛x": root(3), "1/x": reciprocal(1)},
        reach=3,
    )


def exponentials() -> str:
    return family(
        "The exponential is its own derivative",
        {
            "eˣ": exp,
            "2ˣ": exponential(2),
            "(½)ˣ": exponential(0.5),
            "ln x": ln,
            "log₂ x": logarithm(2),
            "log₁₀ x": logarithm(10),
        },
        reach=3,
    )


def trigonometric() -> str:
    return family("A quarter turn ahead, and its quotients", by_name(sin, cos, tan, cot, sec, csc), reach=5)


def inverse_trigonometric() -> str:
    return family(
        "Derivatives without sines: roots and fractions",
        by_name(arcsin, arccos, arctan, arccot, arcsec, arccsc),
        reach=3,
    )


def hyperbolic() -> str:
    return family(
        "As sine and cosine, without the changes of sign", by_name(sinh, cosh, tanh, arsinh, arcosh, artanh), reach=3
    )


PICTURES: dict[str, Callable[[], str]] = {
    "powers": powers,
    "exponentials": exponentials,
    "trigonometric": trigonometric,
    "inverse-trigonometric": inverse_trigonometric,
    "hyperbolic": hyperbolic,
}
