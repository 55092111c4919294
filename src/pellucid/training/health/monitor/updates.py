"""What a step does to the weights: how large they are, how large the gradient, how far it went."""

import math

import torch
from torch import Tensor, nn

from pellucid.training.health.monitor.snapshot import Weight, rounded


class Updates:
    """Made before a step, asked after it. Only weights of two or more dimensions that the step trains are followed.

    Biases and the scales of norms are left aside: many of them start at 0, where a ratio says nothing.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module) -> None:
        self.weights = {name: p for name, p in model.named_parameters() if p.requires_grad and p.ndim >= 2}
        self.before = [p.detach().clone() for p in self.weights.values()]

    @torch.no_grad()
    def measure(self) -> dict[str, Weight]:
        """By name; weights without a gradient took no part in the step."""
        trained = [
            (name, p, before, p.grad)
            for (name, p), before in zip(self.weights.items(), self.before, strict=True)
            if p.grad is not None
        ]
        if not trained:
            return {}
        names = [name for name, *_ in trained]
        roots = [math.sqrt(p.numel()) for _, p, _, _ in trained]
        before = [each for _, _, each, _ in trained]
        norms = _lengths(before)
        torch._foreach_sub_(before, [p.detach() for _, p, _, _ in trained])
        steps = _lengths(before)
        gradients = _lengths([gradient for *_, gradient in trained])
        return {
            name: Weight(rounded(norm / root), rounded(gradient / root), rounded(step / norm) if norm else 0.0)
            for name, root, norm, gradient, step in zip(names, roots, norms, gradients, steps, strict=True)
        }


def _lengths(tensors: list[Tensor]) -> list[float]:
    return torch.stack([length.float() for length in torch._foreach_norm(tensors)]).tolist()
