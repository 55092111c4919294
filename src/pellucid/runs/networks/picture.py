"""A network drawn into a file: as blocks, or what one of its units sees of a photo."""

import base64
import io
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError
from pellucid.core.files import write_bytes
from pellucid.data.single import as_batch
from pellucid.models.features import layer_names
from pellucid.nn.geometry import Geometry, LayerRow, describe, footprint
from pellucid.plots import svg
from pellucid.plots.networks.blocks import Block, draw_blocks
from pellucid.plots.networks.receptive_field import draw_receptive_field
from pellucid.runs.networks.opened import Opened

ENDINGS = (".png", ".svg")
SHARE = 0.5  # of all layers, above which a part is opened up
BLOCKS = 24  # at most; neighbours of one size are drawn as one in any case


def require_picture_name(path: Path) -> None:
    """Refuse names of other formats before anything is worked out.

    Raises:
        ConfigError: the name does not end in .png or .svg.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"A picture is saved as .png or .svg, got {path.name}.")


def save_blocks(opened: Opened, name: str, path: Path) -> None:
    """Draw the network as boxes with sizes.

    Raises:
        ConfigError: the picture does not fit through the network, or the file's ending is not known.
        WriteError: the file cannot be written.
    """
    require_picture_name(path)
    found = describe(opened.net, opened.preprocess.channels, opened.preprocess.size)
    said = f"{found.depth} layers, {_short(found.parameters)} parameters, {_short(found.macs)} multiply-adds"
    drawing = draw_blocks(blocks_of(found), name, said)
    _save(path, drawing.svg() if path.suffix.lower() == ".svg" else drawing.image())


def save_field(opened: Opened, layer: str, photo: Any, path: Path) -> str:
    """Draw what the middle unit of a layer sees of a photo; returns the caption.

    Raises:
        ConfigError: there is no such layer (the message lists all), or the file's ending is not known.
        ImageError: the photo cannot be read.
        WriteError: the file cannot be written.
    """
    require_picture_name(path)
    names = layer_names(opened.net)
    if layer not in names:
        raise ConfigError(unknown(layer, names, "layer"))
    size = opened.preprocess.size
    pixels = as_batch([photo], opened.preprocess)["image"][0].numpy().transpose(1, 2, 0)  # (H, W, C)
    image = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    seen = footprint(opened.net, layer, opened.preprocess.channels, size)
    height, width = seen.size
    caption = f"{layer}, unit {seen.unit[0]}, {seen.unit[1]}: sees {height}x{width} of {size[0]}x{size[1]} px"
    drawn = draw_receptive_field(image, seen.weights, seen.box, caption)
    _save(path, _wrapped(drawn, caption) if path.suffix.lower() == ".svg" else drawn)
    return caption


def blocks_of(found: Geometry) -> list[Block]:
    """Layers joined to what can be drawn: parts of a network, and neighbours of one size together."""
    part_of = _part_of(found.rows)
    parts: list[list[LayerRow]] = []
    for _, run in groupby(found.rows, part_of):
        rows = list(run)
        kind = _kind(rows)
        alike = bool(parts) and parts[-1][-1].output_shape == rows[-1].output_shape
        if parts and (kind == "other" or (alike and kind == _kind(parts[-1]))):
            parts[-1] += rows
        else:
            parts.append(rows)
    while len(parts) > BLOCKS:  # the two neighbours that have the fewest rows
        at = min(range(len(parts) - 1), key=lambda i: len(parts[i]) + len(parts[i + 1]))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    blocks, depth = [Block("picture", found.input_shape, "picture")], 0
    for rows in parts:
        reached = max(row.depth for row in rows)
        blocks.append(_block(rows, reached - depth, part_of))
        depth = max(depth, reached)
    return blocks


def _part_of(rows: tuple[LayerRow, ...]) -> Callable[[LayerRow], str]:
    """From a row to the name of its part: the outermost module, or an inner one where that is most of the network."""
    opened: set[str] = {""}
    while True:
        counts = Counter(_within(row.name, opened) for row in rows)
        large = {part for part, count in counts.items() if count > SHARE * len(rows)}
        new = {part for part in large if any(row.name.startswith(f"{part}.") for row in rows)} - opened
        if not new:
            return lambda row: _within(row.name, opened)
        opened |= new


def _within(name: str, opened: set[str]) -> str:
    words = name.split(".")
    for length in range(1, len(words)):
        part = ".".join(words[:length])
        if part not in opened:
            return part
    return name


def _kind(rows: list[LayerRow]) -> str:
    """What most of the work of these rows is."""
    most = max(rows, key=lambda row: row.macs)
    if most.macs:
        return "convolution" if "conv" in most.kind.lower() else "fully connected"
    pools = any("pool" in row.kind.lower() or row.kind == "mean" for row in rows)
    return "pooling" if pools else "other"


def _block(rows: list[LayerRow], layers: int, part_of: Callable[[LayerRow], str]) -> Block:
    kind, shape = _kind(rows), rows[-1].output_shape
    if kind == "fully connected" and shape[1:] == (1, 1):
        shape = shape[:1]
    named = [row for row in rows if row.macs] or [row for row in rows if _kind([row]) == kind]
    first, last = part_of(named[0]), part_of(named[-1])
    name = first if first == last else f"{first} to {last.rpartition('.')[2]}"
    return Block(name, shape, kind, f"{layers} layer{'s' if layers > 1 else ''}" if layers > 0 else "")


def _short(number: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _wrapped(image: Image.Image, label: str) -> str:
    file = io.BytesIO()
    image.save(file, format="PNG")
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return svg.document(*image.size, label, [svg.image(0, 0, *image.size, uri, label)])


def _save(path: Path, drawing: str | Image.Image) -> None:
    if isinstance(drawing, str):
        write_bytes(path, drawing.encode())
    else:
        file = io.BytesIO()
        drawing.save(file, format="PNG", optimize=True)
        write_bytes(path, file.getvalue())
