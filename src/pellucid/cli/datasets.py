"""The verb `pellucid datasets`."""

import json
from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "datasets [--fetch NAME]"
ABOUT = "the named data sets, and how to get those that are not here"


def run(arguments: Sequence[str]) -> int:
    """Print one row a set; download one only when asked."""
    made = parser(USAGE, ABOUT)
    made.add_argument("--fetch", metavar="NAME", help="download a set from its upstream address, and check it")
    options = made.parse_args(list(arguments))
    from pellucid.cli.table import print_table
    from pellucid.data.known import KNOWN, download

    if options.fetch:
        download(options.fetch)
        print(json.dumps({"fetched": options.fetch}) if options.json else f"{options.fetch} is here and checked.")
        return 0
    rows = [
        {
            "name": name,
            "classes": len(known.classes),
            "pictures": ", ".join(f"{count:,} {role}" for role, count in known.counts.items()),
            "size": "x".join(map(str, known.shape)),
            "licence": known.card.licence,
            "origin": known.card.origin,
            "sha256": known.card.digest[:12],
            "how to get it": known.how_to_get,
        }
        for name, known in KNOWN.items()
    ]
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not options.quiet:
        print_table(rows)
    return 0
