"""The verb `pellucid evaluate`."""

import json
import math
from collections.abc import Sequence

from pellucid.cli.arguments import parser, style

USAGE = "evaluate RUN [DATA] [--split test]"
ABOUT = "measure a run; every opening of the test split is logged"


def run(arguments: Sequence[str]) -> int:
    """Print the metrics and write the report."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder")
    made.add_argument("data", metavar="DATA", nargs="?", help="other data; default is the run's own")
    made.add_argument("--split", default="test", help="train, val or test of the run's own data")
    options = made.parse_args(list(arguments))
    from pellucid.cli.table import print_table
    from pellucid.core.progress import make_progress
    from pellucid.runs.evaluate import evaluate_run
    from pellucid.runs.report import write_report
    from pellucid.runs.run import Run

    done = Run(options.run)
    found = evaluate_run(done, options.data, options.split, make_progress(style(options)))
    numbers = {name: value for name, value in found.summary.items() if isinstance(value, (int, float))}
    if options.data is None:
        write_report(done, found.splits, found)
    if options.json:
        print(json.dumps({k: v if math.isfinite(v) else None for k, v in numbers.items()}))
    elif not options.quiet:
        print_table([{"metric": name, "value": round(value, 4)} for name, value in numbers.items()])
    return 0
