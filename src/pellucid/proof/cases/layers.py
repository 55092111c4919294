"""Proofs of the affine layer and of what is made of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F

from pellucid.proof.case import Case, Layer, Subject
from pellucid.scratch.layers import affine


def affine_cases(layer: Any) -> Sequence[Case]:
    """Affine in each of its three arguments, for inputs of any rank."""

    def draw(*shape: int) -> Any:
        d = int(np.prod(shape[1:]))
        return lambda rng: (rng.standard_normal(shape), rng.standard_normal((d, 5)), rng.standard_normal(5))

    return [
        Layer(
            "affine",
            layer.affine_forward,
            layer.affine_backward,
            inputs={"rank 2": draw(3, 4), "rank 4": draw(2, 2, 3, 2), "one sample": draw(1, 6)},
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=lambda x, w, b: F.linear(x.flatten(1), w.T, b),
        )
    ]


SUBJECTS: dict[str, Subject] = {
    "affine": Subject(affine, affine_cases),
}
