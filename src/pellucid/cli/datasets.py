"""The verb `pellucid datasets`."""

from collections.abc import Sequence
from typing import Any

from pellucid.cli.arguments import parser, style

USAGE = "datasets [NAME] [--fetch]"
ABOUT = "the named data sets, and how to get those that are not here"


def run(arguments: Sequence[str]) -> int:
    """Print one row a set, or all that is known of one; download one only when asked."""
    made = parser(USAGE, ABOUT)
    made.add_argument("name", metavar="NAME", nargs="?", help="tell all about one: licence, origin, checksum")
    made.add_argument("--fetch", action="store_true", help="download it from its publisher, and check it")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.choose import choose
    from pellucid.core.errors import ConfigError
    from pellucid.data.known import KNOWN, download

    if options.name:
        choose(options.name, KNOWN, "data set")
    if options.fetch:
        if not options.name:
            raise ConfigError("--fetch needs the NAME of a data set; `pellucid datasets` lists them.")
        from pellucid.core.progress import make_progress

        download(options.name, progress=make_progress(style(options)))
    rows = [_about(name) for name in ([options.name] if options.name else KNOWN)]
    if options.json:
        print_json(rows)
    elif options.quiet:
        pass
    elif options.name:
        print(
            "\n".join(
                f"{key:<15}{'yes' if value is True else 'no' if value is False else value}"
                for key, value in rows[0].items()
            )
        )
    else:
        print_table([{key: row[key] for key in ("name", "classes", "pictures", "size", "here")} for row in rows])
        print("\n`pellucid datasets NAME` tells licence, origin, checksum, and how to get one that is not here.")
    return 0


def _about(name: str) -> dict[str, Any]:
    from pellucid.data.known import KNOWN

    known = KNOWN[name]
    return {
        "name": name,
        "title": known.card.title,
        "classes": len(known.classes),
        "pictures": ", ".join(f"{count:,} {role}".strip() for role, count in known.counts.items()),
        "size": "x".join(map(str, known.shape)),
        "here": known.is_here,
        "licence": known.card.licence,
        "origin": known.card.origin,
        "sha256": known.card.digest,
        "how to get it": known.how_to_get,
    }
