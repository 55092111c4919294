"""The verb `pellucid models`."""

from collections.abc import Sequence

from pellucid.cli.arguments import parser

USAGE = "models [NAME]"
ABOUT = "networks with their sizes, and what is fitted in one go"


def run(arguments: Sequence[str]) -> int:
    """Print one row a model, or all that is known of one."""
    made = parser(USAGE, ABOUT)
    made.add_argument("name", metavar="NAME", nargs="?", help="of one model, to be told more about it")
    options = made.parse_args(list(arguments))
    from pellucid.cli.output import print_json, print_table, shown
    from pellucid.runs.zoo import list_models, tell_model

    if options.name is not None:
        story = tell_model(options.name)
        if options.json:
            print_json(story)
        elif not options.quiet:
            width = max(map(len, story))
            for word, value in story.items():
                if value is not None:
                    print(f"{word:<{width}}  {shown(value)}")
        return 0
    rows = list_models()
    if options.json:
        print_json(rows)
    elif not options.quiet:
        print_table(rows)
        print()
        print("Parameters for RGB, 1000 classes (21 of masks) and 224 px. `pellucid models NAME` tells more.")
    return 0
