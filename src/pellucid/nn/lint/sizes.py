"""Rule `sizes`: rows and columns at the far border that no window reaches."""

from pellucid.core.verdict import Verdict
from pellucid.nn.lint.about import About, listed

RULE = "sizes"


def sizes(about: About) -> list[Verdict]:
    """Windows whose stride does not divide what they run over leave a rest, which the network never sees."""
    rows = [row for row in about.geometry.rows if any(row.dropped)]
    if not rows:
        return [Verdict(RULE, "pass", "every window fits the map it runs over")]
    found = [f"{row.name} drops {_rest(*row.dropped)}" for row in rows]
    return [
        Verdict(
            RULE,
            "warn",
            listed(found),
            "the stride does not divide the size, and what is left over at the right and below is not looked at",
            "choose an image size that divides, or add padding or ceil_mode=True",
        )
    ]


def _rest(rows: int, columns: int) -> str:
    parts = [f"{n} {what}{'s' if n > 1 else ''}" for n, what in ((rows, "row"), (columns, "column")) if n]
    return " and ".join(parts)
