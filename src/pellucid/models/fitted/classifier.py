"""A fitted classifier: features, then a head."""

from typing import Any

from torch import Tensor, nn

from pellucid.core.facts import DataFacts
from pellucid.models.fitted.neighbours import Neighbours


class FittedClassifier(nn.Module):
    """(N, C, H, W) uint8 pictures -> (N, K) logits."""

    notes: tuple[str, ...] = ()

    def __init__(self, features: Any, head: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image))


def knn(features: Any, facts: DataFacts, ties: str) -> FittedClassifier:
    """The k nearest training pictures vote."""
    n_memory = sum(facts.class_counts)  # the labelled ones
    return FittedClassifier(features, Neighbours(n_memory, features.dimension, features.dtype, facts.n_classes, ties))


def linear(features: Any, facts: DataFacts) -> FittedClassifier:
    """One template a class: support vector machine or softmax regression, told apart by how they were fitted."""
    return FittedClassifier(features, nn.Linear(features.dimension, facts.n_classes))
