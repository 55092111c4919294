"""The one door through which pictures come in: as (H, W, C) uint8, as a mask, or as deep greys; or only their size.

What may be opened, and how a refusal is counted, is said in `image_file`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import simplejpeg
from PIL import Image

from pellucid.core.errors import ConfigError, ImageError
from pellucid.data.image_file import FORMATS, MAX_PIXELS, check_pixels, errors, opened, short
from pellucid.data.readers.frames import Frame

__all__ = ["FORMATS", "MAX_PIXELS", "read_greys", "read_image", "read_mask", "read_size", "to_uint8"]

MAX_SCANS = 500  # progressive JPEGs have about ten; each one costs as much as decoding the picture once
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
PLAIN_MODES = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")
ALPHA_MODES = ("LA", "PA", "RGBA")
PACKED_GREYS = {"L;2": 85, "L;4": 17}  # Pillow spreads 2 and 4 bits over 0..255; masks want the ids back
TURNS = {  # EXIF orientation -> what sets the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112
JPEG_DAMAGE = ("remature end", "bad Huffman", "bad arithmetic", "found marker", "Inconsistent progression")


def read_image(source: Any, channels: int = 3, background: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """One picture as (H, W, C) uint8, upright, its own array.

    Transparent pixels are blended with the background. Grey is ITU-R 601 luma of RGB. Of an animation, the first
    frame is read. Deep pixels become 0..255 by these rules: 16-bit grey v // 257, so 65535 is 255; 16-bit colour
    keeps the high byte (Pillow reads no more); 32-bit whole numbers count as 16-bit ones and must fit them;
    floats must be in 0..1 and become round(255 v).

    Args:
        source: path, bytes of a file, frame of one, PIL image, array (H, W) or (H, W, 1|3|4), or torch tensor (H, W)
            or (1|3|4, H, W); arrays and tensors are uint8, or floats in 0..1. A fourth channel is opacity.
        channels: 1 (grey) or 3 (RGB).
        background: RGB that transparent pixels are laid on.

    Raises:
        ImageError: it cannot be opened or must not be; the message names the file.
        ConfigError: another number of channels.
    """
    if channels not in (1, 3):
        raise ConfigError(f"A picture is read with 1 (grey) or 3 (RGB) channels, got {channels}.")
    if isinstance(source, (np.ndarray, Image.Image)) or _is_tensor(source):
        with errors("the given image"):
            image = source if isinstance(source, Image.Image) else _from_array(source)
            check_pixels(image, "the given image")
            return _pixels(image, channels, background, "the given image")
    if isinstance(source, Frame):
        with errors(str(source)):
            return _pixels(source.image, channels, background, str(source))
    with opened(source) as (image, file, name):
        if image.format in ("JPEG", "MPO") and (decoded := _decode_jpeg(file, name)) is not None:
            turn = TURNS.get(_orientation(image))
            if decoded.shape[2] == channels and turn is None:
                return decoded
            image = Image.fromarray(decoded[..., 0] if decoded.shape[2] == 1 else decoded)  # (H, W) or (H, W, 3)
            image = image if turn is None else image.transpose(turn)
        return _pixels(image, channels, background, name)


def read_mask(source: Path | str | bytes, colours: Mapping[int, int] | None = None) -> np.ndarray:
    """The class ids (H, W) uint8 of one mask, upright: palette indices, grey values, or 0 and 1 of a 1-bit picture.

    Args:
        colours: 0xRRGGBB -> id, for masks that may be pictures in colours. Grey masks are read as ids all the same,
            and palette masks too, unless all colours they use are in this table.

    Raises:
        ImageError: it cannot be opened, or is no mask: a JPEG (its values are not exact), colours that differ or
            are not in the table, real transparency, or ids above 255.
    """
    with opened(source) as (image, _, name):
        if image.format in ("JPEG", "MPO"):
            raise ImageError(f"{name} is a JPEG, which changes the ids of a mask: save masks as PNG.", "not-a-mask")
        step = PACKED_GREYS.get(_raw_mode(image), 1)
        image.load()
        upright = _upright(image)
        values = np.array(upright)  # (H, W) or (H, W, C)
        if values.ndim == 3 and upright.mode in ALPHA_MODES and (values[..., -1] != 255).any():
            raise ImageError(
                f"{name} has transparent pixels, but a mask holds one class id a pixel: save it without alpha.",
                "not-a-mask",
            )
        if colours is not None and upright.mode in ("RGB", "RGBA"):
            return _by_colour(values, colours, name)
        if colours is not None and upright.mode == "P" and (ids := _by_palette(upright, values, colours)) is not None:
            return ids
        if values.ndim == 3:
            values = _one_channel(values, upright.mode in ALPHA_MODES, name)  # (H, W)
        if values.dtype.kind == "f" or values.min() < 0 or values.max() > 255:
            raise ImageError(
                f"{name} holds values from {values.min()} to {values.max()}, but a mask holds whole class ids "
                "from 0 to 255 (255 = ignore); numbers of objects are no classes.",
                "not-a-mask",
            )
        return values.astype(np.uint8) // np.uint8(step)


def read_greys(source: Path | str | bytes) -> np.ndarray:
    """(H, W) of one grey picture with the numbers its file holds: uint8 or uint16, upright, not scaled.

    Raises:
        ImageError: it cannot be opened, or is not grey with 8 or 16 bits.
    """
    with opened(source) as (image, _, name):
        image.load()
        values = np.array(_upright(image))
        if values.ndim != 2 or image.mode not in ("L", *DEEP_MODES[:4]):
            raise ImageError(f"{name} must be grey with 8 or 16 bits a pixel, got {image.mode}.", "unsupported")
        return values.astype(np.uint8 if image.mode == "L" else np.uint16)


def read_size(source: Path | str | bytes) -> tuple[int, int]:
    """Height and width of one picture after EXIF rotation, from its header; the pixels are not decoded.

    Raises:
        ImageError: it cannot be opened or must not be.
    """
    with opened(source) as (image, file, _):
        width, height = image.size
        if image.format == "TIFF":  # Pillow has swapped them already
            return height, width
        if image.format == "PNG" and "exif" not in image.info and not _text_after_pixels(file):
            orientation = Image.Image.getexif(image).get(ORIENTATION, 1)  # the PNG's own would decode all pixels
        else:
            orientation = _orientation(image)
        return (width, height) if orientation in (5, 6, 7, 8) else (height, width)


def to_uint8(values: np.ndarray, name: str) -> np.ndarray:
    """Pixels as 0..255: uint8 as it is, floats in 0..1 as round(255 v); any shape.

    Raises:
        ImageError: another dtype, NaN, or floats outside 0..1.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind != "f":
        raise ImageError(
            f"{name}: pixels must be uint8 (0..255) or float (0..1), got {values.dtype}: convert with "
            "`.astype('uint8')` if they are 0..255.",
            "unsupported",
        )
    scaled = np.rint(values.astype(np.float32) * 255)
    low, high = scaled.min(initial=0), scaled.max(initial=0)
    if np.isnan(low):
        raise ImageError(f"{name} holds NaN: fill or remove these pixels first.", "unsupported")
    if low < 0 or high > 255:
        raise ImageError(
            f"{name}: float pixels must be in 0..1, got {values.min():g} to {values.max():g}: divide by their "
            "largest possible value.",
            "unsupported",
        )
    return scaled.astype(np.uint8)


