"""Who is mixed with whom, and what both labels count."""

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.data.transforms.batch import Batch, draw_whole

UNLABELLED = -1
NO_WAY = ("boxes_xyxy", "keypoints")


def draw_partners(n: int, generator: torch.Generator) -> Tensor:
    """(n,) int64: for each picture another one of the batch, in whose random order neighbours are strangers.

    All are as far apart, so each picture is mixed into one other. Alone a picture is its own partner.
    """
    away = 1 + int(draw_whole(torch.tensor([n - 2]), generator)) if n > 1 else 0
    return (torch.arange(n) + away) % max(n, 1)


def draw_shares(n: int, alpha: float, p: float, generator: torch.Generator) -> Tensor:
    """(n,) float64 from 0 to 1: of the partner; Beta(alpha, alpha), and 0 for a share 1 - p of the pictures."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    drawn = np.random.default_rng(seed)  # torch has no Beta that takes a generator
    shares = drawn.beta(alpha, alpha, n) if alpha > 0 else np.zeros(n)
    return torch.from_numpy(np.where(drawn.random(n) < p, shares, 0.0))


def require_mixable(batch: Batch, what: str) -> None:
    """Refuse a batch whose labels cannot be those of two pictures.

    Raises:
        ConfigError: it has boxes or keypoints, or is mixed already.
    """
    held = [key for key in NO_WAY if key in batch]
    if held:
        raise ConfigError(f"{what} mixes pictures with a label or a mask, not with {' and '.join(held)}. Leave it out.")
    if "label_mix" in batch:
        raise ConfigError(
            f"{what}: the pictures are mixed already, and a third label has no place. Use one mixing step."
        )


def without_unlabelled(shares: Tensor, batch: Batch, partner: Tensor) -> Tensor:
    """The shares, 0 where one of the two has no label: nobody could say what the mixture shows."""
    if "label" not in batch:
        return shares
    known = (batch["label"] != UNLABELLED).cpu()
    return shares * (known & known[partner])


def label_mix(batch: Batch, partner: Tensor, weight: Tensor) -> Batch:
    """The keys that tell the loss; none where pictures have no label. `weight` (N,) is the partner's."""
    if "label" not in batch:
        return {}
    label = batch["label"]
    both = torch.stack([label, label[partner.to(label.device)]], 1)  # (N, 2)
    return {"label_mix": both, "label_mix_weight": weight.to(label.device, torch.float32)}


def both_valid(batch: Batch, partner: Tensor) -> Batch:
    """`valid_hw` of what shows both pictures."""
    if "valid_hw" not in batch:
        return {}
    valid = batch["valid_hw"]
    return {"valid_hw": valid.maximum(valid[partner.to(valid.device)])}
