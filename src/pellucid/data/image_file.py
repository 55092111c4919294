"""Open picture files: an allow-list of formats, a cap on the pixels, and one class of error. Used by `images` only.

A file's content decides what it is, never its name. The header is read first, so a file that claims too many
pixels is refused before anything is decoded. Each `ImageError` has a `kind` by which readers count it:

| kind | the file |
|---|---|
| `missing` | is not there, or is no regular file |
| `unreadable` | is there, but the system does not let it be read |
| `empty` | has no bytes |
| `not-an-image` | is of none of the accepted formats |
| `too-large` | has more pixels, bytes or scans than a picture should |
| `damaged` | is cut short or corrupt |
| `unsupported` | is a picture whose values have no agreed meaning as 0..255 |
| `not-a-mask` | is a picture, but its pixels are no class ids |
| `mask-colour` | is a mask in colours, and one of them has no name |
"""

import contextlib
import ctypes
import io
import logging
import os
import re
import stat
import struct
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

from PIL import Image, TiffImagePlugin, WebPImagePlugin, _imaging

from pellucid.core.errors import ImageError

MAX_PIXELS = 64_000_000
MAX_BYTES = 8 * MAX_PIXELS  # what the largest 16-bit RGBA picture takes without compression
MAX_TILES = 1 << 16  # of a TIFF, or its strips
FORMATS = ("jpeg", "png", "bmp", "webp", "ppm", "gif", "tiff")
PLUGINS = (TiffImagePlugin, WebPImagePlugin)  # Pillow knows the other five by itself, and would else load all it has

SIGNATURES = {
    "jpeg": rb"\xff\xd8\xff",
    "png": rb"\x89PNG\r\n\x1a\n",
    "bmp": rb"BM",
    "webp": rb"RIFF....WEBP",
    "ppm": rb"P[1-6]\s",
    "gif": rb"GIF8[79]a",
    "tiff": rb"II\*\x00|MM\x00\*",
}
OTHERS = {
    "a HEIC or AVIF photo": rb"....ftyp(heic|heix|mif1|msf1|hevc|avif)",
    "a video": rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ",
    "a JPEG 2000 or JPEG XL picture": rb"\x00\x00\x00\x0c(jP  |JXL )|\xff\x0a|\xff\x4f\xff\x51",
    "a PDF": rb"%PDF",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "a Photoshop file": rb"8BPS",
    "a FITS file": rb"SIMPLE  =",
    "an icon": rb"\x00\x00\x01\x00",
    "a ZIP archive": rb"PK\x03\x04",
    "the pointer that Git LFS leaves until `git lfs pull`": rb"version https://git-lfs",
    "text": rb"[\x09\x0a\x0d\x20-\x7e]+$",
}

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else it prints what it also raises


class _Silence:
    """No Python warning is shown while any thread is inside.

    `warnings.catch_warnings` swaps a list of the whole process: threads that leave it in another order than they
    came would leave it changed. So the first in enters it, and the last out leaves it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(None, None, None)


_SILENCE = _Silence()


@contextlib.contextmanager
def errors(name: str) -> Iterator[None]:
    """Whatever is raised inside becomes an ImageError that names the file."""
    try:
        with _SILENCE:
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        raise _too_many(name, int(found[0]) if found else 0) from error
    except MemoryError as error:
        raise ImageError(f"{name} needs more memory than there is.", "too-large") from error
    except Exception as error:  # Pillow promises no class: damaged files were seen to raise a dozen
        raise ImageError(
            f"{name} is damaged or cut short, and cannot be decoded: {short(error)}.", "damaged"
        ) from error


@contextlib.contextmanager
def opened(source: Path | str | bytes) -> Iterator[tuple[Image.Image, IO[bytes], str]]:
    """The picture (header read, pixels not), its open file, and its name for messages."""
    if isinstance(source, bytes):
        name = f"the image of {len(source)} bytes"
    else:
        name = printable(str(source))
    with errors(name), _file(source, name) as file:
        head = file.read(64)
        if not head:
            raise ImageError(f"{name} is empty (0 bytes).", "empty")
        found = next((key for key in FORMATS if re.match(SIGNATURES[key], head, re.DOTALL)), None)
        if found is None:
            other = next((key for key, sign in OTHERS.items() if re.match(sign, head, re.DOTALL)), "of unknown content")
            raise ImageError(
                f"{name} is {other}; only {', '.join(FORMATS)} are opened: convert it or leave it out.", "not-an-image"
            )
        if found == "tiff":
            _silence_libtiff()
            _check_tiff(file, head, name)
        file.seek(0)
        image = Image.open(file, formats=[found])
        check_pixels(image, name)
        yield image, file, name


def _file(source: Any, name: str) -> IO[bytes]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        raise ImageError(
            f"An image is a path, bytes, PIL image, array or tensor, got {type(source).__name__}.", "unsupported"
        )
    try:
        about = os.stat(source)
        if not stat.S_ISREG(about.st_mode):
            what = "a folder" if stat.S_ISDIR(about.st_mode) else "no regular file"
            raise ImageError(f"{name} is {what}, not an image file.", "missing")
        if about.st_size > MAX_BYTES:
            raise ImageError(f"{name} has {about.st_size:,} bytes; the limit is {MAX_BYTES:,}.", "too-large")
        return open(source, "rb")
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist.", "missing") from error
    except (OSError, ValueError) as error:  # no permission; a name that is too long or holds a NUL
        raise ImageError(f"{name[:200]} cannot be read: {short(error)}.", "unreadable") from error


def check_pixels(image: Image.Image, name: str) -> None:
    """Refuse a picture with more pixels than allowed, or with none."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many(name, width * height)
    if width * height == 0:
        raise ImageError(f"{name} has no pixels: it is {width} wide and {height} high.", "damaged")


def _check_tiff(file: IO[bytes], head: bytes, name: str) -> None:
    """Refuse a TIFF of too many tiles, of which Pillow makes a list before it says the size."""
    order = "<" if head.startswith(b"II") else ">"
    file.seek(*struct.unpack(f"{order}I", head[4:8]))
    (n_entries,) = struct.unpack(f"{order}H", file.read(2))
    for tag, _, count, _ in struct.iter_unpack(f"{order}HHII", file.read(12 * n_entries)):
        if tag in (273, 324) and count > MAX_TILES:  # where the strips, the tiles begin
            raise ImageError(f"{name} has {count:,} tiles; the limit is {MAX_TILES:,}.", "too-large")


def _too_many(name: str, pixels: int) -> ImageError:
    return ImageError(f"{name} has {pixels:,} pixels; the limit is {MAX_PIXELS:,}: make it smaller first.", "too-large")


def printable(name: str) -> str:
    """A file name as one line of text: bytes that are no UTF-8, control and direction marks become U+FFFD."""
    return UNPRINTABLE.sub("\ufffd", name)


def short(error: BaseException) -> str:
    """First line of what the decoder said, without the address of a buffer."""
    text = printable((getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0])
    return "its header makes no sense" if "cannot identify image file" in text else text.rstrip(" .")


@cache
def _silence_libtiff() -> None:
    """Libtiff prints to the terminal what Pillow then raises. It is reached through Pillow's own module."""
    with contextlib.suppress(OSError, AttributeError):  # where it cannot be reached, the lines are printed
        library = ctypes.CDLL(_imaging.__file__)
        for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            setter(None)
