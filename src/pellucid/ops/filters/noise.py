"""Three kinds of noise, to try filters on. The same seed gives the same noise, on every device."""

import torch
from torch import Tensor

from pellucid.core.config import require
from pellucid.ops.pictures import Pictures, Planes, as_before, as_planes

WHITE = 255.0  # of uint8; 1 of floating point


def salt_and_pepper(x: Pictures, amount: float = 0.05, seed: int = 0) -> Pictures:
    """Turn a share of the pixels black or white, one half each: a camera's dead and stuck pixels.

    All channels of a pixel turn together.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point in 0..1.
        amount: share of the pixels, 0 to 1, by chance.
        seed: of the noise.

    Returns:
        As x.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: amount is no share, or seed no whole number.
    """
    planes, chance = _with_chance(x, amount, seed)
    pepper, salt = (chance < amount / 2), (chance >= amount / 2) & (chance < amount)
    return planes.back(planes.tensor.masked_fill(pepper, 0).masked_fill(salt, _white(planes.tensor)))


def impulse(x: Pictures, amount: float = 0.05, seed: int = 0) -> Pictures:
    """Turn a share of the pixels white: `salt_and_pepper` without the pepper.

    Arguments, result and errors are the same.
    """
    planes, chance = _with_chance(x, amount, seed)
    return planes.back(planes.tensor.masked_fill(chance < amount, _white(planes.tensor)))


def gaussian_noise(x: Pictures, std: float = 0.05, seed: int = 0) -> Pictures:
    """Add a normal number of its own to each value: a sensor in low light.

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W), uint8 or floating point.
        std: standard deviation, in the units of x: of 255 for uint8, of 1 for pictures in 0..1.
        seed: of the noise.

    Returns:
        As x. uint8 is rounded and held within 0..255, so its noise is a little weaker near black and white; floating
        point is left as it is.

    Raises:
        DataError: x is of a wrong rank or type, empty, or not finite.
        ConfigError: std is negative, or seed no whole number.
    """
    number = isinstance(std, (int, float)) and not isinstance(std, bool)
    require(number and 0 <= std < float("inf"), "std", "a number of at least 0", std)
    planes = as_planes(x)
    tensor = planes.tensor
    exact = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    noise = torch.randn(tensor.shape, generator=_generator(seed), dtype=exact).to(tensor.device)
    return planes.back(as_before(tensor.to(exact) + std * noise, tensor))


def _with_chance(x: Pictures, amount: float, seed: int) -> tuple[Planes, Tensor]:
    """Pictures, and a number in 0..1 for each of their pixels: (N, 1, H, W)."""
    number = isinstance(amount, (int, float)) and not isinstance(amount, bool)
    require(number and 0 <= amount <= 1, "amount", "a share of the pixels, 0 to 1", amount)
    planes = as_planes(x)
    n, _, height, width = planes.tensor.shape
    chance = torch.rand((n, 1, height, width), generator=_generator(seed), dtype=torch.float64)
    return planes, chance.to(planes.tensor.device)


def _white(tensor: Tensor) -> float:
    return WHITE if tensor.dtype == torch.uint8 else 1.0


def _generator(seed: int) -> torch.Generator:
    """Always the CPU's, so that a seed means the same everywhere."""
    whole = isinstance(seed, int) and not isinstance(seed, bool)
    require(whole and 0 <= seed < 2**63, "seed", "a whole number from 0", seed)
    return torch.Generator().manual_seed(seed)
