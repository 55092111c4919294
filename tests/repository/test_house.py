import subprocess
import sys
from pathlib import Path


def test_the_picture_of_the_house_is_the_house(root: Path) -> None:
    command = [sys.executable, "tools/draw_house.py", "--check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
