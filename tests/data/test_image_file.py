"""Every bad file is refused in one class of error, by its header where it can be, and nothing is printed."""

import io
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid.core.errors import ImageError
from pellucid.data.images import FORMATS, MAX_PIXELS, read_image, read_mask, read_size

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(height: int = 16, width: int = 24) -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = RED, GREEN
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = BLUE, WHITE
    return picture


def noise(height: int = 37, width: int = 53) -> Image.Image:
    """Smooth colours, so that a JPEG of it is not all blocks of one value."""
    coarse = np.random.default_rng(3).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height))


def encode(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand; `rows` has the filter byte before each row."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    middle = chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + middle + chunk(b"IEND", b"")


def refuse(source: Any, kind: str, *words: str, mask: bool = False, size: bool = False) -> None:
    with pytest.raises(ImageError) as caught:
        read_mask(source) if mask else read_size(source) if size else read_image(source)
    assert caught.value.kind == kind
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_picture_are_named_and_counted(tmp_path: Path) -> None:
    def write(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    listed = "only jpeg, png, bmp, webp, ppm, gif, tiff are opened"
    assert tuple(FORMATS) == ("jpeg", "png", "bmp", "webp", "ppm", "gif", "tiff")
    refuse(write("empty.jpg", b""), "empty", "empty.jpg is empty (0 bytes)")
    refuse(write("notes.jpg", b"not a picture\n"), "not-an-image", "notes.jpg is text", listed)
    refuse(write("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0"), "not-an-image", "a HEIC or AVIF photo")
    refuse(write("lfs.png", b"version https://git-lfs.github.com/spec/v1\n"), "not-an-image", "Git LFS")
    refuse(write("page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not-an-image", "text")
    refuse(write("random.png", bytes(range(200, 256))), "not-an-image", "of unknown content")
    for kind, word in (("PDF", "PDF"), ("EPS", "PostScript"), ("ICO", "icon"), ("JPEG2000", "JPEG 2000")):
        refuse(write("other.png", encode(corners(), kind)), "not-an-image", word)
    refuse(tmp_path / "gone.png", "missing", "gone.png does not exist")
    refuse(tmp_path, "missing", "is a folder, not an image file")
    refuse("a\0b.png", "unreadable", "null")
    refuse("x" * 5000, "unreadable", "too long")
    refuse(b"", "empty", "the image of 0 bytes is empty")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    refuse(tmp_path / "pipe.png", "missing", "is no regular file")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "huge.jpg", "wb") as file:
        file.write(encode(corners(), "JPEG"))
        file.truncate(600_000_000)  # sparse: takes no room
    refuse(tmp_path / "huge.jpg", "too-large", "600,000,000 bytes; the limit is 512,000,000")


def with_bytes(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def bombs() -> dict[str, bytes]:
    """Small files that claim to be enormous."""
    tiny = Image.new("RGB", (8, 8))
    jpeg = encode(tiny, "JPEG")
    webp = encode(tiny, "WEBP", save_all=True, append_images=[Image.new("RGB", (8, 8), RED)])
    tiff = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 324, 4, 1_000_000, 26) + bytes(4_000_000)
    return {
        "png": png(50_000, 50_000, 1, 0, bytes(10_000)),
        "png just over": png(8001, 8000, 8, 0, b""),
        "jpeg": with_bytes(jpeg, jpeg.index(b"\xff\xc0") + 5, struct.pack(">HH", 65500, 65500)),
        "jpeg scans": jpeg + b"\xff\xda" * 501,
        "gif": with_bytes(encode(tiny, "GIF"), 6, b"\xff\xff\xff\xff"),
        "webp": with_bytes(webp, webp.index(b"VP8X") + 12, struct.pack("<I", 16382)[:3] * 2),
        "bmp": with_bytes(encode(tiny, "BMP"), 18, struct.pack("<ii", 100_000, 100_000)),
        "ppm": b"P6 60000 60000 255\n",
        "tiff tiles": tiff,
    }


def test_bombs_are_refused_by_their_header_at_once() -> None:
    assert 8001 * 8000 > MAX_PIXELS >= 8000 * 8000
    for content in bombs().values():
        refuse(content, "too-large", "the limit is")  # the first call also imports and allocates what stays
    for name, content in bombs().items():
        tracemalloc.start()
        start = time.perf_counter()
        refuse(content, "too-large", "the limit is")
        seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seconds < 0.5, name  # measured at a millisecond; ample, as other work may share the machine
        assert peak < 10_000_000, name
    refuse(bombs()["png"], "too-large", "2,500,000,000 pixels; the limit is 64,000,000")


TRUNCATED = {
    "JPEG": {},
    "JPEG progressive": {"progressive": True},
    "PNG": {},
    "BMP": {},
    "WEBP": {},
    "PPM": {},
    "GIF": {},
    "TIFF": {"compression": "tiff_lzw"},
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_a_cut_file_is_refused_or_whole(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = encode(noise(), name.split()[0], **TRUNCATED[name])
    whole, refused = read_image(content), 0
    for length in sorted({1, 2, 10, 30, *range(1, len(content), max(1, len(content) // 60)), len(content) - 1}):
        path = tmp_path / "cut.jpg"
        path.write_bytes(content[:length])
        try:
            np.testing.assert_array_equal(read_image(path), whole)  # only what follows the pixels was cut
        except ImageError as error:
            assert error.kind in ("damaged", "not-an-image") and str(path) in str(error)
            refused += 1
    assert refused > 30
    assert capfd.readouterr() == ("", "")  # decoders print nothing


def test_libtiff_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(encode(noise(), "TIFF", compression="tiff_adobe_deflate"))
    content[40:80] = bytes(40)  # inside the compressed pixels
    refuse(bytes(content), "damaged")
    assert capfd.readouterr() == ("", "")


def test_no_decoder_outside_the_list_is_even_loaded(tmp_path: Path) -> None:
    for number, kind in enumerate(["JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF", "TIFF"]):
        (tmp_path / f"{number}.eps").write_bytes(encode(corners(), kind))
        (tmp_path / f"{number}.psd").write_bytes(encode(corners(), kind)[:20])
    code = (
        "import sys, pathlib\n"
        "from pellucid.core.errors import ImageError\n"
        "from pellucid.data.images import read_image\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try: read_image(path)\n"
        "    except ImageError: pass\n"
        "print(*(name for name in sys.modules if name.endswith('ImagePlugin') or name == 'torch'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("PIL.").removesuffix("ImagePlugin").lower() for name in done.stdout.split()}
    assert set(FORMATS) <= loaded
    assert loaded <= {*FORMATS, "mpo"}  # JPEGs of two pictures are a kind of JPEG


def test_a_jpeg_that_ends_early_but_properly_is_damaged() -> None:
    content = encode(noise(), "JPEG", quality=95)
    refuse(content[: len(content) // 2] + b"\xff\xd9", "damaged", "premature end")  # Pillow gives half a picture


def test_oddities_that_do_not_touch_the_pixels_are_let_through() -> None:
    content = encode(corners(), "JPEG", quality=100, subsampling=0)
    odd = content[:-2] + b"\0\0\0" + content[-2:]  # three bytes too many before the end mark
    assert np.abs(read_image(odd).astype(int) - corners()).max() <= 3


@settings(max_examples=200)
@given(
    name=st.sampled_from(["JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF", "TIFF"]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
    keep=st.floats(0.02, 1),
)
def test_mutated_files_give_an_array_or_an_image_error(
    name: str, changes: list[tuple[float, int]], keep: float
) -> None:
    content = bytearray(encode(noise(), name))
    for place, value in changes:
        content[int(place**3 * (len(content) - 1))] = value  # more often near the header
    content = content[: max(1, int(keep * len(content)))] if keep < 0.5 else content
    for channels in (1, 3):
        try:
            image = read_image(bytes(content), channels)
        except ImageError:
            continue
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == channels
        assert image.shape[:2] == read_size(bytes(content))


def test_warnings_are_silent_and_the_filters_come_back_from_threads() -> None:
    content = encode(corners(), "JPEG", exif=b"Exif\0\0II*\0garbage")
    before = list(warnings.filters)

    def work() -> None:
        for _ in range(50):
            read_image(content)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="still heard"):
        warnings.warn("still heard", stacklevel=1)


def test_names_that_are_no_unicode_can_be_printed(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    str(caught.value).encode("utf-8")


def test_the_kind_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(ImageError("a.jpg is empty.", "empty")))  # noqa: S301  (our own bytes)
    assert (str(error), error.kind, ImageError("x").kind) == ("a.jpg is empty.", "empty", "unreadable")
