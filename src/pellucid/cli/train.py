"""The verb `pellucid train`."""

import argparse
import contextlib
from collections.abc import Sequence
from typing import Any

from pellucid.cli.arguments import parser, style
from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError

USAGE = "train DATA [--model M] [--epochs N] ..."
ABOUT = "train a model on a folder, file or named set"


def run(arguments: Sequence[str]) -> int:
    """Train; the run folder's path goes to standard error, results to the folder."""
    words = list(arguments)
    data = words.pop(0) if words and not words[0].startswith("-") else None
    made = options()
    if data is None and {"-h", "--help"} & set(words):
        return _help(made, words)
    chosen, rest = made.parse_known_args([word for word in words if word not in ("-h", "--help")])
    if {"-h", "--help"} & set(words):
        return _help(made, words)
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
    made.usage = "pellucid train DATA [options] [settings]"
    made.add_argument("--task", default="auto", help="classify or segment; auto goes by the labels of the data")
    made.add_argument("--out", help="run folder (default runs/<data>-<model>)")
    made.add_argument("--config", help="TOML file with settings, such as a run's config.toml; flags win over it")
    made.add_argument("--resume", metavar="RUN", help="go on with a run exactly where it stopped")
    made.add_argument("--overwrite", action="store_true", help="replace what lies in --out")
    return made


def _start(chosen: argparse.Namespace, data: str, rest: list[str]) -> int:
    from pellucid.core.progress import make_progress
    from pellucid.data.load import load
    from pellucid.tasks import CONFIGS

    early = _early(rest)
    source = load(data, group=early.get("group", ""), strict="--strict" in rest)
    name = source.kind if chosen.task == "auto" else chosen.task
    kind = choose(name, CONFIGS, "task")
    from pellucid.runs.config import make_config, spec_of

    base: Any = make_config(kind, chosen.config, {"defaults": True} if "--defaults" in rest else {})
    cfg = settings.parse_flags(kind, rest, base, "pellucid train DATA", ABOUT)
    from pellucid.runs.train import start

    start(source, cfg, name, spec_of(data), make_progress(style(chosen)), chosen.out, chosen.overwrite)
    return 0


def _resume(chosen: argparse.Namespace, data: str | None, rest: list[str]) -> int:
    from pathlib import Path

    from pellucid.core.progress import make_progress
    from pellucid.runs.folder import read_config
    from pellucid.runs.train import resume_run

    cfg, _ = read_config(Path(chosen.resume))
    asked = settings.flat(settings.parse_flags(type(cfg), rest, cfg, "pellucid train --resume RUN", ABOUT))
    now = settings.flat(cfg)
    changes = {name: value for name, value in asked.items() if value != now[name]}
    resume_run(Path(chosen.resume), changes, make_progress(style(chosen)), data)
    return 0


def _early(rest: list[str]) -> dict[str, str]:
    """Settings that the reader of the data needs before the task is known."""
    for place, word in enumerate(rest):
        if word == "--group" and place + 1 < len(rest):
            return {"group": rest[place + 1]}
        if word.startswith("--group="):
            return {"group": word.split("=", 1)[1]}
    return {}


def _help(made: argparse.ArgumentParser, words: list[str]) -> int:
    from pellucid.tasks import CONFIGS

    made.print_help()
    place = words.index("--task") + 1 if "--task" in words else 0
    name = words[place] if 0 < place < len(words) else "classify"
    print(f"\nsettings of --task {name}:")
    kind = choose(name, CONFIGS, "task")
    with contextlib.suppress(SystemExit):  # tyro prints the settings and exits
        settings.parse_flags(kind, ["--help"], kind(), "pellucid train DATA", "")
    return 0
