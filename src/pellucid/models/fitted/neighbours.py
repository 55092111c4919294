"""k nearest neighbours as a module: its weights are the training features."""

import torch
from torch import Tensor, nn

from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.core.errors import ConfigError

# N pictures, M remembered ones, D features, K classes

DISTANCES = ("l2", "l1")  # weights files hold the place in this list: only append
LEAST = 1e-6  # share of votes of a class that has none: its logarithm stays a number
NUDGE = 1e-4  # on the logit of the winner, so that the largest share is the winner's when votes are equal


class Neighbours(nn.Module):
    """Features (N, D) -> logits (N, K): the logarithm of the share of the k nearest that belong to each class.

    Attributes:
        memory: (M, D) features of the training pictures, uint8 when they are pixels.
        labels: (M,) their classes.
        k, distance: 0-d, so that they travel with the memory they were chosen for.
    """

    memory: Tensor
    labels: Tensor
    k: Tensor
    distance: Tensor

    def __init__(self, n_memory: int, dimension: int, dtype: torch.dtype, n_classes: int, ties: str) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.ties = ties
        self.register_buffer("memory", torch.zeros(n_memory, dimension, dtype=dtype))
        self.register_buffer("labels", torch.zeros(n_memory, dtype=torch.int64))
        self.register_buffer("k", torch.tensor(1))
        self.register_buffer("distance", torch.tensor(0))

    def remember(self, features: Tensor, labels: Tensor, k: int, distance: str) -> None:
        """Fit: keep the training features.

        Raises:
            ConfigError: more neighbours are asked for than there are pictures.
        """
        require_k(k, len(features))
        self.memory.copy_(features)
        self.labels.copy_(labels)
        self.k.fill_(k)
        self.distance.fill_(DISTANCES.index(distance))

    def forward(self, features: Tensor) -> Tensor:
        _, index = nearest(features, self.memory, int(self.k), DISTANCES[int(self.distance)])
        return vote_logits(self.labels[index], self.n_classes, self.ties)


def require_k(k: int, n: int) -> None:
    """Refuse more neighbours than there are.

    Raises:
        ConfigError: as it says.
    """
    if k > n:
        raise ConfigError(f"k must be at most the number of training pictures, {n}, got {k}. Use a smaller --k.")


def vote_logits(neighbours: Tensor, n_classes: int, ties: str) -> Tensor:
    """(N, k) labels of neighbours, nearest first -> (N, K) logits whose softmax is the shares of the votes."""
    winners, shares = vote(neighbours, n_classes, ties)
    logits = torch.as_tensor(shares).float().clamp(min=LEAST).log()
    nudge = torch.zeros_like(logits).scatter_(1, torch.as_tensor(winners)[:, None], NUDGE)
    return logits + nudge
