"""Moving pictures are their frames, each of which reads as the picture it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ImageError
from pellucid.data.images import read_image
from pellucid.data.readers.frames import AT_ONCE, frames
from pellucid.runs.predict import expand


def colours(n: int, side: int = 8) -> list[Image.Image]:
    return [Image.new("RGB", (side, side + 2), (10 * (k % 25), 255 - 3 * (k % 80), 100)) for k in range(n)]


@pytest.mark.parametrize("ending", ["gif", "webp", "tif"])
def test_every_frame_is_a_picture(tmp_path: Path, ending: str) -> None:
    made = colours(AT_ONCE + 3)
    more = {"lossless": True} if ending == "webp" else {}
    made[0].save(tmp_path / f"clip.{ending}", save_all=True, append_images=made[1:], **more)
    found = frames(tmp_path / f"clip.{ending}")
    assert len(found) == len(made)
    for number in (0, 5, len(made) - 1, 3):  # also backwards
        pixels = read_image(found[number])
        np.testing.assert_allclose(pixels, np.asarray(made[number]), atol=2)
        assert found[number] == f"{tmp_path}/clip.{ending}#{number + 1}"
        assert found[number].stem == f"clip-{number + 1:04d}"
    assert read_image(found[1], channels=1).shape == (10, 8, 1)


def test_single_pictures_are_none(tmp_path: Path) -> None:
    first, *_ = colours(1)
    for name in ("one.gif", "one.webp", "one.tif", "one.png", "one.jpg"):
        first.save(tmp_path / name)
        assert frames(tmp_path / name) == []
    small = first.resize((4, 5))
    first.save(tmp_path / "copies.tif", save_all=True, append_images=[small])
    assert frames(tmp_path / "copies.tif") == []
    (tmp_path / "none.gif").write_bytes(b"no picture")
    assert frames(tmp_path / "none.gif") == [] and frames(tmp_path / "missing.gif") == []


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    made = [Image.fromarray(np.random.default_rng(k).integers(0, 256, (40, 40), dtype=np.uint8)) for k in range(3)]
    made[0].save(tmp_path / "clip.gif", save_all=True, append_images=made[1:])
    found = frames(tmp_path / "clip.gif")
    content = (tmp_path / "clip.gif").read_bytes()
    (tmp_path / "clip.gif").write_bytes(content[: len(content) // 5])
    with pytest.raises(ImageError, match=r"clip\.gif"):
        read_image(found[2])


def test_numbered_files_come_as_they_count(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame2.png", "frame1.png", "b/3.png", "b/20.png", "frame02.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    made = colours(2)
    made[0].save(tmp_path / "clip.gif", save_all=True, append_images=made[1:])
    wanted = [
        "b/3.png",
        "b/20.png",
        "clip.gif#1",
        "clip.gif#2",
        "frame1.png",
        "frame02.png",
        "frame2.png",
        "frame10.png",
    ]
    assert [str(each).removeprefix(f"{tmp_path}/") for each in expand([tmp_path])] == wanted
    assert [each.name for each in expand([str(tmp_path / "frame*.png")])] == [
        each for each in wanted if "frame" in each
    ]
