"""The verb `pellucid predict`."""

import sys
from collections.abc import Sequence

from pellucid.cli.arguments import parser, style
from pellucid.cli.wishes import add_wishes, asked_for
from pellucid.core.errors import ConfigError

USAGE = "predict RUN IMAGES..."
ABOUT = "what a run, or a weights file, says of pictures"


def run(arguments: Sequence[str]) -> int:
    """Print one row a picture; with `--save` also write the drawings. 1 when a picture could not be opened."""
    made = parser(USAGE, ABOUT)
    made.add_argument("run", metavar="RUN", help="run folder, model.safetensors, or efficientnet_lite0 (packaged)")
    made.add_argument("images", metavar="IMAGES", nargs="+", help="files, folders, globs")
    made.add_argument("--save", metavar="FOLDER", help="write every result into this folder: drawings, masks, JSON")
    made.add_argument("--strict", action="store_true", help="stop at the first picture that cannot be opened")
    made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    add_wishes(made)
    options = made.parse_args(list(arguments))
    from pellucid.ops.memory import quick_imports

    with quick_imports():
        from pellucid.cli.output import print_json, print_table
        from pellucid.core.device import choose_device
        from pellucid.core.progress import make_progress
        from pellucid.data.source import Problem
        from pellucid.runs.predict import expand, predict_each, save_result, save_together
        from pellucid.runs.stored.trained import load_trained
        from pellucid.tasks.wishes import grant_flags

    trained = load_trained(options.run, choose_device(options.device))
    wishes = grant_flags(trained.task.wishes, asked_for(options), trained.task.name)
    if wishes.for_saving and not options.save:
        raise ConfigError(f"--{wishes.for_saving} is for results that are saved: add --save FOLDER, or leave it out.")
    pictures = expand(options.images)
    problems: list[Problem] | None = None if options.strict else []
    rows, notes, seen, is_something = [], [], [], trained.task.nothing_found is None
    gathered = trained.task.gather(wishes, trained.facts) if options.save and trained.task.gather else None
    if gathered:
        gathered.expect([str(picture) for picture in pictures])
    with make_progress(style(options)).bar("Predicting", len(pictures)) as advance:
        for number, picture, result in predict_each(trained, pictures, problems, wishes):
            if options.save:
                save_result(trained, picture, result, options.save, number)
            if gathered:
                gathered.add(result)
            notes += [result.note] if result.note else []
            seen.append(picture)
            is_something = is_something or len(result) > 0
            rows.append(result.as_dict() if options.json else result.row())
            advance(number + 1)
    if gathered:
        save_together(gathered, options.save)
    if options.json:
        print_json(rows)
    elif not options.quiet and rows:
        print_table(rows)
    if notes:
        others = f" The same of {len(notes) - 1} more." if len(notes) > 1 else ""
        print(f"pellucid: notice: {notes[0]}{others}", file=sys.stderr)
    if seen and not is_something:
        assert trained.task.nothing_found is not None  # else there is something
        said = trained.task.nothing_found(trained.model, seen, trained.facts, wishes)
        print(f"pellucid: notice: {said}", file=sys.stderr)
    for problem in problems or ():
        print(f"pellucid: skipped: {problem.reason}", file=sys.stderr)
    return int(bool(problems))