# ------------------------------------------------------------------------------------------------ decoding


def _decode_jpeg(file: IO[bytes], name: str) -> np.ndarray | None:
    """(H, W, 1 or 3) uint8, twice as fast as Pillow and the same to the bit; None where Pillow must decide.

    Left to Pillow: CMYK, rare samplings, and files with oddities that do not touch the pixels.
    """
    file.seek(0)
    content = file.read()
    scans = content.count(b"\xff\xda")  # this pair cannot occur inside compressed data
    if scans > MAX_SCANS:
        raise ImageError(f"{name} has {scans:,} JPEG scans; the limit is {MAX_SCANS}.", "too-large")
    try:
        space = simplejpeg.decode_jpeg_header(content)[2]
        if space not in ("YCbCr", "RGB", "Gray"):
            return None
        return simplejpeg.decode_jpeg(content, "GRAY" if space == "Gray" else "RGB")
    except ValueError as error:
        if any(word in str(error) for word in JPEG_DAMAGE):  # Pillow would return a picture that is partly grey
            raise ImageError(f"{name} is damaged or cut short: {short(error)}.", "damaged") from error
        return None


def _pixels(image: Image.Image, channels: int, background: tuple[int, int, int], name: str) -> np.ndarray:
    """(H, W, C) uint8 of an opened picture of any mode."""
    image.load()
    image = _upright(image)
    if image.mode in DEEP_MODES:
        image = Image.fromarray(_eight_bits(np.array(image), name))  # (H, W)
    if image.mode not in PLAIN_MODES + ALPHA_MODES:
        raise ImageError(f"{name} is in colour space {image.mode}: save it as RGB.", "unsupported")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", image.size, background)
        image.paste(layer, mask=layer.getchannel("A"))
    if image.mode in ("1", "L"):
        image = image.convert("L" if channels == 1 else "RGB")
    elif image.mode != "RGB" or channels == 1:
        image = image.convert("RGB") if channels == 3 else image.convert("RGB").convert("L")
    pixels = np.array(image)  # (H, W) or (H, W, 3)
    return pixels[..., None] if channels == 1 else pixels  # (H, W, C)


