"""The fixtures that other tests lean on do what they say."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as connection, pytest.raises(RuntimeError, match="tests run offline"):
        connection.connect(("192.0.2.1", 80))  # an address kept free for examples (RFC 5737)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match="tests run offline"):
        socket.create_connection(("example.invalid", 80))


def test_this_machine_is_reachable() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname(), timeout=5) as client:
            assert client.getpeername() == server.getsockname()


def test_the_cache_is_not_the_users(cache_folder: Path) -> None:
    assert os.environ["PELLUCID_CACHE"] == str(cache_folder)
    assert Path.home() not in cache_folder.parents


def test_the_pictures_have_the_colours_they_are_named_after(
    class_folder: Path, colours: dict[str, tuple[int, int, int]]
) -> None:
    assert sorted(folder.name for folder in class_folder.iterdir()) == list(colours)
    for name, colour in colours.items():
        paths = sorted((class_folder / name).iterdir())
        assert [path.suffix for path in paths] == [".png", ".jpg"] * 4
        for path in paths:
            with Image.open(path) as image:
                mean = np.asarray(image).reshape(-1, 3).mean(axis=0)
            np.testing.assert_allclose(mean, colour, atol=3)


def test_no_two_pictures_are_alike(class_folder: Path) -> None:
    contents = [path.read_bytes() for path in class_folder.rglob("*.*")]
    assert len(contents) == len(set(contents)) == 24


def test_the_masks_lie_on_the_boxes(mask_folder: Path, colours: dict[str, tuple[int, int, int]]) -> None:
    for path in sorted((mask_folder / "masks").iterdir()):
        with Image.open(path) as mask, Image.open(mask_folder / "images" / path.name) as image:
            assert (mask.mode, mask.size) == ("P", image.size)
            ids, pixels = np.asarray(mask), np.asarray(image)
        assert np.unique(ids, return_counts=True)[1].tolist() == [24 * 29 - 10 * 13, 8 * 11, 10 * 13 - 8 * 11]
        assert (pixels[ids == 1] == colours["green"]).all()
        assert (pixels[ids == 255] != colours["green"]).any(axis=1).all()
