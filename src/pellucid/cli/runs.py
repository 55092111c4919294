"""The verb `pellucid runs`."""

from collections.abc import Sequence
from pathlib import Path

from pellucid.cli.arguments import parser

USAGE = "runs [FOLDER]"
ABOUT = "what was run, with the number that counts"


def run(arguments: Sequence[str]) -> int:
    """Print one row a run, newest first."""
    made = parser(USAGE, ABOUT)
    made.add_argument("folder", metavar="FOLDER", nargs="?", default="runs", help="where to look (default runs)")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.errors import RunError
    from pellucid.runs.listing import list_rows

    if not Path(options.folder).is_dir():
        raise RunError(f"No folder {options.folder}. Train a first run with: pellucid train DATA")
    rows = list_rows(Path(options.folder))
    if options.json:
        print_json(rows)
    elif options.quiet:
        pass
    elif rows:
        print_table(rows)
    else:
        print(f"No runs in {options.folder}. Train one with: pellucid train DATA")
    return 0
