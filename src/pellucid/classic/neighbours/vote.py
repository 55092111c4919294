"""The vote of the k nearest neighbours, and what happens when it is a tie."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.core.errors import DataError

# N queries, k neighbours each, C classes

TIES = ("nearest", "smallest")


def vote(
    labels: "np.ndarray | Tensor", n_classes: int, ties: str = "nearest", weights: "np.ndarray | Tensor | None" = None
) -> tuple[Any, Any]:
    """Every neighbour has one vote; the class with the most wins.

    Args:
        labels: (N, k) integers from 0 to n_classes - 1: the classes of the neighbours, the nearest first.
        n_classes: C.
        ties: between classes with equally many votes. "nearest": the one whose first member is nearest (the first
            seen wins); "smallest": the one with the smallest label, as the argmax of a count takes it.
        weights: (N, k) how much each vote counts, not negative; None counts each as one.

    Returns:
        winners (N,) int64 and shares (N, C) float64, which add up to 1; arrays or tensors, as `labels` is.

    Raises:
        ConfigError: an unknown rule for ties, or no classes.
        DataError: labels are no (N, k) integers, are outside the classes, or the weights do not fit.
    """
    require(ties in TIES, "ties", " or ".join(map(repr, TIES)), ties)
    require(n_classes >= 1, "n_classes", "at least 1", n_classes)
    given = _as_tensor(labels)
    if given.ndim != 2 or given.shape[1] == 0 or given.is_floating_point() or given.dtype == torch.bool:
        raise DataError(f"labels must be (N, k) integers, got shape {tuple(given.shape)} of {given.dtype}.")
    if given.numel() and not (given.min() >= 0 and given.max() < n_classes):
        low, high = int(given.min()), int(given.max())
        raise DataError(f"labels must be 0 to {n_classes - 1} for {n_classes} classes, got {low} to {high}.")
    members = given.to(torch.int64)
    ballots = _ballots(members, weights)
    counts = torch.zeros(len(members), n_classes, dtype=torch.float64, device=members.device)
    counts.scatter_add_(1, members, ballots)
    most = counts.amax(dim=1, keepdim=True)
    if ties == "smallest":
        winners = (counts == most).to(torch.uint8).argmax(dim=1)  # the first of equals
    else:
        leads = counts.gather(1, members) == most  # (N, k): whether a neighbour is of a leading class
        winners = members.gather(1, leads.to(torch.uint8).argmax(dim=1, keepdim=True))[:, 0]
    shares = counts / counts.sum(dim=1, keepdim=True)
    return (winners, shares) if isinstance(labels, Tensor) else (winners.numpy(), shares.numpy())


def distance_weights(distances: "np.ndarray | Tensor") -> Any:
    """Votes (N, k) that count 1 / distance; where neighbours are at distance 0, they alone count, one each."""
    given = _as_tensor(distances).to(torch.float64)
    same = given == 0
    weights = torch.where(same.any(dim=1, keepdim=True), same.to(torch.float64), 1 / given)
    return weights if isinstance(distances, Tensor) else weights.numpy()


def _ballots(members: Tensor, weights: "np.ndarray | Tensor | None") -> Tensor:
    """What each vote counts, (N, k) float64."""
    if weights is None:
        return torch.ones(members.shape, dtype=torch.float64, device=members.device)
    ballots = _as_tensor(weights).to(members.device, torch.float64)
    if ballots.shape != members.shape:
        raise DataError(f"weights must have the shape of labels, {tuple(members.shape)}, got {tuple(ballots.shape)}.")
    if not bool((ballots >= 0).all()) or not bool((ballots.sum(dim=1) > 0).all()):
        raise DataError("weights must be numbers from 0 up, with one above 0 in every row.")
    return ballots


def _as_tensor(given: Any) -> Tensor:
    """A copy of what is not one already: arrays may be read-only, which torch warns of."""
    return given.detach() if isinstance(given, Tensor) else torch.from_numpy(np.array(given))
