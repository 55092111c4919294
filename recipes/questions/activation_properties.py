"""Which activation has which of the properties one wishes for?

Eight wishes: not linear, a slope almost everywhere, cheap, not saturating, monotone, bounded, few parameters, and
outputs that keep mean 0 and size 1 from layer to layer by themselves. No function has all eight, and some wishes
contradict each other: what is bounded and monotone must saturate on both sides. ReLU gives up boundedness and a mean
of zero for being cheap and not saturating above 0; SELU alone is normalising.

Every dot is measured on the function itself: slopes compared with differences, operations counted as they happen,
limits taken far out, sizes followed through a hundred layers. "Not saturating" means: not on both sides.

    python recipes/questions/activation_properties.py
"""

from pellucid.plots import svg
from pellucid.scratch.checks.activation_properties import property_table

SHORT = ("nonlinear", "slope a.e.", "cheap", "not saturating", "monotone", "bounded", "few parameters", "normalising")
LEFT, TOP, WIDE, TALL = 104, 128, 46, 22


def drawn(table: dict[str, dict[str, bool]]) -> str:
    """A dot for every property that holds."""
    parts = [svg.text(0, 18, "What each activation has", "title")]
    for column, name in enumerate(SHORT):
        at = LEFT + WIDE * (column + 0.5)
        words = svg.text(0, 0, name, "soft")
        parts.append(f'<g transform="translate({svg.number(at)} {TOP - 12}) rotate(-45)">{words}</g>')
    for row, (name, answers) in enumerate(table.items()):
        y = TOP + TALL * (row + 0.5)
        parts.append(svg.text(LEFT - 6, y + 4.5, name, "", "end"))
        parts.append(svg.line(LEFT, y + TALL / 2, LEFT + WIDE * len(SHORT), y + TALL / 2, "grid"))
        for column, (wish, holds) in enumerate(answers.items()):
            at = LEFT + WIDE * (column + 0.5)
            parts.append(svg.circle(at, y, 6 if holds else 2, "f1" if holds else "f6 pale", f"{name}, {wish}: {holds}"))
    spoken = "; ".join(f"{name}: {', '.join(k for k, v in answers.items() if v)}" for name, answers in table.items())
    return svg.document(520, TOP + TALL * len(table) + 8, f"What each activation has: {spoken}.", parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """All activations and all eight properties."""
    table = property_table()
    rows = [[name, *("yes" if holds else "no" for holds in answers.values())] for name, answers in table.items()]
    return ["activation", *SHORT], rows, drawn(table)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(12) for cell in row))
