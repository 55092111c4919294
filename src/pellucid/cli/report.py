"""The verb `pellucid report`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser, style

USAGE = "report RUN"
ABOUT = "write report.html anew; never opens the test split"


def run(arguments: Sequence[str]) -> int:
    """Write the page and print its path."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder")
    made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json
    from pellucid.core.progress import make_progress
    from pellucid.runs.report import write_report
    from pellucid.runs.run import Run

    path = write_report(Run(options.run, options.device), None, progress=make_progress(style(options)))
    if options.json:
        print_json({"report": str(path)})
    elif not options.quiet:
        print(path)
    return 0
