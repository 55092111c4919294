"""CReLU: what a ReLU keeps and, as channels of its own, what it throws away.

Shang et al. 2016 (https://arxiv.org/abs/1603.05201).

Letters: N samples, C channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.errors import DataError


def crelu(x: Tensor) -> Tensor:
    """[relu(x), relu(-x)] along the channels: (N, C, ...) -> (N, 2C, ...).

    Raises:
        DataError: x has no channels.
    """
    if x.dim() < 2:
        raise DataError(f"crelu: x must have channels, (N, C, ...), got {tuple(x.shape)}.")
    return torch.cat([F.relu(x), F.relu(-x)], dim=1)


class CReLU(nn.Module):
    """`crelu` as a layer; the next one has to take twice the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) -> (N, 2C, ...)."""
        return crelu(x)
