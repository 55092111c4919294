"""The nets in NumPy keep the promise of their recipe."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = Path(__file__).resolve().parents[2] / "recipes/from_scratch.py"


@pytest.mark.slow
def test_nets_of_numpy_reach_what_their_recipe_promises() -> None:
    promised = re.findall(r"0\.\d\d", RECIPE.read_text(encoding="utf-8").split("Promise:")[1].split("\n")[0])
    done = subprocess.run([sys.executable, str(RECIPE)], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    reached = [float(number) for number in re.findall(r"test accuracy (0\.\d+)", done.stdout)]
    assert len(reached) == len(promised) == 2
    assert all(got >= float(wanted) for got, wanted in zip(reached, promised, strict=True)), done.stdout
