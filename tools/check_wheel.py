"""Build the wheel, install it into an empty environment, and use it there as a newcomer would.

What it would find: a file that is not packed, a dependency that is not declared, a package that only works inside
its own repository. Nothing is shared with the developer's environment but pip's cache.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Three classes of twelve plain pictures with grain, made with what the wheel itself depends on.
PICTURES = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
for name, colour in {"blue": (40, 70, 210), "green": (40, 180, 60), "red": (220, 40, 40)}.items():
    folder = Path(sys.argv[1], name)
    folder.mkdir(parents=True)
    for n in range(12):
        grain = np.random.default_rng([n, *colour]).integers(-8, 9, (16, 16, 3))
        Image.fromarray((np.array(colour) + grain).astype(np.uint8)).save(folder / f"{n}.png")
"""
WHERE = "import pellucid; print(pellucid.__file__)"


def run(*words: str | Path, cwd: Path = ROOT) -> str:
    """Run a command; its output is shown only when it fails, and ends this script."""
    began = time.monotonic()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PELLUCID"))}
    done = subprocess.run([*map(str, words)], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    shown = " ".join(Path(word).name if isinstance(word, Path) else word for word in words if "\n" not in str(word))
    print(f"   {shown}: {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}FAILED with exit code {done.returncode}: {shown}")
    return done.stdout


def unpacked(wheel: Path) -> list[str]:
    """Files of the package that git tracks and the wheel lacks, and parts of the metadata that must be there."""
    tracked = run("git", "ls-files", "src/pellucid").splitlines()
    wanted = {name.removeprefix("src/") for name in tracked if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as content:
        there = set(content.namelist())
    missing = sorted(wanted - there)
    outside = sorted(name for name in there if not name.startswith("pellucid"))
    licence = [] if any(name.endswith("licenses/LICENSE") for name in there) else ["LICENSE"]
    return missing + licence + [f"{name} (should not be in)" for name in outside]


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment, torch first; returns the environment's folder of programs."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pins = ROOT / "constraints.txt"
    torch = next(line for line in pins.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    run(programs / "python", "-m", "pip", "install", "-q", "-c", pins, torch)
    run(programs / "python", "-m", "pip", "install", "-q", "-c", pins, wheel)
    run(programs / "python", "-m", "pip", "check")
    return programs


def use(programs: Path, folder: Path) -> None:
    """Version, a small training, a prediction and its verification, outside of the repository."""
    pellucid, python = programs / "pellucid", programs / "python"
    where = run(python, "-c", WHERE, cwd=folder).strip()
    if not Path(where).is_relative_to(programs.parent):
        sys.exit(f"FAILED: pellucid was imported from {where}, not from the wheel.")
    version = run(pellucid, "--version", cwd=folder)
    run(python, "-c", PICTURES, folder / "photos", cwd=folder)
    run(pellucid, "train", "photos", "--model", "linear", "--epochs", "3", "--out", "run", "--quiet", cwd=folder)
    answer = run(pellucid, "predict", "run", "photos/red/0.png", "--json", cwd=folder)
    run(pellucid, "verify", "run", cwd=folder)
    if not (folder / "run" / "report.html").is_file():
        sys.exit("FAILED: the training wrote no report.html.")
    if json.loads(answer)[0]["label"] != "red":
        sys.exit(f"FAILED: a red picture was not called red: {answer}")
    print(f"   {version.strip()} works from its wheel: a red picture is called red")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pellucid-wheel-") as name:
        folder = Path(name)
        run(Path(sys.executable), "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
        wheel = next(folder.glob("*.whl"))
        if wrong := unpacked(wheel):
            sys.exit(f"FAILED: {wheel.name} is not the package: {', '.join(wrong)}")
        programs = install(wheel, folder / "environment")
        use(programs, folder)


if __name__ == "__main__":
    main()
