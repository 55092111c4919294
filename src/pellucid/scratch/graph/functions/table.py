"""The table of derivatives: 25 elementary functions, each ready to be a node.

Formula:
    name -> f, with f.value, f.derivative, and f.domain in words

Derivation:
    Everything else is built of these by sums, products and nesting, for which the chain rule of the graph
    suffices: d/dx f(g(x)) = f'(g(x)) g'(x). Those with a parameter stand here with an example of it.

Source: The files of this folder, one for each family.
"""

from pellucid.scratch.graph.elementwise import Elementwise
from pellucid.scratch.graph.functions.exponentials import exponential, ln, logarithm
from pellucid.scratch.graph.functions.hyperbolic import arcosh, arsinh, artanh, cosh, sinh, tanh
from pellucid.scratch.graph.functions.inverse_trigonometric import arccos, arccot, arccsc, arcsec, arcsin, arctan
from pellucid.scratch.graph.functions.powers import constant, power, reciprocal, root
from pellucid.scratch.graph.functions.trigonometric import cos, cot, csc, sec, sin, tan

FUNCTIONS: dict[str, Elementwise] = {
    "constant": constant(3.0),
    "exponential": exponential(2.0),
    "logarithm": logarithm(10.0),
    "ln": ln,
    "power": power(3),
    "root": root(3),
    "reciprocal": reciprocal(2),
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "cot": cot,
    "sec": sec,
    "csc": csc,
    "arcsin": arcsin,
    "arccos": arccos,
    "arctan": arctan,
    "arccot": arccot,
    "arcsec": arcsec,
    "arccsc": arccsc,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "arsinh": arsinh,
    "arcosh": arcosh,
    "artanh": artanh,
}
