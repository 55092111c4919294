"""The verb `pellucid verify`."""

import json
from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "verify RUN"
ABOUT = "predict the stored examples again; fails if anything changed"


def run(arguments: Sequence[str]) -> int:
    """Print the verdicts; 1 when one of them failed."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder")
    options = made.parse_args(list(arguments))
    from pellucid.runs.run import Run

    verdicts = Run(options.run).verify()
    if options.json:
        print(json.dumps([verdict.as_dict() for verdict in verdicts], indent=2, ensure_ascii=False))
    elif not options.quiet:
        print("\n".join(verdict.sentence() for verdict in verdicts))
    return int(any(verdict.status == "fail" for verdict in verdicts))
