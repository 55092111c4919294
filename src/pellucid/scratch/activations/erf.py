"""Error function: the area under the bell curve, which NumPy lacks and GELU needs.

Formula:
    erf(x) = 2/√π ∫₀ˣ e^(−t²) dt,  erfc(x) = 1 − erf(x),  Φ(x) = erfc(−x/√2) / 2

Derivation:
    There is no closed form, so W. J. Cody fitted quotients of polynomials, on three stretches of |x|:
        up to 0.46875   erf(x)  = x R(x²)                           the series has odd powers only
        up to 4         erfc(x) = e^(−x²) R(x)                      the fast part split off
        above           erfc(x) = e^(−x²)/x (1/√π + R(1/x²)/x²)     the asymptotic series begins with 1/√π
    Mirrored, erf(−x) = −erf(x) and erfc(−x) = 2 − erfc(x). In float64, erf is within 4e-16 of the truth. erfc is not
    1 − erf computed: that leaves no digit right of 6, where this keeps relative errors below 1e-15 (1 + x²).

Source: Cody, "Rational Chebyshev Approximations for the Error Function", 1969; his CALERF in SPECFUN, netlib.
"""

from math import pi, sqrt

import numpy as np

Ratio = tuple[tuple[float, ...], tuple[float, ...]]  # numerator and denominator, highest power first

NEAR, FAR = 0.46875, 4.0
ERF_NEAR: Ratio = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
ERFC_MIDDLE: Ratio = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
ERFC_FAR: Ratio = (
    (
        -1.63153871373020978e-2,
        -3.05326634961232344e-1,
        -3.60344899949804439e-1,
        -1.25781726111229246e-1,
        -1.60837851487422766e-2,
        -6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242,
        1.87295284992346725,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)


def erf(x: np.ndarray) -> np.ndarray:
    """erf(x) in [−1, 1], of the shape of `x`, which holds floats."""
    a = np.abs(x)
    return np.sign(x) * np.piecewise(a, [a <= NEAR], [_erf_near, lambda a: 1 - _erfc_beyond(a)])


def erfc(x: np.ndarray) -> np.ndarray:
    """1 − erf(x) in [0, 2], of the shape of `x`, which holds floats; with its digits kept where it is small."""
    a = np.abs(x)
    right = np.piecewise(a, [a <= NEAR], [lambda a: 1 - _erf_near(a), _erfc_beyond])
    return np.where(x < 0, 2 - right, right)


def _erf_near(a: np.ndarray) -> np.ndarray:
    return a * _ratio(ERF_NEAR, a * a)


def _erfc_beyond(a: np.ndarray) -> np.ndarray:
    return np.exp(-a * a) * np.piecewise(a, [a <= FAR], [lambda a: _ratio(ERFC_MIDDLE, a), _erfc_far])


def _erfc_far(a: np.ndarray) -> np.ndarray:
    z = 1 / (a * a)
    return (1 / sqrt(pi) + z * _ratio(ERFC_FAR, z)) / a


def _ratio(polynomials: Ratio, z: np.ndarray) -> np.ndarray:
    """A quotient of two polynomials in z, by Horner's rule: ((c₀ z + c₁) z + c₂) z + ..."""
    values = []
    for coefficients in polynomials:
        value = np.zeros_like(z)
        for c in coefficients:
            value = value * z + c
        values.append(value)
    return values[0] / values[1]
