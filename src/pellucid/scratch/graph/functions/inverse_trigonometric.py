"""The six inverse trigonometric functions.

Formula:
    arcsin -> 1 / √(1 - x²),          arccos -> -1 / √(1 - x²)
    arctan -> 1 / (1 + x²),           arccot -> -1 / (1 + x²)
    arcsec -> 1 / (|x| √(x² - 1)),    arccsc -> -1 / (|x| √(x² - 1))

Derivation:
    x = sin y gives 1 = cos y · y', and cos y = √(1 - x²) is not negative where arcsin has its values. Likewise
    x = tan y gives 1 = (1 + tan² y) y'. The others are reflections and reciprocals: arccos x = π/2 - arcsin x,
    arccot x = π/2 - arctan x with values in (0, π), arcsec x = arccos(1/x), arccsc x = arcsin(1/x).
    For arcsec: y' = -1/√(1 - 1/x²) · (-1/x²) = 1 / (x² √(x² - 1) / |x|), because √(x²) = |x|. Tables that write x in
    place of |x| give the wrong sign for x < -1, where arcsec rises too.

Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 4.4.52-4.4.57.
"""

import numpy as np

from pellucid.scratch.graph.elementwise import Elementwise

arcsin = Elementwise("arcsin", np.arcsin, lambda x: 1 / np.sqrt(1 - x**2), "-1 ≤ x ≤ 1", lambda x: np.abs(x) <= 1)
arccos = Elementwise("arccos", np.arccos, lambda x: -1 / np.sqrt(1 - x**2), "-1 ≤ x ≤ 1", lambda x: np.abs(x) <= 1)
arctan = Elementwise("arctan", np.arctan, lambda x: 1 / (1 + x**2))
arccot = Elementwise("arccot", lambda x: float(np.pi / 2) - np.arctan(x), lambda x: -1 / (1 + x**2))
arcsec = Elementwise(
    "arcsec",
    lambda x: np.arccos(1 / x),
    lambda x: 1 / (np.abs(x) * np.sqrt(x**2 - 1)),
    "x ≤ -1 or x ≥ 1",
    lambda x: np.abs(x) >= 1,
)
arccsc = Elementwise(
    "arccsc",
    lambda x: np.arcsin(1 / x),
    lambda x: -1 / (np.abs(x) * np.sqrt(x**2 - 1)),
    "x ≤ -1 or x ≥ 1",
    lambda x: np.abs(x) >= 1,
)