def _eight_bits(values: np.ndarray, name: str) -> np.ndarray:
    """(H, W) uint8 of 16-bit, 32-bit or float pixels, by the rules of `read_image`."""
    if values.dtype.kind == "f":
        return to_uint8(values, name)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError(
            f"{name} holds whole numbers from {values.min()} to {values.max()}; only 0..65535 have an agreed "
            "meaning: save it with 8 or 16 bits.",
            "unsupported",
        )
    return (values // 257).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where there is none, or where the EXIF block cannot be read."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a broken note about the picture does not make the picture broken
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(image: Image.Image) -> Image.Image:
    """The loaded picture, turned as EXIF says. Pillow has done so for TIFF, and taken the tag away."""
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _text_after_pixels(file: IO[bytes]) -> bool:
    """Whether a PNG has chunks behind its pixels that could hold an orientation. Walks the chunk headers only."""
    file.seek(len(b"\x89PNG\r\n\x1a\n"))
    seen_pixels = False
    while len(header := file.read(8)) == 8:
        kind = header[4:]
        if seen_pixels and kind in (b"eXIf", b"iTXt", b"zTXt", b"tEXt"):
            return True
        seen_pixels = seen_pixels or kind == b"IDAT"
        file.seek(int.from_bytes(header[:4]) + 4, os.SEEK_CUR)
    return False


# ------------------------------------------------------------------------------------------------ arrays, masks


def _is_tensor(source: Any) -> bool:
    """By its name, so that torch need not be imported to open a file."""
    return type(source).__name__ in ("Tensor", "Parameter") and hasattr(source, "detach")


def _from_array(source: Any) -> Image.Image:
    """A PIL image (grey, RGB or RGBA) of an array or tensor."""
    shape, allowed = tuple(source.shape), "(H, W) or (H, W, C)"
    if not isinstance(source, np.ndarray):
        allowed = "(H, W) or (C, H, W)"
        tensor = source.detach().cpu()
        source = (tensor.float() if tensor.is_floating_point() else tensor).numpy()  # numpy has no bfloat16
        source = source.transpose(1, 2, 0) if source.ndim == 3 else source  # (H, W, C)
    if source.ndim not in (2, 3) or source.shape[2:] not in ((), (1,), (3,), (4,)) or source.size == 0:
        raise ImageError(f"the given image must have shape {allowed} with C = 1, 3 or 4, got {shape}.", "unsupported")
    pixels = np.ascontiguousarray(to_uint8(source, "the given image"))
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def _raw_mode(image: Image.Image) -> str:
    """How the file lays out its pixels, in Pillow's words: `L;4` is grey in 4 bits. "" where it does not say."""
    tile = getattr(image, "tile", None)
    arguments = tile[0][3] if tile else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _one_channel(values: np.ndarray, has_alpha: bool, name: str) -> np.ndarray:
    """(H, W, C) -> (H, W), where all colours are the same; alpha says nothing here."""
    colours = values[..., :-1] if has_alpha else values
    if (colours != colours[..., :1]).any():
        found = [_spaced(code) for code in np.unique(_codes(colours)).tolist()]
        raise ImageError(
            f"{name} is a picture in colours ({_some(found)}), but a mask holds one class id (0 to 255) a pixel: "
            "save it as a grey or palette PNG whose values are the ids, or name its colours in a classes.csv of "
            "name,r,g,b beside the folders.",
            "not-a-mask",
        )
    return colours[..., 0]


def _by_colour(pixels: np.ndarray, colours: Mapping[int, int], name: str) -> np.ndarray:
    """(H, W, 3 or 4) -> the ids (H, W) that the table gives to the colours."""
    codes = _codes(pixels)
    known = np.array(sorted(colours), dtype=np.uint32)
    at = np.searchsorted(known, codes).clip(max=len(known) - 1)
    strange = known[at] != codes
    if strange.any():
        row, column = np.argwhere(strange)[0]
        found = [_spaced(code) for code in np.unique(codes[strange]).tolist()]
        raise ImageError(
            f"{name} has the colour {_spaced(int(codes[row, column]))} at row {row}, column {column}, which the table "
            f"of colours does not name; not in it are {_some(found)}.",
            "mask-colour",
        )
    ids = np.array([colours[int(code)] for code in known], dtype=np.uint8)
    return ids[at]


def _by_palette(image: Image.Image, indices: np.ndarray, colours: Mapping[int, int]) -> np.ndarray | None:
    """The ids (H, W) that the table gives to the palette's colours; None if it does not name all that are used."""
    palette = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    ids = [colours.get(int(code), -1) for code in _codes(palette)[: indices.max() + 1]]
    if len(ids) <= indices.max() or min(ids[index] for index in np.unique(indices).tolist()) < 0:
        return None
    return np.array(ids).astype(np.uint8)[indices]


def _codes(pixels: np.ndarray) -> np.ndarray:
    """(..., C) uint8 -> (...) uint32 0xRRGGBB; of one channel, as grey."""
    red, green, blue = (pixels[..., i % pixels.shape[-1]].astype(np.uint32) for i in range(3))
    return red << 16 | green << 8 | blue


def _spaced(code: int) -> str:
    return f"{code >> 16} {code >> 8 & 255} {code & 255}"


def _some(found: list[str], most: int = 6) -> str:
    """The first of a list, and how many more there are."""
    more = f" and {len(found) - most:,} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
