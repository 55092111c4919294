"""The verb `pellucid ladder`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser, style

USAGE = "ladder DATA [--budget SECONDS] [--skip RUNG ...]"
ABOUT = "from nearest neighbours to an ensemble of deep nets: one table"


def run(arguments: Sequence[str]) -> int:
    """Climb, and print the table; the page and the picture lie in the folder."""
    made = parser(USAGE, ABOUT)
    made.add_argument("data", metavar="DATA", help="folder, .csv or .npz file, or a name from `pellucid datasets`")
    made.add_argument("--out", help="folder (default runs/<data>-ladder); the same command goes on where it stopped")
    made.add_argument("--budget", type=float, default=0.0, help="CPU seconds for all; 0 goes by the number of pictures")
    made.add_argument("--only", nargs="+", default=[], metavar="RUNG", help="climb these alone")
    made.add_argument("--skip", nargs="+", default=[], metavar="RUNG", help="leave these out")
    made.add_argument("--seed", type=int, default=0, help="of the split and of everything random")
    made.add_argument("--fraction", type=float, default=1.0, help="use only this share of the training split")
    made.add_argument("--val-fraction", type=float, default=0.1, help="share held out for choosing (default 0.1)")
    made.add_argument("--image-size", default="auto", help="N or HxW, in pixels")
    made.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes the free cores")
    made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    made.add_argument("--allow-leaks", action="store_true", help="climb although copies lie in two splits")
    made.add_argument("--overwrite", action="store_true", help="begin anew where a ladder lies in --out")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json, print_table
    from pellucid.runs.comparing.climbing.ledger import PAGE, PICTURE
    from pellucid.runs.comparing.ladder import ladder

    found = ladder(
        options.data,
        out=options.out,
        budget=options.budget,
        only=options.only,
        skip=options.skip,
        seed=options.seed,
        fraction=options.fraction,
        val_fraction=options.val_fraction,
        image_size=options.image_size,
        threads=options.threads,
        device=options.device,
        allow_leaks=options.allow_leaks,
        overwrite=options.overwrite,
        progress=style(options),
    )
    if options.json:
        print_json({"folder": str(found.folder), "rungs": found.rows, "left_out": found.left_out})
    elif not options.quiet:
        print_table(
            [{name: _shown(name, value) for name, value in row.items() if name != "rung"} for row in found.rows]
        )
        for name, why in found.left_out.items():
            print(f"left out: {name}, {why}")
        print(f"\n{found.cpu_seconds:,.0f} CPU seconds. Page: {found.folder / PAGE}; picture: {found.folder / PICTURE}")
    return 0


def _shown(name: str, value: object) -> object:
    if name in ("validation", "test") and isinstance(value, float):
        return f"{value:.2%}"
    return round(value, 1) if isinstance(value, float) else value
