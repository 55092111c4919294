import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))

from planted_jobs import TinyConv

from pellucid.models import FAMILIES


@pytest.fixture(scope="session", autouse=True)
def tiny_conv() -> Iterator[None]:
    """A network that every test here may name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES["classify"], "tiny_conv", TinyConv)
        yield
