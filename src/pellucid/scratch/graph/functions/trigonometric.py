"""The six trigonometric functions.

Formula:
    sin -> cos,           cos -> -sin
    tan -> 1 / cos² x,    cot -> -1 / sin² x
    sec -> sec x tan x,   csc -> -csc x cot x

Derivation:
    sin(x + h) = sin x cos h + cos x sin h, and sin h / h -> 1, (1 - cos h)/h -> 0, so the slope is cos x; the cosine
    is the sine a quarter turn ahead. The other four are quotients: (sin/cos)' = (cos² + sin²)/cos² = 1/cos²,
    (1/cos)' = sin/cos².

Source: Any table of derivatives.
"""

import numpy as np

from pellucid.scratch.graph.elementwise import Elementwise

sin = Elementwise("sin", np.sin, np.cos)
cos = Elementwise("cos", np.cos, lambda x: -np.sin(x))
tan = Elementwise("tan", np.tan, lambda x: 1 / np.cos(x) ** 2, "cos x ≠ 0", lambda x: np.cos(x) != 0)
cot = Elementwise("cot", lambda x: 1 / np.tan(x), lambda x: -1 / np.sin(x) ** 2, "sin x ≠ 0", lambda x: np.sin(x) != 0)
sec = Elementwise(
    "sec", lambda x: 1 / np.cos(x), lambda x: np.tan(x) / np.cos(x), "cos x ≠ 0", lambda x: np.cos(x) != 0
)
csc = Elementwise(
    "csc", lambda x: 1 / np.sin(x), lambda x: -1 / (np.sin(x) * np.tan(x)), "sin x ≠ 0", lambda x: np.sin(x) != 0
)
