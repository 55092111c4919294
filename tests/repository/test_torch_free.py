"""Settings, readers and the command line answer without loading torch, which takes a second or more."""

import subprocess
import sys
from pathlib import Path

import pytest

# Imports each module in turn and stops at the one after which torch is there.
PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"importing {name} loads torch")
"""

WITH_TORCH = ("pellucid.core.seed", "pellucid.core.device")


def modules(root: Path, *patterns: str) -> list[str]:
    """Dotted names of the modules of the package that match one of the patterns."""
    source = root / "src"
    paths = {path for pattern in patterns for path in (source / "pellucid").glob(pattern)}
    return sorted(".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__") for path in paths)


def probe(*names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE, *names], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "patterns",
    [
        ("__init__.py",),
        ("core/*.py",),
        ("**/config.py",),
        (
            "data/readers/*.py",
            "data/known/*.py",
            "data/source.py",
            "data/load.py",
            "data/images.py",
            "data/scenes/*.py",
        ),
        ("cli/main.py",),
        ("scratch/**/*.py",),
    ],
    ids=["package", "core", "settings", "readers", "command line", "scratch"],
)
def test_no_torch_is_loaded(root: Path, patterns: tuple[str, ...]) -> None:
    names = [name for name in modules(root, *patterns) if name not in WITH_TORCH]
    assert names
    found = probe(*names)
    assert found.returncode == 0, found.stderr


def test_the_probe_sees_torch() -> None:
    found = probe("pellucid.core.errors", "pellucid.core.seed", "pellucid.core.choose")
    assert found.returncode == 1
    assert "importing pellucid.core.seed loads torch" in found.stderr


def test_every_public_name_is_there() -> None:
    """PEP 562: each name of `__all__` is found when it is asked for, and an unknown one is refused in words."""
    import pellucid

    assert set(pellucid.__all__) <= set(dir(pellucid))
    for name in pellucid.__all__:
        assert getattr(pellucid, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'trian'; it has .*train"):
        _ = pellucid.trian  # type: ignore[attr-defined]
