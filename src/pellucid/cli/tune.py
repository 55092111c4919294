"""The verb `pellucid tune`."""

import argparse
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.cli.arguments import add_task, parser, style
from pellucid.cli.train import read_early
from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.runs.searching.options import NAMES, PRUNERS, SAMPLERS, TuneOptions, refuse_other_stages
from pellucid.tasks import CONFIGS

USAGE = "tune DATA [--minutes M] [--space ...] ..."
ABOUT = "search settings: coarse to fine, watching its borders"
OPTIONS = ("quiet", "json", "task", "out", "config", "resume", "space", *(name.replace("_", "-") for name in NAMES))


def run(arguments: Sequence[str]) -> int:
    """Search; a line a trial is told on standard error, results are in the folder of the search."""
    words = list(arguments)
    made = options()
    data = words.pop(0) if words and not words[0].startswith("-") else None
    if {"-h", "--help"} & set(words):
        return _help(made)
    chosen, rest = made.parse_known_args(words)
    if chosen.task != "auto":
        choose(chosen.task, CONFIGS, "task")
    kinds = list(CONFIGS.values()) if chosen.task == "auto" else [CONFIGS[chosen.task]]
    settings.refuse_unknown_flags(kinds, rest, OPTIONS, "tune")
    if chosen.resume:
        return _resume(chosen, data, rest)
    if data is None:
        raise ConfigError("tune needs DATA: a folder, a .csv or .npz file, or a name from `pellucid datasets`.")
    return _start(chosen, data, rest)


def options() -> argparse.ArgumentParser:
    """The options of a search, beside the settings."""
    usual = TuneOptions()
    made = parser(USAGE, ABOUT)
    made.usage = "pellucid tune DATA [options] [settings that are fixed]\n       pellucid tune --resume FOLDER"
    made.add_argument(
        "--space",
        help='what is searched: "lr=1e-5..1e-1 log, optimiser=sgd|adamw", or a TOML file with a [space] table; any '
        "setting (default: lr, weight_decay and label_smoothing)",
    )
    made.add_argument("--trials", type=int, default=0, help="how many in all (default 24, or what fits the minutes)")
    made.add_argument("--minutes", type=float, default=0.0, help="how long in all (default: no limit)")
    made.add_argument("--sampler", default=usual.sampler, help=f"{', '.join(SAMPLERS)} (default {usual.sampler})")
    made.add_argument("--pruner", default=usual.pruner, help=f"{', '.join(PRUNERS)} (default {usual.pruner})")
    made.add_argument("--coarse-epochs", type=int, default=usual.coarse_epochs, help="of a coarse trial (default 2)")
    made.add_argument(
        "--fine-epochs", type=int, default=usual.fine_epochs, help="of a fine one (default 10); 0: no fine"
    )
    made.add_argument("--cv", type=int, default=0, help="folds of cross-validation, for small data (default 0: none)")
    made.add_argument("--jobs", type=int, default=1, help="processes that share the work (default 1)")
    made.add_argument("--storage", default="", help="journal file or database URL (default: a journal in the folder)")
    add_task(made)
    made.add_argument("--out", help="folder of the search (default runs/<data>-tune)")
    made.add_argument("--config", help="TOML file with settings that are fixed; flags win over it")
    made.add_argument("--resume", metavar="FOLDER", help="go on with a search, or help others with it")
    made.add_argument("--worker-of", type=int, default=0, help=argparse.SUPPRESS)
    return made


def _start(chosen: argparse.Namespace, data: str, rest: list[str]) -> int:
    found = TuneOptions(**{name: getattr(chosen, name) for name in NAMES})
    from pellucid.core.progress import make_progress
    from pellucid.data.load import load, spec_of
    from pellucid.runs.setup.config import how_to_read, make_config, read_file

    content = read_file(chosen.config)
    stated = {word[2:].split("=")[0].replace("-", "_").removeprefix("no_") for word in rest if word.startswith("--")}
    refuse_other_stages(stated)
    group, strict = how_to_read(content, read_early(rest))
    source = load(data, group=group, strict=strict, task=chosen.task)
    name = source.kind if chosen.task == "auto" else chosen.task
    kind = CONFIGS[name]
    base: Any = make_config(kind, content, {"defaults": True} if "--defaults" in rest else {}, str(chosen.config))
    stated |= set(settings.stated(kind, content, str(chosen.config)))
    cfg = settings.parse_flags(kind, rest, base, "pellucid tune DATA", ABOUT)
    from pellucid.runs.searching.tune import start_search

    progress = make_progress(style(chosen))
    start_search(source, cfg, stated, (name, spec_of(source)), chosen.space, found, chosen.out, progress)
    return 0


def _resume(chosen: argparse.Namespace, data: str | None, rest: list[str]) -> int:
    from pellucid.core.progress import make_progress
    from pellucid.runs.searching.tune import refuse_beside_resume, resume_search

    usual = options().parse_args([])
    given = [
        name for name in (*NAMES, "space", "task", "out", "config") if getattr(chosen, name) != getattr(usual, name)
    ]
    given += [word[2:].split("=")[0] for word in rest if word.startswith("--")]
    refuse_beside_resume(given)
    resume_search(Path(chosen.resume), make_progress(style(chosen)), data, chosen.worker_of)
    return 0


def _help(made: argparse.ArgumentParser) -> int:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        made.print_help()
    print(said.getvalue().rstrip())
    print("\nEvery setting of `pellucid train` can be searched with --space, or fixed: see `pellucid train --help`.")
    return 0
