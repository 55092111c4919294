"""The verb `pellucid summary`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser
from pellucid.core.errors import ConfigError
from pellucid.core.shapes import parse_size

USAGE = "summary MODEL [--activations]"
ABOUT = "layers, shapes, parameters, multiply-adds, memory, receptive field"


def run(arguments: Sequence[str]) -> int:
    """Print one row a layer, and the sums or the lines."""
    made = parser(USAGE, ABOUT)
    made.add_argument("model", metavar="MODEL", help="name of a network (see `pellucid models`), or a run")
    made.add_argument("--n-classes", type=int, default=None, help="default 1000; a run has its own")
    made.add_argument("--channels", type=int, default=None, choices=(1, 3), help="default 3; a run has its own")
    made.add_argument("--image-size", default=None, help="N or HxW; default 224; a run has its own")
    made.add_argument("--activations", action="store_true", help="mean and deviation of each layer's output instead")
    made.add_argument("--data", default=None, help="pictures for --activations; default: standard normal noise")
    options = made.parse_args(list(arguments))
    if options.data is not None and not options.activations:
        raise ConfigError("--data gives the pictures for --activations. Add --activations, or leave --data out.")
    size = parse_size(options.image_size) if options.image_size else None
    from pellucid.cli.output import print_json, print_table
    from pellucid.runs.zoo import summarise_activations, summarise_model

    if options.activations:
        found, said = summarise_activations(options.model, options.n_classes, options.channels, size, options.data)
        if options.json:
            print_json({"activations": found, "lines": said})
        elif not options.quiet:
            print_table(found)
            print("", *said, sep="\n")
        return 0
    rows, totals = summarise_model(options.model, options.n_classes, options.channels, size)
    if options.json:
        print_json({"layers": rows, "totals": totals})
    elif not options.quiet:
        print_table(rows)
        print()
        print_table([{"sum": name, "value": value} for name, value in totals.items()])
    return 0
