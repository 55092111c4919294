"""The verb `pellucid verify`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "verify RUN"
ABOUT = "predict the stored examples again; fails if anything changed"


def run(arguments: Sequence[str]) -> int:
    """Print the verdicts; 1 when one of them failed."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json
    from pellucid.runs.run import Run

    verdicts = Run(options.run).verify()
    if options.json:
        print_json([verdict.as_dict() for verdict in verdicts])
    elif not options.quiet:
        print("\n".join(verdict.sentence() for verdict in verdicts))
    return int(any(verdict.status == "fail" for verdict in verdicts))
