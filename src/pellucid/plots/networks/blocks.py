"""A network as a row of boxes: height and depth are the map's, thickness is the number of maps.

Sizes are drawn by their square roots and thicknesses by logarithms, as 224 px beside 7 px, and 3 maps beside 2048,
would otherwise leave nothing to see; the true numbers stand below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from pellucid.core.errors import DataError
from pellucid.plots import svg

GAP, MARGIN, SLANT = 26.0, 24.0, 0.32
TALLEST, LEAST, LETTERS = 190.0, 7.0, 11.0
PAPER, INK, SOFT = "#ffffff", "#1b2733", "#5b6875"
# what is drawn -> front, top, side
COLOURS = {
    "picture": ("#d9dee4", "#e8ecf0", "#c3cad2"),
    "convolution": ("#4f9aa8", "#7db9c4", "#387986"),
    "pooling": ("#e0a15a", "#ecbf8c", "#bd8140"),
    "fully connected": ("#9a7fc4", "#b9a5d8", "#7a60a3"),
    "other": ("#9aa5b1", "#b9c1ca", "#7d8893"),
}

Point = tuple[float, float]


@dataclass(frozen=True)
class Block:
    """One box.

    Attributes:
        name: written above the sizes.
        shape: (C, H, W) of maps, (T, D) of tokens, (K,) of a vector.
        kind: `picture`, `convolution`, `pooling`, `fully connected` or `other`, which has a colour each.
        detail: a third line, such as the number of layers; may be empty.
    """

    name: str
    shape: tuple[int, ...]
    kind: str = "other"
    detail: str = ""


@dataclass(frozen=True)
class _Face:
    corners: tuple[Point, ...]
    colour: str


@dataclass(frozen=True)
class _Word:
    at: Point
    words: str
    size: float
    colour: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Drawing:
    """Boxes and words, ready for paper of any kind."""

    width: float
    height: float
    label: str
    faces: tuple[_Face, ...]
    words: tuple[_Word, ...]

    def svg(self) -> str:
        """As text, with letters that stay letters."""
        sheet = f'<rect width="{svg.number(self.width)}" height="{svg.number(self.height)}" fill="{PAPER}"/>'
        faces = [
            f'<polygon points="{" ".join(f"{svg.number(x)},{svg.number(y)}" for x, y in face.corners)}" '
            f'fill="{face.colour}" stroke="{PAPER}" stroke-width="0.6"/>'
            for face in self.faces
        ]
        words = [
            f'<g style="font-size:{word.size:g}px;color:{word.colour}">'
            f"{svg.text(*word.at, word.words, anchor=word.anchor)}</g>"
            for word in self.words
        ]
        return svg.document(self.width, self.height, self.label, [sheet, *faces, *words])

    def image(self, scale: float = 2.0) -> Image.Image:
        """As RGB pixels, `scale` a unit of the drawing."""
        large = scale * 2  # drawn at twice the size, so that edges become smooth when it is halved
        sheet = Image.new("RGB", (round(self.width * large), round(self.height * large)), PAPER)
        draw = ImageDraw.Draw(sheet)
        for face in self.faces:
            corners = [(x * large, y * large) for x, y in face.corners]
            draw.polygon(corners, fill=face.colour)
            draw.line([*corners, corners[0]], fill=PAPER, width=2)
        sheet = sheet.resize((round(self.width * scale), round(self.height * scale)), Image.Resampling.LANCZOS)
        draw = ImageDraw.Draw(sheet)
        for word in self.words:
            font = ImageFont.load_default(word.size * scale)
            place = (word.at[0] * scale, word.at[1] * scale)
            draw.text(place, word.words, word.colour, font, anchor="ms" if word.anchor == "middle" else "ls")
        return sheet


def draw_blocks(blocks: Sequence[Block], title: str, subtitle: str = "") -> Drawing:
    """Lay out a row of boxes with their sizes.

    Args:
        blocks: in the order data runs through them; the first is usually the picture.
        title: such as the network's name.
        subtitle: a softer line below it.

    Raises:
        DataError: there are no blocks, or a shape is empty.
    """
    if not blocks or any(not block.shape or min(block.shape) < 1 for block in blocks):
        raise DataError("A network is drawn from one or more blocks, each with a shape of positive numbers.")
    largest = max(max(block.shape[1:]) for block in blocks if len(block.shape) == 3) if _has_maps(blocks) else 1
    boxes = [_box_of(block, largest) for block in blocks]
    base = MARGIN + 46 + TALLEST * (1 + SLANT)
    x, faces, words = MARGIN, [], []
    for block, (thick, height, depth) in zip(blocks, boxes, strict=True):
        lines = [block.name, "x".join(map(str, block.shape)), block.detail]
        wide = thick + SLANT * depth
        room = max(wide, *(svg.width_of(line, LETTERS) for line in lines)) + GAP
        left = x + (room - wide) / 2
        faces += _faces(left, base, thick, height, SLANT * depth, COLOURS.get(block.kind, COLOURS["other"]))
        for row, (line, colour) in enumerate(zip(lines, (INK, INK, SOFT), strict=True)):
            words.append(_Word((x + room / 2, base + 20 + 16 * row), line, LETTERS, colour))
        x += room
    width = max(x + MARGIN, svg.width_of(subtitle, 12) + 2 * MARGIN)
    keys, found = _key({block.kind for block in blocks}, base + 84)
    words += [
        _Word((MARGIN, MARGIN + 8), title, 17, INK, "start"),
        _Word((MARGIN, MARGIN + 28), subtitle, 12, SOFT, "start"),
    ]
    sizes = ", ".join("x".join(map(str, block.shape)) for block in blocks)
    label = f"{title}: {len(blocks)} blocks of sizes {sizes}"
    return Drawing(width, base + 104, label, (*faces, *keys), (*(word for word in words if word.words), *found))


def _has_maps(blocks: Sequence[Block]) -> bool:
    return any(len(block.shape) == 3 for block in blocks)


def _box_of(block: Block, largest: int) -> tuple[float, float, float]:
    """Thickness, height and depth in pixels."""
    if len(block.shape) == 3:
        channels, height, width = block.shape
        tall, deep = (max(LEAST, TALLEST * math.sqrt(side / largest)) for side in (height, width))
        return 3 + 4.5 * math.log2(1 + channels), tall, deep
    if len(block.shape) == 2:  # tokens lie on top of each other, each as long as it has numbers
        tokens, numbers = block.shape
        return 4 + 6 * math.log2(1 + numbers), min(TALLEST, 12 * math.log2(1 + tokens)), LEAST
    return 9.0, min(TALLEST, 14 * math.log2(1 + math.prod(block.shape))), LEAST


def _faces(
    left: float, base: float, thick: float, height: float, slant: float, colours: tuple[str, str, str]
) -> list[_Face]:
    """Front, top and right side of a box that stands on `base`."""
    right, top = left + thick, base - height
    front = ((left, base), (right, base), (right, top), (left, top))
    lid = ((left, top), (right, top), (right + slant, top - slant), (left + slant, top - slant))
    side = ((right, base), (right + slant, base - slant), (right + slant, top - slant), (right, top))
    return [_Face(front, colours[0]), _Face(lid, colours[1]), _Face(side, colours[2])]


def _key(kinds: set[str], y: float) -> tuple[list[_Face], list[_Word]]:
    """What the colours mean, of those that are there."""
    x, faces, words = MARGIN, [], []
    for kind in (kind for kind in COLOURS if kind in kinds):
        corners = ((x, y), (x + 12, y), (x + 12, y - 10), (x, y - 10))
        faces.append(_Face(corners, COLOURS[kind][0]))
        words.append(_Word((x + 18, y), kind, LETTERS, SOFT, "start"))
        x += 18 + svg.width_of(kind, LETTERS) + 18
    return faces, words
