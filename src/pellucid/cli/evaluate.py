"""The verb `pellucid evaluate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.cli.arguments import parser, style
from pellucid.core.errors import ConfigError
from pellucid.runs.comparing.words import runs_and_data

USAGE = "evaluate RUN [RUN ...] [DATA] [--split test]"
ABOUT = "measure a run, or several together; openings of the test are logged"


def run(arguments: Sequence[str]) -> int:
    """Print the metrics; when the test split was opened, write the report anew. Or measure what the model bears."""
    made = parser(USAGE, ABOUT)
    made.usage = "pellucid evaluate RUN [RUN ...] [DATA] [options]"
    made.add_argument(
        "words",
        metavar="RUN",
        nargs="+",
        help="run folder; for other data, a weights file or packaged "
        "model will do; several answer alone and together. Last may come DATA; default is the runs' own",
    )
    made.add_argument("--split", help="train, val or test of the run's own data (default test)")
    made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    made.add_argument("--challenges", action="store_true", help="how much turning, hiding, noise ... the model bears")
    made.add_argument("--tta", default="none", help="mean of the answers for views of a picture: mirror, ten or fifty")
    made.add_argument("--soup", help="mean of the runs' weights, written to --out: uniform (all), greedy (what helps)")
    made.add_argument("--out", metavar="FILE", help="where --soup writes its .safetensors file")
    options = made.parse_args(list(arguments))
    runs, options.data = runs_and_data(options.words)
    if options.soup or options.out or len(runs) > 1 or options.tta != "none":
        return _together(runs, options)
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.files import read_lines
    from pellucid.core.progress import make_progress
    from pellucid.runs.evaluate import evaluate_run
    from pellucid.runs.report import write_report
    from pellucid.runs.run import Run
    from pellucid.runs.stored.folder import OPENINGS, REPORT

    done = Run(Path(runs[0]), options.device)
    if options.challenges:
        return _challenges(done, options)
    found = evaluate_run(done, options.data, options.split, make_progress(style(options)))
    numbers = {name: value for name, value in found.summary.items() if isinstance(value, (int, float))}
    opens_test = found.is_own and found.split == "test"
    if opens_test:
        write_report(done, found.splits, found)
    if options.json:
        opened = {"test_openings": len(read_lines(done.folder / OPENINGS))} if opens_test else {}
        print_json({"split": found.split, "pictures": found.n_pictures, **opened, **numbers})
    elif not options.quiet:
        print_table([{"metric": name, "value": value} for name, value in numbers.items()])
        print(f"\n{found.n_pictures:,} pictures ({found.split})." + f" Report: {done.folder / REPORT}" * opens_test)
    return 0


def _together(runs: list[str], options: Any) -> int:
    """Several runs, or several views: one row a member, then the mean, and the soup where one is asked for."""
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.progress import make_progress
    from pellucid.runs.comparing.together import evaluate_together

    if options.challenges:
        raise ConfigError("--challenges is measured on one run as it is. Leave the others, --tta and --soup out.")
    found = evaluate_together(
        runs,
        options.data,
        options.split,
        options.tta,
        options.soup,
        options.out,
        make_progress(style(options)),
        options.device,
    )
    if options.json:
        print_json({"split": found.split, "pictures": found.n_pictures, "rows": found.rows})
    elif not options.quiet:
        print_table(found.rows)
        print(f"\n{found.n_pictures:,} pictures ({found.split}).{found.note}")
    return 0


def _challenges(done: Any, options: Any) -> int:
    """Measure the run under every challenge, and print one row each."""
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.progress import make_progress
    from pellucid.runs.comparing.challenges import challenge_run
    from pellucid.runs.stored.folder import CHALLENGES_PAGE

    if options.data:
        raise ConfigError("--challenges is measured on the run's own data. Leave DATA out.")
    found = challenge_run(done, options.split, make_progress(style(options)))
    if options.json:
        print_json(found.as_dict())
    elif not options.quiet:
        rows = []
        for each in found.curves:
            at = [f"{s:g}: {v:.4g}" for s, v in zip(each.strengths[1:], each.values[1:], strict=True)]
            rows.append({"challenge": each.name, "difficulty": each.challenge.factor, "kept": f"{each.kept:.1%}"})
            rows[-1][f"{found.metric} at strength"] = ", ".join(at)
        print_table(rows)
        print(f"\n{found.metric} {found.clean:.4g} on {found.pictures:,} clean pictures ({found.split}).")
        print(f"Page: {done.folder / CHALLENGES_PAGE}")
    return 0
