"""Pictures as data URIs, so that a page needs no other file."""

import base64
import io

from PIL import Image

TINY = 96  # pixels up to which a picture is kept exactly and shown enlarged
LARGEST = 320  # pixels of the longer side that a page needs, on a sharp screen too
QUALITY = 80


def is_tiny(image: Image.Image) -> bool:
    """Whether a picture is so small that its pixels should be seen."""
    return max(image.size) <= TINY


def data_uri(image: Image.Image, exact: bool = False) -> str:
    """A picture as `data:image/...;base64,...`.

    Tiny pictures are kept pixel by pixel as PNG; larger ones are reduced to 320 pixels and stored as
    JPEG, what is transparent on white.

    Args:
        exact: keep size, pixels and transparency, whatever the size.
    """
    buffer = io.BytesIO()
    if exact:
        image.save(buffer, format="PNG", optimize=True)
        return _uri("png", buffer)
    image = _opaque(image)
    if is_tiny(image):
        image.save(buffer, format="PNG", optimize=True)
        return _uri("png", buffer)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    image.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return _uri("jpeg", buffer)


def _opaque(image: Image.Image) -> Image.Image:
    """A copy in grey or RGB, without metadata such as places and camera names."""
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    copy = image.convert("L" if image.mode in ("1", "L") else "RGB")
    copy = copy.copy() if copy is image else copy
    copy.info = {}
    return copy


def _uri(kind: str, buffer: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
