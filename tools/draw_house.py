"""Draw the house: every folder of the package as a room, every import between rooms as a line.

    python tools/draw_house.py            # writes docs/house.svg
    python tools/draw_house.py --check    # fails when docs/house.svg is not what would be written

Rooms, order and lines are read from the code and from the import contract in pyproject.toml; the sentence
in a room is the first one of its package's docstring.
"""

import ast
import html
import sys
import textwrap
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "pellucid"
PICTURE = ROOT / "docs" / "house.svg"
WIDTH, HIGH, GAP, LEFT = 960, 66, 34, 20
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1d2733 }
  .name { font-weight: 600; font-size: 15px }
  rect { fill: #f4f7fa; stroke: #9fb0c0 } path { fill: none; stroke: #2a7f9e; stroke-opacity: .45; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } rect { fill: #1b2430; stroke: #4a5a6a } path { stroke: #5cc0e0 }
  }
"""


def floors() -> list[list[str]]:
    """The layers of the import contract, top first, without the rooms that are not built yet."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(c["layers"] for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    named = [[room.strip(" ()") for room in layer.split("|")] for layer in layers]
    built = [[room for room in floor if (PACKAGE / room / "__init__.py").exists()] for floor in named]
    return [floor for floor in built if floor]


def sentence(room: str) -> str:
    """The first sentence of the package's docstring."""
    said = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return said.split(". ")[0].strip().rstrip(".").replace("`", "")


def imports() -> set[tuple[str, str]]:
    """(importing room, imported room) for every two rooms that are tied."""
    graph = grimp.build_graph("pellucid", exclude_type_checking_imports=True)
    found: set[tuple[str, str]] = set()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            ends = [name.split(".")[1:2] for name in (module, other)]
            if all(ends) and ends[0] != ends[1]:
                found.add((ends[0][0], ends[1][0]))
    return found


def draw() -> str:
    """The picture as SVG."""
    place: dict[str, tuple[float, float, float]] = {}
    parts: list[str] = []
    for level, floor in enumerate(floors()):
        wide = (WIDTH - 2 * LEFT - 20 * (len(floor) - 1)) / len(floor)
        for column, room in enumerate(floor):
            left, top = LEFT + column * (wide + 20), LEFT + level * (HIGH + GAP)
            place[room] = (left, top, wide)
            parts.append(f'<rect x="{left:.0f}" y="{top}" width="{wide:.0f}" height="{HIGH}" rx="6"/>')
            parts.append(f'<text class="name" x="{left + 12:.0f}" y="{top + 23}">{room}</text>')
            for row, line in enumerate(textwrap.wrap(sentence(room), int(wide / 7.4))[:2]):
                parts.append(f'<text x="{left + 12:.0f}" y="{top + 42 + 16 * row}">{html.escape(line)}</text>')
    lines = []
    for upper, lower in sorted(imports()):
        if upper in place and lower in place:
            (x1, y1, w1), (x2, y2, w2) = place[upper], place[lower]
            start, end = x1 + w1 * (0.1 + 0.8 * (x2 + w2 / 2) / WIDTH), x2 + w2 * (0.1 + 0.8 * (x1 + w1 / 2) / WIDTH)
            middle = (y1 + HIGH + y2) / 2
            curve = f"M{start:.0f} {y1 + HIGH} C{start:.0f} {middle:.0f} {end:.0f} {middle:.0f} {end:.0f} {y2}"
            lines.append(f'<path d="{curve}"/>')
    tall = LEFT * 2 + len(floors()) * (HIGH + GAP) - GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" role="img" aria-label="The house">'
    return "\n".join([head, f"<style>{STYLE}</style>", *lines, *parts, "</svg>"]) + "\n"


def main() -> int:
    """Write the picture, or compare it with what lies there."""
    picture = draw()
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(picture, encoding="utf-8")
        return 0
    if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == picture:
        return 0
    print("docs/house.svg is out of date: run python tools/draw_house.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
