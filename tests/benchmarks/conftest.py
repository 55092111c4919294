"""The scripts of `benchmarks/` import each other by their bare names."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    """Benchmarks set threads for their own process."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
