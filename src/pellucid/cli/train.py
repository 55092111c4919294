"""The verb `pellucid train`."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.arguments import add_task, parser, style
from pellucid.cli.explain import explain_settings
from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.tasks import CONFIGS

if TYPE_CHECKING:
    from pellucid.data.source import Source

USAGE = "train DATA [--model M] [--epochs N] ..."
ABOUT = "train a model on a folder, file or named set"
OPTIONS = ("quiet", "json", "task", "out", "config", "resume", "overwrite", "plan")


def run(arguments: Sequence[str]) -> int:
    """Train; what happens is told on standard error, results are in the run folder."""
    words = list(arguments)
    made = options()
    data = words.pop(0) if words and not words[0].startswith("-") else None
    wants_help = bool({"-h", "--help"} & set(words))
    chosen, rest = made.parse_known_args([word for word in words if word not in ("-h", "--help")])
    if chosen.task != "auto":
        choose(chosen.task, CONFIGS, "task")
    if wants_help:
        return _help(made, chosen.task)
    kinds = list(CONFIGS.values()) if chosen.task == "auto" else [CONFIGS[chosen.task]]
    settings.refuse_unknown_flags(kinds, rest, OPTIONS)
    if chosen.resume:
        return _resume(chosen, data, rest)
    if data is None:
        loose = f" (DATA comes first; found {rest[-1]!r} at the end)" if rest and not rest[-1].startswith("-") else ""
        raise ConfigError(
            f"train needs DATA: a folder, a .csv or .npz file, or a name from `pellucid datasets`{loose}."
        )
    return _start(chosen, data, rest)


def options() -> argparse.ArgumentParser:
    """The options of a run, beside the settings."""
    made = parser(USAGE, ABOUT)
    made.usage = "pellucid train DATA [options] [settings]\n       pellucid train --resume RUN"
    add_task(made)
    made.add_argument("--out", help="run folder (default runs/<data>-<model>)")
    made.add_argument("--config", help="TOML file with settings, such as a run's config.toml; flags win over it")
    made.add_argument("--resume", metavar="RUN", help="go on with a run exactly where it stopped")
    made.add_argument(
        "--plan", metavar="PICTURE", type=Path, help="train nothing: say what would be done, and draw the rate (.svg)"
    )
    made.add_argument("--overwrite", action="store_true", help="replace the run that lies in --out")
    return made


def _start(chosen: argparse.Namespace, data: str, rest: list[str]) -> int:
    from pellucid.core.progress import make_progress
    from pellucid.data.load import spec_of

    source, cfg, name = read_settings(chosen, data, rest, "pellucid train DATA")
    progress = make_progress(style(chosen))
    if chosen.plan:
        from pellucid.runs.checking.plan import draw_plan

        draw_plan(source, cfg, name, chosen.plan, progress)
        return 0
    from pellucid.runs.train import start

    start(source, cfg, name, spec_of(source), progress, chosen.out, chosen.overwrite)
    return 0


def read_settings(chosen: argparse.Namespace, data: str, rest: list[str], prog: str) -> "tuple[Source, Any, str]":
    """Data, every setting, and the name of the task; from defaults, the file of `--config`, then flags.

    Args:
        chosen: has `task` and `config`.
        rest: the flags that are settings.

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    from pellucid.data.load import load
    from pellucid.runs.setup.config import how_to_read, make_config, read_file

    content = read_file(chosen.config)
    group, strict = how_to_read(content, read_early(rest))
    source = load(data, group=group, strict=strict, task=chosen.task)
    name = source.kind if chosen.task == "auto" else chosen.task
    kind = CONFIGS[name]
    _refuse_of_other_tasks(name, rest)
    base: Any = make_config(kind, content, {"defaults": True} if "--defaults" in rest else {}, str(chosen.config))
    return source, settings.parse_flags(kind, rest, base, prog, ABOUT), name


def _refuse_of_other_tasks(name: str, rest: list[str]) -> None:
    """Raise for a flag that is a setting of other tasks only, and say of which."""
    own = settings.settings(CONFIGS[name])
    for flag in (word.split("=", 1)[0] for word in rest if word.startswith("--")):
        setting = flag[2:].replace("-", "_").removeprefix("no_")
        of = [f"--task {other}" for other, kind in CONFIGS.items() if setting in settings.settings(kind)]
        if of and setting not in own:
            raise ConfigError(
                f"{flag} is a setting of {' and '.join(of)}, and this data is for --task {name}. Leave it out; "
                f"`pellucid train --help --task {name}` lists what there is."
            )


def _resume(chosen: argparse.Namespace, data: str | None, rest: list[str]) -> int:
    from pellucid.runs.setup.resume_rules import changes_of, refuse_beside_resume
    from pellucid.runs.stored.folder import read_config

    refuse_beside_resume(task=chosen.task != "auto", out=chosen.out is not None, overwrite=chosen.overwrite)
    refuse_beside_resume(plan=chosen.plan is not None)
    folder = Path(chosen.resume)
    cfg, _ = read_config(folder)
    asked = settings.flat(settings.parse_flags(type(cfg), rest, cfg, "pellucid train --resume RUN", ABOUT))
    now = settings.flat(cfg)
    changes = changes_of(folder, chosen.config, {name: value for name, value in asked.items() if value != now[name]})
    from pellucid.core.progress import make_progress
    from pellucid.runs.resume import resume_run

    resume_run(folder, changes, make_progress(style(chosen)), data)
    return 0


def read_early(rest: list[str]) -> dict[str, Any]:
    """Settings that the reader of the data needs before its task, and so its settings, are known."""
    found: dict[str, Any] = {}
    for word, following in itertools.zip_longest(rest, rest[1:], fillvalue=""):
        if word == "--group":
            found["group"] = following
        elif word.startswith("--group="):
            found["group"] = word.split("=", 1)[1]
        elif word in ("--strict", "--no-strict"):
            found["strict"] = word == "--strict"
    return found


def _help(made: argparse.ArgumentParser, task: str) -> int:
    made.print_help()
    name = "classify" if task == "auto" else task
    others = " and ".join(f"--task {other}" for other in CONFIGS if other != name)
    print(f"\nsettings of --task {name}, the same as keywords in Python and in a TOML file:\n")
    print(explain_settings(CONFIGS[name]))
    print(f"`pellucid train --help` with {others} explains those of other tasks.")
    return 0
