"""The hyperbolic functions and their inverses.

Formula:
    sinh x = (eˣ - e⁻ˣ)/2 -> cosh x              arsinh x = ln(x + √(x² + 1)) -> 1 / √(x² + 1)
    cosh x = (eˣ + e⁻ˣ)/2 -> sinh x              arcosh x = ln(x + √(x² - 1)) -> 1 / √(x² - 1)
    tanh x = sinh x / cosh x -> 1 / cosh² x      artanh x = ½ ln((1 + x)/(1 - x)) -> 1 / (1 - x²)

Derivation:
    (e⁻ˣ)' = -e⁻ˣ turns the difference into the sum and back, without the sign that cos has. The quotient:
    (cosh² - sinh²)/cosh² = 1/cosh². For the inverses, x = sinh y gives 1 = cosh y · y' = √(1 + x²) y', and so on.
    1/cosh² is written 1 - tanh², which does not overflow at x = 1000. NumPy's inverses are used in place of the
    logarithms, which lose all digits at x = -1e9: there x + √(x² + 1) is a difference of equal numbers.

Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 4.5 and 4.6.
"""

import numpy as np

from pellucid.scratch.graph.elementwise import Elementwise

sinh = Elementwise("sinh", np.sinh, np.cosh)
cosh = Elementwise("cosh", np.cosh, np.sinh)
tanh = Elementwise("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2)
arsinh = Elementwise("arsinh", np.arcsinh, lambda x: 1 / np.sqrt(x**2 + 1))
arcosh = Elementwise("arcosh", np.arccosh, lambda x: 1 / np.sqrt(x**2 - 1), "x ≥ 1", lambda x: x >= 1)
artanh = Elementwise("artanh", np.arctanh, lambda x: 1 / (1 - x**2), "-1 < x < 1", lambda x: np.abs(x) < 1)
