"""The verb `pellucid summary`."""

import json
from collections.abc import Sequence

from pellucid.cli.arguments import parser
from pellucid.core.shapes import parse_size

USAGE = "summary MODEL [--image-size 32]"
ABOUT = "layers, shapes, parameters, multiply-adds, memory, receptive field"


def run(arguments: Sequence[str]) -> int:
    """Print one row a layer, and the sums."""
    made = parser(USAGE, ABOUT)
    made.add_argument("model", metavar="MODEL", help="name of a network, or a run folder")
    made.add_argument("--n-classes", type=int, default=1000)
    made.add_argument("--channels", type=int, default=3, choices=(1, 3))
    made.add_argument("--image-size", default="224", help="N or HxW")
    options = made.parse_args(list(arguments))
    from pellucid.cli.table import print_table
    from pellucid.runs.zoo import summarise_model

    rows, totals = summarise_model(options.model, options.n_classes, options.channels, parse_size(options.image_size))
    if options.json:
        print(json.dumps({"layers": rows, "totals": totals}, indent=2))
    elif not options.quiet:
        print_table(rows)
        print()
        print_table([totals])
    return 0
