"""The verb `pellucid report`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "report RUN"
ABOUT = "write report.html anew (measures the validation split)"


def run(arguments: Sequence[str]) -> int:
    """Write the page and print its path."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder")
    options = made.parse_args(list(arguments))
    from pellucid.runs.run import Run

    path = Run(options.run).report()
    if options.json:
        import json

        print(json.dumps({"report": str(path)}))
    elif not options.quiet:
        print(path)
    return 0
