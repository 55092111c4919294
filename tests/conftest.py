"""What every test gets: one thread, no network, a cache of its own, and a few pictures whose colours are known."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two workers on two cores must not fight
os.environ["MPLBACKEND"] = "Agg"
os.environ["COLUMNS"] = "120"  # messages are wrapped the same way on every terminal

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

# The same examples in every run, and no time limit for one of them: both would make a test fail by chance.
hypothesis.settings.register_profile("pellucid", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("pellucid")

Address = tuple[Any, ...] | str | bytes


def is_local(address: Address) -> bool:
    """Whether a socket address stays on this machine: a loopback host, or the path of a Unix socket."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def offline() -> Iterator[None]:
    """Refuse every connection that would leave this machine, and every look-up of a name."""

    def guard(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            address = args[place] if place else (args[0] or "localhost",)
            if not is_local(address):
                raise RuntimeError(f"A test tried to reach {address!r}; tests run offline.")
            return function(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guard(socket.socket.connect, 1))
        patch.setattr(socket.socket, "connect_ex", guard(socket.socket.connect_ex, 1))
        patch.setattr(socket, "getaddrinfo", guard(socket.getaddrinfo, 0))
        yield


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Packs and downloads of the tests lie in a folder of their own, never in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PELLUCID_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def colours() -> dict[str, tuple[int, int, int]]:
    """Class name -> mean RGB of its pictures; the names are in the order of the class numbers."""
    return {"blue": (40, 70, 210), "green": (40, 180, 60), "red": (220, 40, 40)}


def paint(colour: tuple[int, int, int], height: int, width: int, number: int) -> np.ndarray:
    """A picture (height, width, 3) of one colour, with grain of +-8, so that no two are alike."""
    grain = np.random.default_rng([number, *colour]).integers(-8, 9, size=(height, width, 3))
    return np.clip(np.array(colour) + grain, 0, 255).astype(np.uint8)


@pytest.fixture
def class_folder(tmp_path: Path, colours: dict[str, tuple[int, int, int]]) -> Path:
    """Three classes of eight pictures, odd and even sizes, PNG and JPEG: `photos/red/5.jpg`."""
    root = tmp_path / "photos"
    for name, colour in colours.items():
        (root / name).mkdir(parents=True)
        for number in range(8):
            image = Image.fromarray(paint(colour, 16 + number, 20 + number % 3, number))
            if number % 2:
                image.save(root / name / f"{number}.jpg", quality=95, subsampling=0)
            else:
                image.save(root / name / f"{number}.png")
    return root


@pytest.fixture
def mask_folder(tmp_path: Path, colours: dict[str, tuple[int, int, int]]) -> Path:
    """Eight pictures with a green box on blue, and their palette masks: 0 ground, 1 box, 255 along its border."""
    root = tmp_path / "scenes"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for number in range(8):
        height, width, top = 24, 29, 4 + number
        image = paint(colours["blue"], height, width, number)
        image[top : top + 8, 6:17] = colours["green"]
        mask = np.zeros((height, width), dtype=np.uint8)
        mask[top - 1 : top + 9, 5:18] = 255
        mask[top : top + 8, 6:17] = 1
        Image.fromarray(image).save(root / "images" / f"{number}.png")
        palette = Image.fromarray(mask)
        palette.putpalette([0, 0, 0, *colours["green"], *[0] * (254 * 3)])
        palette.save(root / "masks" / f"{number}.png")
    return root


@pytest.fixture(params=["plain", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How loops run that have a compiled form: tests that take this are run in both."""
    from pellucid.ops import compiled

    if request.param == "compiled" and not compiled.has_numba():
        pytest.skip("numba is not installed")
    if request.param == "plain":
        monkeypatch.setattr(compiled, "has_numba", lambda: False)
    return request.param
