import subprocess
import sys
from pathlib import Path


def test_the_picture_of_the_house_is_the_house(root: Path) -> None:
    done = subprocess.run([sys.executable, "tools/draw_house.py", "--check"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
