"""The table of derivatives: values that are known, gradients on the domains, refusals outside."""

import math

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.graph.functions.exponentials import exp, exponential, ln, logarithm
from pellucid.scratch.graph.functions.hyperbolic import arsinh, tanh
from pellucid.scratch.graph.functions.inverse_trigonometric import arccsc, arcsec, arcsin
from pellucid.scratch.graph.functions.powers import power, reciprocal, root
from pellucid.scratch.graph.functions.table import FUNCTIONS
from pellucid.scratch.graph.functions.trigonometric import cot
from pellucid.scratch.graph.node import Node, apply

EVERYWHERE, POSITIVE = [-2.3, -0.7, 0.4, 1.9], [0.05, 0.7, 3.0]
INSIDE, OUTSIDE = [-0.97, -0.3, 0.2, 0.9], [-3.0, -1.1, 1.2, 4.0]
POINTS = {
    **dict.fromkeys(FUNCTIONS, EVERYWHERE),
    **dict.fromkeys(("logarithm", "ln"), POSITIVE),
    **dict.fromkeys(("arcsin", "arccos", "artanh"), INSIDE),
    **dict.fromkeys(("arcsec", "arccsc"), OUTSIDE),
    "arcosh": [1.02, 1.5, 6.0],
}
VALUES = {  # at one place each, by a closed form
    "constant": (9.0, 3.0),
    "exponential": (-3.0, 1 / 8),
    "logarithm": (1000.0, 3.0),
    "ln": (math.e**2, 2.0),
    "power": (-2.0, -8.0),
    "root": (-27.0, -3.0),
    "reciprocal": (-2.0, 0.25),
    "sin": (math.pi / 6, 0.5),
    "cos": (math.pi / 3, 0.5),
    "tan": (-math.pi / 4, -1.0),
    "cot": (math.pi / 6, math.sqrt(3)),
    "sec": (math.pi / 3, 2.0),
    "csc": (-math.pi / 6, -2.0),
    "arcsin": (-0.5, -math.pi / 6),
    "arccos": (-0.5, 2 * math.pi / 3),
    "arctan": (-1.0, -math.pi / 4),
    "arccot": (-1.0, 3 * math.pi / 4),
    "arcsec": (-2.0, 2 * math.pi / 3),
    "arccsc": (-2.0, -math.pi / 6),
    "sinh": (math.log(2), 0.75),
    "cosh": (math.log(2), 1.25),
    "tanh": (math.log(2), 0.6),
    "arsinh": (-0.75, -math.log(2)),
    "arcosh": (1.25, math.log(2)),
    "artanh": (-0.6, -math.log(2)),
}


def test_there_are_twenty_five():
    assert len(FUNCTIONS) == 25 and FUNCTIONS.keys() == VALUES.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_known_values(name: str):
    x, wanted = VALUES[name]
    assert apply(FUNCTIONS[name], Node(x)).value == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_on_the_whole_domain(name: str):
    x = Node(POINTS[name])
    apply(FUNCTIONS[name], x).sum().backward()
    report = check_gradient(lambda at: float(FUNCTIONS[name].value(at).sum()), x.value.copy(), x.gradient)
    assert report.passed(), report


@pytest.mark.parametrize("function", [arcsec, arccsc])
def test_the_absolute_value_in_arcsec_and_arccsc(function):
    """arcsec rises and arccsc falls on both sides, although many tables give x in place of |x|."""
    x = Node([-2.0, 2.0])
    apply(function, x).sum().backward()
    assert x.gradient[0] == x.gradient[1]
    assert abs(x.gradient[0]) == pytest.approx(1 / (2 * math.sqrt(3)))


@pytest.mark.parametrize(
    ("function", "x", "message"),
    [
        (ln, -1.5, "ln is defined for x > 0, got x = -1.5."),
        (logarithm(2), [4.0, 0.0], "log_2 is defined for x > 0, got x = 0 at index (1,)."),
        (arcsin, [[0.0, 1.0], [0.0, -1.25]], "arcsin is defined for -1 ≤ x ≤ 1, got x = -1.25 at index (1, 1)."),
        (arcsec, 0.5, "arcsec is defined for x ≤ -1 or x ≥ 1, got x = 0.5."),
        (power(0.5), -4.0, "x^0.5 is defined for x ≥ 0, got x = -4."),
        (reciprocal(2), 0.0, "1/x^2 is defined for x ≠ 0, got x = 0."),
        (root(2), -9.0, "2-th root of x is defined for x ≥ 0, got x = -9."),
        (cot, 0.0, "cot is defined for sin x ≠ 0, got x = 0."),
        (ln, float("nan"), "ln is defined for x > 0, got x = nan."),
    ],
)
def test_outside_of_the_domain(function, x, message: str):
    with pytest.raises(DataError) as caught:
        apply(function, Node(x))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("function", "x", "message"),
    [
        (arcsin, 1.0, "arcsin has no finite derivative at x = 1."),
        (power(0.5), [1.0, 0.0], "x^0.5 has no finite derivative at x = 0 at index (1,)."),
        (root(3), 0.0, "3-th root of x has no finite derivative at x = 0."),
    ],
)
def test_infinite_slopes_are_said(function, x, message: str):
    node = Node(x)
    out = apply(function, node).sum()
    assert np.isfinite(out.value)
    with pytest.raises(DataError) as caught:
        out.backward()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exponential(-2), "The base of nˣ must be positive, got -2."),
        (lambda: logarithm(1), "The base of a logarithm must be positive and not 1, got 1."),
        (lambda: logarithm(0), "The base of a logarithm must be positive and not 1, got 0."),
        (lambda: root(0), "The degree of a root must be a whole number from 1 on, got 0."),
        (lambda: root(1.5), "The degree of a root must be a whole number from 1 on, got 1.5."),
    ],
)
def test_impossible_parameters(make, message: str):
    with pytest.raises(DataError) as caught:
        make()
    assert str(caught.value) == message


def test_large_numbers_neither_overflow_nor_cancel():
    assert apply(arsinh, Node(-1e9)).value == pytest.approx(-math.log(2e9))
    x = Node([-1000.0, 1000.0])
    apply(tanh, x).sum().backward()
    np.testing.assert_array_equal(x.gradient, [0, 0])


def test_inverses_undo():
    x = np.array([0.3, 0.8])
    for there, back in (("sin", "arcsin"), ("cos", "arccos"), ("tan", "arctan"), ("cot", "arccot"), ("sec", "arcsec")):
        np.testing.assert_allclose(FUNCTIONS[back].value(FUNCTIONS[there].value(x)), x, rtol=1e-12)
    for there, back in (("csc", "arccsc"), ("sinh", "arsinh"), ("cosh", "arcosh"), ("tanh", "artanh")):
        np.testing.assert_allclose(FUNCTIONS[back].value(FUNCTIONS[there].value(x)), x, rtol=1e-12)
    np.testing.assert_allclose(exp.value(ln.value(x)), x, rtol=1e-12)


def test_single_precision_stays_single():
    for name, function in FUNCTIONS.items():
        x = np.array(POINTS[name], np.float32)
        assert function.value(x).dtype == function.derivative(x).dtype == np.float32, name
