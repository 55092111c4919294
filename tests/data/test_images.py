"""What `read_image`, `read_mask` and `read_size` return is compared with colours that were chosen, not with Pillow."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import ConfigError, ImageError
from pellucid.data.images import read_image, read_mask, read_size, to_uint8

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


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


# ---------------------------------------------------------------------------------------------- formats

LOSSLESS = {
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "webp": ("WEBP", {"lossless": True}),
    "ppm": ("PPM", {}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "gif": ("GIF", {}),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_exactly_the_colours(name: str, tmp_path: Path) -> None:
    kind, options = LOSSLESS[name]
    path = tmp_path / "picture.dat"  # the name says nothing
    path.write_bytes(encode(corners(), kind, **options))
    image = read_image(path)
    assert image.shape == (16, 24, 3) and image.dtype == np.uint8 and image.flags.writeable
    np.testing.assert_array_equal(image, corners())
    assert read_size(str(path)) == (16, 24)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"keep_rgb": True}]
)
def test_jpeg_is_near_the_colours_and_equals_pillow_to_the_bit(options: dict[str, Any]) -> None:
    content = encode(noise(), "JPEG", quality=95, **options)
    image = read_image(content)
    assert np.abs(image.astype(int) - np.asarray(noise())).mean() < 6  # what the halved colours cost
    np.testing.assert_array_equal(image, np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


def test_cmyk_and_grey_jpeg() -> None:
    flat = Image.new("CMYK", (16, 16), (255, 0, 255, 0))  # cyan and yellow ink, no magenta: green
    image = read_image(encode(flat, "JPEG", quality=100))
    assert np.abs(image.astype(int) - GREEN).max() <= 4
    assert abs(int(read_image(encode(flat, "JPEG", quality=100), 1)[0, 0, 0]) - 150) <= 4  # 0.587 * 255
    grey = encode(Image.new("L", (9, 5), 77), "JPEG", quality=100)
    assert read_image(grey).shape == (5, 9, 3) and read_image(grey, 1).shape == (5, 9, 1)
    assert np.unique(read_image(grey)) == np.unique(read_image(grey, 1)) == 77


def test_grey_is_luma_of_rgb_for_every_decoder() -> None:
    expected = np.rint(corners() @ np.array(LUMA))[..., None]
    np.testing.assert_array_equal(read_image(encode(corners(), "PNG"), 1), expected)
    content = encode(noise(), "JPEG", quality=95)
    from_rgb = read_image(content) @ np.array(LUMA)
    assert np.abs(read_image(content, 1)[..., 0] - from_rgb).max() <= 0.51
    with pytest.raises(ConfigError, match=r"1 \(grey\) or 3 \(RGB\) channels, got 4"):
        read_image(content, 4)


def test_one_bit_palette_and_grey_files() -> None:
    bits = np.array([[True, False, True]] * 2)
    np.testing.assert_array_equal(read_image(encode(bits, "PNG"))[0, :, 0], [255, 0, 255])
    palette = Image.new("P", (3, 1))
    palette.putpalette([*RED, *GREEN, *BLUE])
    palette.putdata([0, 1, 2])
    np.testing.assert_array_equal(read_image(encode(palette, "PNG"))[0], [RED, GREEN, BLUE])
    assert [int(v) for v in read_image(encode(palette, "PNG"), 1).ravel()] == [76, 150, 29]


# ---------------------------------------------------------------------------------------------- transparency


def test_transparent_pixels_are_laid_on_the_background() -> None:
    rgba = np.array([[[10, 20, 30, 255], [255, 0, 0, 0], [0, 0, 0, 51]]], np.uint8)  # 51/255 = 1/5 opaque
    expected = [[10, 20, 30], [200, 100, 50], [160, 80, 40]]
    for source in (encode(rgba, "PNG"), encode(rgba, "WEBP", lossless=True, exact=True), Image.fromarray(rgba), rgba):
        np.testing.assert_array_equal(read_image(source, background=(200, 100, 50))[0], expected)
    grey_alpha = np.array([[[40, 255], [40, 0]]], np.uint8)
    np.testing.assert_array_equal(read_image(encode(grey_alpha, "PNG"))[0, :, 0], [40, 255])
    np.testing.assert_array_equal(read_image(encode(grey_alpha, "PNG"), 1, (0, 0, 0))[0, :, 0], [40, 0])


def test_transparent_palette_entries_and_key_colours() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, *GREEN])
    palette.putdata([0, 1])
    for kind in ("PNG", "GIF"):
        content = encode(palette, kind, transparency=1)
        np.testing.assert_array_equal(read_image(content, background=BLUE)[0], [RED, BLUE])
    key = png(2, 1, 8, 2, bytes([0, *RED, *GREEN]), chunk(b"tRNS", struct.pack(">HHH", *GREEN)))
    np.testing.assert_array_equal(read_image(key, background=(1, 2, 3))[0], [RED, (1, 2, 3)])


# ---------------------------------------------------------------------------------------------- deep pixels


def test_deep_pixels_follow_the_stated_rules() -> None:
    deep = np.array([[0, 256, 257, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read_image(encode(deep, kind), 1)[0, :, 0], [0, 0, 1, 255])
    np.testing.assert_array_equal(read_image(encode(deep.astype(np.int32), "TIFF"))[0, :, 2], [0, 0, 1, 255])
    colour = png(1, 1, 16, 2, b"\0" + struct.pack(">HHH", 65535, 511, 256))
    np.testing.assert_array_equal(read_image(colour)[0, 0], [255, 1, 1])  # the high byte
    floats = np.array([[0, 0.5, 1]], np.float32)
    np.testing.assert_array_equal(read_image(encode(floats, "TIFF"))[0, :, 0], [0, 128, 255])
    refuse(encode(np.array([[70000]], np.int32), "TIFF"), "unsupported", "70000", "0..65535")
    refuse(encode(np.array([[-1]], np.int32), "TIFF"), "unsupported", "-1")
    refuse(encode(np.array([[0, 17.5]], np.float32), "TIFF"), "unsupported", "0 to 17.5", "must be in 0..1")
    refuse(encode(np.array([[0, np.nan]], np.float32), "TIFF"), "unsupported", "NaN")
    refuse(encode(Image.new("LAB", (2, 2)), "TIFF"), "unsupported", "colour space LAB: save it as RGB")


# ---------------------------------------------------------------------------------------------- EXIF, frames

# EXIF 2.3, tag 274: which side of the scene the file's first row and first column show.
FIRST_ROW_AND_COLUMN = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def as_stored(scene: np.ndarray, orientation: int) -> np.ndarray:
    """The scene as a camera stores it under this orientation, from the definition."""
    row, column = FIRST_ROW_AND_COLUMN[orientation]
    if row in ("left", "right"):
        scene = scene.swapaxes(0, 1)  # rows of the file run along the columns of the scene
    scene = scene[::-1] if row in ("bottom", "right") else scene
    return np.ascontiguousarray(scene[:, ::-1] if column in ("bottom", "right") else scene)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF-lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    if kind == "TIFF-lzw":
        options = {"compression": "tiff_lzw"}
    content = encode(as_stored(corners(), orientation), kind[:4].removesuffix("-"), exif=exif, **options)
    for channels in (1, 3):
        image = read_image(content, channels).astype(int)
        expected = corners() if channels == 3 else np.rint(corners() @ np.array(LUMA))[..., None]
        assert image.shape == expected.shape
        assert np.abs(image - expected).max() <= (3 if kind == "JPEG" else 0)
    assert read_size(content) == (16, 24)
    if kind == "JPEG":
        assert np.abs(read_image(Image.open(io.BytesIO(content))).astype(int) - corners()).max() <= 3
    else:
        ids = np.arange(24, dtype=np.uint8).reshape(4, 6)
        mask = encode(as_stored(ids, orientation), "PNG", exif=exif)
        np.testing.assert_array_equal(read_mask(mask), ids)


def test_orientation_behind_the_pixels_of_a_png_counts_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    late = png(3, 2, 8, 0, b"\0\1\2\3\0\4\5\6").removesuffix(chunk(b"IEND", b""))
    late += chunk(b"eXIf", exif.tobytes()[6:]) + chunk(b"IEND", b"")
    assert read_size(late) == (3, 2)
    np.testing.assert_array_equal(read_mask(late), [[4, 1], [5, 2], [6, 3]])


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0garbage", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\2\0\0\0\1AB"]
)
def test_a_broken_exif_block_does_not_make_the_picture_broken(exif: bytes) -> None:
    content = encode(corners(), "JPEG", quality=100, subsampling=0, exif=exif)
    assert np.abs(read_image(content).astype(int) - corners()).max() <= 3
    assert read_size(content) == (16, 24)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_their_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in (RED, GREEN, BLUE)]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    image = read_image(encode(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    np.testing.assert_array_equal(image, np.broadcast_to(np.array(RED, np.uint8), (6, 8, 3)))


# ---------------------------------------------------------------------------------------------- what is no file


def test_pil_images_arrays_and_tensors() -> None:
    import torch

    picture = corners()
    tensor = torch.from_numpy(picture).permute(2, 0, 1)
    scaled = picture.astype(np.float64) / 255
    for source in (Image.fromarray(picture), picture, scaled, tensor, tensor / 255, (tensor / 255).bfloat16()):
        np.testing.assert_array_equal(read_image(source), picture)
    leaf = (tensor / 255).requires_grad_()
    np.testing.assert_array_equal(read_image(leaf), picture)
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    for source in (grey, grey[..., None], torch.from_numpy(grey), torch.from_numpy(grey)[None]):
        np.testing.assert_array_equal(read_image(source, 1)[..., 0], grey)
    copy = read_image(picture)
    copy[:] = 0
    assert picture.any()  # the result is its own array
    assert read_image(picture[::2, ::-1]).shape == (8, 24, 3)  # not contiguous


def test_arrays_that_are_no_picture_are_refused_in_words() -> None:
    import torch

    refuse(np.zeros((3, 8, 8), np.uint8), "unsupported", "(H, W) or (H, W, C) with C = 1, 3 or 4, got (3, 8, 8)")
    refuse(torch.zeros(8, 8, 3), "unsupported", "(H, W) or (C, H, W) with C = 1, 3 or 4, got (8, 8, 3)")
    refuse(torch.zeros(1, 3, 8, 8), "unsupported", "got (1, 3, 8, 8)")
    refuse(np.zeros((0, 8, 3), np.uint8), "unsupported", "got (0, 8, 3)")
    refuse(np.zeros((8, 8), np.int64), "unsupported", "uint8 (0..255) or float (0..1), got int64")
    refuse(np.full((8, 8), 200.0), "unsupported", "must be in 0..1, got 200 to 200")
    refuse(np.full((8, 8), np.nan), "unsupported", "NaN")
    refuse(17, "unsupported", "got int")
    refuse(Image.new("1", (9000, 9000)), "too-large", "81,000,000 pixels")
    assert to_uint8(np.zeros((0, 3)), "none").shape == (0, 3)


# ---------------------------------------------------------------------------------------------- masks


def test_masks_keep_ids() -> None:
    ids = np.array([[0, 1, 2], [7, 254, 255]], np.uint8)
    palette = Image.fromarray(ids).convert("P")
    palette.putpalette(list(np.random.default_rng(0).integers(0, 256, 768)))
    palette.putdata(ids.ravel().tolist())
    for image in (Image.fromarray(ids), palette, Image.fromarray(ids.astype(np.uint16))):
        np.testing.assert_array_equal(read_mask(encode(image, "PNG")), ids)
    np.testing.assert_array_equal(read_mask(encode(np.dstack([ids] * 3), "PNG")), ids)
    np.testing.assert_array_equal(read_mask(encode(np.dstack([ids] * 3 + [np.full_like(ids, 255)]), "PNG")), ids)
    np.testing.assert_array_equal(read_mask(encode(ids > 1, "PNG")), ids > 1)  # 1 bit: 0 and 1, not 255
    np.testing.assert_array_equal(read_mask(encode(ids, "TIFF", compression="tiff_lzw")), ids)


def test_ids_of_four_and_two_bits_are_not_spread_out() -> None:
    four = png(4, 1, 4, 0, bytes([0, 0x01, 0x2F]))
    np.testing.assert_array_equal(read_mask(four), [[0, 1, 2, 15]])
    np.testing.assert_array_equal(read_image(four, 1)[0, :, 0], [0, 17, 34, 255])  # as a picture, 15 is white
    two = png(4, 1, 2, 0, bytes([0, 0b00011011]))
    np.testing.assert_array_equal(read_mask(two), [[0, 1, 2, 3]])
    palette = png(4, 1, 4, 3, bytes([0, 0x01, 0x2F]), chunk(b"PLTE", bytes(range(48))))
    np.testing.assert_array_equal(read_mask(palette), [[0, 1, 2, 15]])


def test_what_is_no_mask_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "colours.png"
    path.write_bytes(encode(corners(), "PNG"))
    refuse(path, "not-a-mask", "colours.png is a picture in colours", "save it as a grey or palette PNG", mask=True)
    refuse(encode(corners(), "JPEG"), "not-a-mask", "JPEG, which changes the ids", "PNG", mask=True)
    refuse(encode(np.array([[0, 300]], np.uint16), "PNG"), "not-a-mask", "from 0 to 300", mask=True)
    refuse(encode(np.array([[-1, 3]], np.int32), "TIFF"), "not-a-mask", "from -1 to 3", mask=True)
    refuse(encode(np.array([[0.5]], np.float32), "TIFF"), "not-a-mask", "whole class ids", mask=True)
    see_through = np.array([[[5, 5, 5, 128]]], np.uint8)
    refuse(encode(see_through, "PNG"), "not-a-mask", "has transparent pixels", "without alpha", mask=True)
    refuse(b"", "empty", mask=True)
    refuse(tmp_path / "gone.png", "missing", size=True)
    refuse(b"text", "not-an-image", size=True)
