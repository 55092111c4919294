"""The verb `pellucid models`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "models"
ABOUT = "networks with sizes and costs, and what is fitted in one go"


def run(arguments: Sequence[str]) -> int:
    """Print one row a model."""
    options = parser(USAGE, ABOUT).parse_args(list(arguments))
    from pellucid.cli.output import print_json, print_table
    from pellucid.runs.zoo import list_models

    rows = list_models()
    if options.json:
        print_json(rows)
    elif not options.quiet:
        print_table(rows)
    return 0
