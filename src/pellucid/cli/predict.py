"""The verb `pellucid predict`."""

import json
from collections.abc import Sequence

from pellucid.cli.arguments import parser, style

USAGE = "predict RUN IMAGES..."
ABOUT = "what a run, or a weights file, says of pictures"


def run(arguments: Sequence[str]) -> int:
    """Print one row a picture; with `--save` also write the drawings."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder or model.safetensors")
    made.add_argument("images", metavar="IMAGES", nargs="+", help="files, folders, globs")
    made.add_argument("--save", metavar="FOLDER", help="draw every result into this folder")
    made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    options = made.parse_args(list(arguments))
    from pellucid.cli.table import print_table
    from pellucid.core.device import choose_device
    from pellucid.core.progress import make_progress
    from pellucid.runs.predict import expand, predict_images, save_drawings
    from pellucid.runs.trained import load_trained

    trained = load_trained(options.run, choose_device(options.device))
    images = expand(options.images)
    with make_progress(style(options)).bar("Predicting", len(images)) as advance:
        results = predict_images(trained, images, advance)
    if options.save:
        save_drawings(trained, images, results, options.save)
    if options.json:
        print(json.dumps([result.as_dict() for result in results], indent=2, ensure_ascii=False))
    elif not options.quiet:
        print_table([result.row() for result in results])
    return 0
