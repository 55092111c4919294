"""Proofs of the layers that act on words and step by step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.scratch.layers import embedding, temporal


def embedding_cases(layer: Any) -> Sequence[Case]:
    """Linear in the table; words that come twice add up; the same as a product with one-hot rows."""

    def draw(*shape: int) -> Any:
        return lambda rng: (rng.integers(0, 5, shape), rng.standard_normal((5, 3)))

    def product() -> float:
        x, W = draw(4, 6)(np.random.default_rng(0))
        return float(np.abs(layer.one_hot(x, 5) @ W - layer.word_embedding_forward(x, W)[0]).max())

    def none_at_all() -> float:
        out, cache = layer.word_embedding_forward(np.zeros((0, 4), np.int64), np.ones((5, 3)))
        dW = layer.word_embedding_backward(out, cache)
        return 0.0 if out.shape == (0, 4, 3) and dW.shape == (5, 3) and not dW.any() else 1.0

    def unknown_words() -> float:
        """Every word outside of the table is refused, each at its end."""
        accepted = 0
        for word in (-1, 5, 6):
            try:
                layer.word_embedding_forward(np.array([[0, word, 4]]), np.ones((5, 3)))
                accepted += 1
            except DataError:
                pass
        return float(accepted)

    return [
        Layer(
            "word_embedding",
            layer.word_embedding_forward,
            layer.word_embedding_backward,
            inputs={"sentences": draw(4, 6), "one word": draw(1, 1), "in a row": draw(7)},
            gradients=("W",),
            linear=("W",),
            twin=F.embedding,
        ),
        Check("embedding_is_a_product", product, 0.0),
        Check("embedding_of_no_words", none_at_all),
        Check("embedding_of_unknown_words", unknown_words),
    ]


def temporal_cases(layer: Any) -> Sequence[Case]:
    """Affine in each of its three arguments."""

    def draw(N: int, T: int) -> Any:
        return lambda rng: (rng.standard_normal((N, T, 4)), rng.standard_normal((4, 5)), rng.standard_normal(5))

    return [
        Layer(
            "temporal_affine",
            layer.temporal_affine_forward,
            layer.temporal_affine_backward,
            inputs={"two sequences": draw(2, 3), "one step": draw(3, 1), "one sequence": draw(1, 2)},
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=lambda x, w, b: F.linear(x, w.T, b),
        )
    ]


SUBJECTS: dict[str, Subject] = {
    "embedding": Subject(embedding, embedding_cases),
    "temporal-affine": Subject(temporal, temporal_cases),
}
