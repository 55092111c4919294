"""Randomness that is named, not shared: every stream comes from the run's seed and what it is for."""

import hashlib
import random

import numpy as np
import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one purpose, such as `derive(0, "augment", epoch, step)`.

    Streams of different names are independent, and none has a position to be saved: what happens at
    step 500 depends on the names alone, so a resumed run draws what the straight run drew.
    """
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: str | int, device: str | torch.device = "cpu") -> torch.Generator:
    """A torch generator for the stream of that name."""
    return torch.Generator(device=device).manual_seed(derive(seed, *names))


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for the stream of that name."""
    return np.random.default_rng(derive(seed, *names))


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch (initial weights and dropout use torch's)."""
    random.seed(derive(seed, "python"))
    np.random.seed(derive(seed, "numpy") % 2**32)  # noqa: NPY002 - libraries that draw from the global one
    torch.manual_seed(derive(seed, "torch"))
