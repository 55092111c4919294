"""SVG as text: a few shapes, everything escaped, colours taken from the page around them.

Written by hand rather than by a plotting library, because text stays text (the browser has the glyphs
for every language and for emoji), colours follow light and dark pages, the same numbers give the same
bytes, and a chart costs a millisecond.
"""

import unicodedata
from collections.abc import Sequence
from html import escape

SERIES = 6  # colours before they repeat
LARGE = 15  # size of letters where a narrow page enlarges them; room is left for that

# A page may set --series-1 ... --bad and so on; the values here are readable on white and on black.
STYLE = """
.plot{display:block;width:100%;height:auto;color:inherit;font:13px system-ui,-apple-system,"Segoe UI",sans-serif}
.plot text{fill:currentColor;font-variant-numeric:tabular-nums}
.plot .title{font-size:15px;font-weight:600}
.plot .soft{opacity:.72}
.plot .grid{stroke:currentColor;opacity:.13}
.plot .axis{stroke:currentColor;opacity:.45}
.plot .guide{stroke:currentColor;opacity:.5;stroke-dasharray:3 4;fill:none}
.plot .curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.plot .ring{fill:none;stroke-width:2}
.plot .touch{fill:transparent}
.plot .bad{fill:var(--bad,#d1453b);stroke:var(--bad,#d1453b)}
.plot .pale{opacity:.45}
.plot .s1{stroke:var(--series-1,#1b8a99)}.plot .f1{fill:var(--series-1,#1b8a99)}
.plot .s2{stroke:var(--series-2,#d9691e);stroke-dasharray:7 4}.plot .f2{fill:var(--series-2,#d9691e)}
.plot .s3{stroke:var(--series-3,#8f68c9);stroke-dasharray:2 4}.plot .f3{fill:var(--series-3,#8f68c9)}
.plot .s4{stroke:var(--series-4,#8a8a1a);stroke-dasharray:9 3 2 3}.plot .f4{fill:var(--series-4,#8a8a1a)}
.plot .s5{stroke:var(--series-5,#cc4f95);stroke-dasharray:4 2}.plot .f5{fill:var(--series-5,#cc4f95)}
.plot .s6{stroke:var(--series-6,#7b848f);stroke-dasharray:1 3}.plot .f6{fill:var(--series-6,#7b848f)}
""".strip()


def document(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    """One `<svg>` that scales with the page.

    Args:
        width, height: of the drawing, in its own units (pixels at full size).
        label: what a screen reader says in place of the picture.
        parts: the shapes, in drawing order.
    """
    return (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'direction="ltr" role="img" aria-label="{escape(label)}"><style>{STYLE}</style>{"".join(parts)}</svg>'
    )


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start", hover: str = "") -> str:
    """Text whose `anchor` (start, middle, end) lies at `(x, y)`, y being the base line."""
    tip = f"<title>{escape(hover)}</title>" if hover else ""
    return f'<text x="{number(x)}" y="{number(y)}" class="{kind}" text-anchor="{anchor}">{tip}{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" class="{kind}"/>'


def rect(x: float, y: float, width: float, height: float, kind: str, hover: str = "") -> str:
    """A filled rectangle; negative sizes are drawn as nothing."""
    tip = f"<title>{escape(hover)}</title>" if hover else ""
    width, height = max(width, 0.0), max(height, 0.0)
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'class="{kind}">{tip}</rect>'
    )


def circle(x: float, y: float, radius: float, kind: str, hover: str = "") -> str:
    """A circle."""
    tip = f"<title>{escape(hover)}</title>" if hover else ""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{kind}">{tip}</circle>'


def image(x: float, y: float, width: float, height: float, uri: str, label: str) -> str:
    """A picture stretched to a rectangle; few pixels stay squares when it is enlarged.

    Args:
        uri: where the picture is, `data:image/png;base64,...` for one that travels along.
        label: what a screen reader says, and the pointer shows.
    """
    return (
        f'<image x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="{escape(uri)}">'
        f"<title>{escape(label)}</title></image>"
    )


def path(runs: Sequence[Sequence[tuple[float, float]]], kind: str) -> str:
    """Several unconnected polylines as one path; a run of one point becomes a dot."""
    strokes = []
    for run in runs:
        corners = [f"{number(x)},{number(y)}" for x, y in run]
        strokes.append("M" + "L".join(corners if len(corners) > 1 else corners * 2))
    return f'<path d="{"".join(strokes)}" class="{kind}"/>' if strokes else ""


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel, without a trailing `.0`."""
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


def width_of(content: str, size: float = LARGE) -> float:
    """A careful guess of how wide text will be, in pixels: the font is the reader's, not ours."""
    total = 0.0
    for letter in content:
        if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
            continue
        wide = unicodedata.east_asian_width(letter) in ("W", "F")
        total += (
            1.05
            if wide
            else 0.3
            if letter in " .,:;|!'ijlft()[]"
            else 0.75
            if letter.isupper() or letter in "mw@%"
            else 0.62
        )
    return total * size


def shorten(content: str, room: float, size: float = LARGE) -> str:
    """The text, cut with an ellipsis where it would be wider than `room` pixels."""
    if width_of(content, size) <= room:
        return content
    kept = content[:200]
    while kept and width_of(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip("\u200d \u0300\u0301") + "…"


def key_rows(entries: Sequence[tuple[str, str]], room: float, x: float, y: float) -> tuple[list[str], float]:
    """A legend that wraps: the shapes, and how tall they are.

    Args:
        entries: (shape drawn around the origin as a 22-pixel-wide swatch, its name).
        room: width to stay within.
        x, y: top left corner.
    """
    parts, left, row = [], 0.0, 0
    for swatch, name in entries:
        shown = shorten(name, min(room - 30, 220))
        wide = 28 + width_of(shown) + 16
        if left and left + wide > room:
            left, row = 0.0, row + 1
        top = y + 20 * row + 14
        parts.append(f'<g transform="translate({number(x + left)} {number(top - 4)})">{swatch}</g>')
        parts.append(text(x + left + 28, top, shown, hover=name if shown != name else ""))
        left += wide
    return parts, 20.0 * (row + 1) if entries else 0.0
