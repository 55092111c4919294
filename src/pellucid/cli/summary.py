"""The verb `pellucid summary`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.arguments import Parser, parser
from pellucid.core.errors import ConfigError
from pellucid.core.shapes import parse_size

if TYPE_CHECKING:
    from pellucid.runs.networks.opened import Opened

USAGE = "summary MODEL [--lint]"
ABOUT = "layers, shapes, parameters, multiply-adds, memory, receptive field; traps; a picture"


def run(arguments: Sequence[str]) -> int:
    """Print one row a layer and the sums, or the lines, or the traps; 1 when the linter found a failure."""
    options = _parser().parse_args(list(arguments))
    _check(options)
    size = parse_size(options.image_size) if options.image_size else None
    from pellucid.cli.output import print_json, print_table

    if options.activations:
        from pellucid.runs.networks.activations import summarise_activations

        found, said = summarise_activations(options.model, options.n_classes, options.channels, size, options.data)
        if options.json:
            print_json({"activations": found, "lines": said})
        elif not options.quiet:
            print_table(found)
            print("", *said, sep="\n")
        return 0
    from pellucid.runs.networks.opened import open_network

    blank = options.field is None  # shapes will do, but a measured field needs numbers
    opened = open_network(options.model, options.n_classes, options.channels, size, blank)
    if options.save is not None:
        return _draw(opened, options)
    if options.lint:
        return _lint(opened, options)
    from pellucid.runs.networks.summary import layers_and_sums

    rows, totals = layers_and_sums(opened)
    if options.json:
        print_json({"layers": rows, "totals": totals, "notes": opened.notes})
    elif not options.quiet:
        print_table(rows)
        print()
        print_table([{"sum": name, "value": value} for name, value in totals.items()])
        for note in opened.notes:
            print(f"\n{note[:1].upper()}{note[1:]}.")
    return 0


def _parser() -> Parser:
    made = parser(USAGE, ABOUT)
    made.add_argument("model", metavar="MODEL", help="a network (see `pellucid models`), a run, or FILE.py:NAME")
    made.add_argument("--n-classes", type=int, default=None, help="default 1000; a run has its own")
    made.add_argument("--channels", type=int, default=None, choices=(1, 3), help="default 3; a run has its own")
    made.add_argument("--image-size", default=None, help="N or HxW; default 224; a run has its own")
    made.add_argument("--lint", action="store_true", help="traps instead; exit code 1 if one of them is a failure")
    made.add_argument("--batch", type=int, default=None, help="for --lint: pictures a training step will have")
    made.add_argument(
        "--save", metavar="PICTURE", type=Path, default=None, help=".png or .svg of the network as blocks"
    )
    made.add_argument("--field", metavar="LAYER", default=None, help="for --save: what a unit of this layer sees")
    made.add_argument("--image", metavar="PHOTO", type=Path, default=None, help="for --field: the picture it sees")
    made.add_argument("--activations", action="store_true", help="mean and deviation of each layer's output instead")
    made.add_argument("--data", default=None, help="pictures for --activations; default: standard normal noise")
    return made


def _check(options: argparse.Namespace) -> None:
    """Options that mean nothing without another are refused, not ignored."""
    if options.data is not None and not options.activations:
        raise ConfigError("--data gives the pictures for --activations. Add --activations, or leave --data out.")
    if options.batch is not None and not options.lint:
        raise ConfigError("--batch is what --lint judges batch norm by. Add --lint, or leave --batch out.")
    if (options.field is None) != (options.image is None):
        raise ConfigError("--field LAYER and --image PHOTO belong together: the layer, and the picture to draw on.")
    if options.field is not None and options.save is None:
        raise ConfigError("--field draws a picture. Say where to: --save field.png")
    chosen = [flag for flag in ("activations", "lint", "save") if getattr(options, flag)]
    if len(chosen) > 1:
        raise ConfigError(f"Choose one of {' and '.join(f'--{flag}' for flag in chosen)}.")


def _lint(opened: "Opened", options: argparse.Namespace) -> int:
    from pellucid.cli.output import print_json
    from pellucid.runs.networks.summary import verdicts

    found = verdicts(opened, options.batch)
    if options.json:
        print_json([verdict.as_dict() for verdict in found])
    elif not options.quiet:
        told = [verdict for verdict in found if verdict.status != "pass"]
        for verdict in told:
            print(verdict.sentence())
        print(f"{len(found) - len(told)} of {len(found)} checks passed.")
    return int(any(verdict.status == "fail" for verdict in found))


def _draw(opened: "Opened", options: argparse.Namespace) -> int:
    from pellucid.cli.output import print_json
    from pellucid.runs.networks.picture import save_blocks, save_field

    if options.field is None:
        save_blocks(opened, options.model.rpartition("/")[2], options.save)
        said = f"{options.model} as blocks"
    else:
        said = save_field(opened, options.field, options.image, options.save)
    if options.json:
        print_json({"picture": str(options.save), "shows": said})
    elif not options.quiet:
        print(f"{options.save}: {said}")
    return 0
