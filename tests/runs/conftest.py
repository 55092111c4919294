import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_runs import QUICK, make_photos
from small_searches import FAST, SPACE

import pellucid
from pellucid.runs.searching.study import Study
from pellucid.runs.searching.tune import tune


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test stands in its own empty folder, so that a stray `runs/` is seen."""
    monkeypatch.chdir(tmp_path)
    return


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class folder that no test changes."""
    return make_photos(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture(scope="session")
def finished(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on it that no test changes."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    pellucid.train(photos, out=folder, progress="quiet", **QUICK)
    return folder


@pytest.fixture(scope="session")
def found(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A finished search that no test changes."""
    folder = tmp_path_factory.mktemp("searches") / "found"
    return tune(photos, space=SPACE, out=folder, trials=8, progress="quiet", **FAST)


@pytest.fixture
def run_copy(finished: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Copies of the finished run, to be changed."""

    def copy(name: str = "run") -> Path:
        return Path(shutil.copytree(finished, tmp_path / name))

    return copy
