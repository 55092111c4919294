"""The verb `pellucid check`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.cli.arguments import Parser, add_task, parser, style
from pellucid.cli.train import read_settings
from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.tasks import CONFIGS

if TYPE_CHECKING:
    from pellucid.runs.checking.checked import Checked

USAGE = "check DATA [--model M] ..."
ABOUT = "look at data, and at a model before it is trained; or at a run"
OPTIONS = ("quiet", "json", "task", "config", "save", "rules", "fail-on")
SIGNS = {"fail": "FAIL", "warn": "WARN", "info": "note", "pass": "pass"}


def run(arguments: Sequence[str]) -> int:
    """Print the verdicts; 1 when one of them failed."""
    words = list(arguments)
    made = _parser()
    data = words.pop(0) if words and not words[0].startswith("-") else None
    chosen, rest = made.parse_known_args(words)
    if chosen.rules:
        return _rules(chosen)
    if chosen.task != "auto":
        choose(chosen.task, CONFIGS, "task")
    kinds = list(CONFIGS.values()) if chosen.task == "auto" else [CONFIGS[chosen.task]]
    settings.refuse_unknown_flags(kinds, rest, OPTIONS, "check")
    if data is None:
        raise ConfigError("check needs DATA (a folder, a file, a name from `pellucid datasets`) or a run folder.")
    found = _check(chosen, data, rest)
    return _tell(found, chosen)


def _parser() -> Parser:
    made = parser(USAGE, ABOUT)
    made.usage = (
        "pellucid check DATA [options] [settings of train]\n       pellucid check RUN\n       pellucid check --rules"
    )
    made.epilog = "With --model M (auto for the usual one) the model is looked at too, by a few steps of training it."
    add_task(made)
    made.add_argument("--config", help="TOML file with settings, such as a run's config.toml; flags win over it")
    made.add_argument("--save", metavar="FOLDER", type=Path, help="write a page, sheets of pictures and a table there")
    made.add_argument("--fail-on", choices=("fail", "warn"), default="fail", help="what ends with exit code 1")
    made.add_argument("--rules", action="store_true", help="list every rule and what it looks for")
    return made


def _check(chosen: argparse.Namespace, data: str, rest: list[str]) -> "Checked":
    from pellucid.core.progress import make_progress
    from pellucid.runs.checking.checked import require_own
    from pellucid.runs.stored.folder import is_run

    if chosen.save:
        require_own(chosen.save)  # before the work, not after it
    progress = make_progress(style(chosen))
    if is_run(Path(data)):
        from pellucid.runs.checking.check import refuse_beside_run
        from pellucid.runs.checking.of_run import check_run

        stated = [word[2:].split("=")[0] for word in rest if word.startswith("--")]
        others = ["config"] * bool(chosen.config) + ["task"] * (chosen.task != "auto")
        refuse_beside_run(data, stated + others)
        return check_run(Path(data), progress)
    source, cfg, name = read_settings(chosen, data, rest, "pellucid check DATA")
    from pellucid.runs.checking.check import check_source
    from pellucid.runs.setup.config import read_file

    stated_model = any(word == "--model" or word.startswith("--model=") for word in rest)
    in_file: Any = read_file(chosen.config).get("model", {})
    return check_source(source, cfg, name, stated_model or "model" in in_file, progress)


def _tell(found: "Checked", chosen: argparse.Namespace) -> int:
    from pellucid.cli.output import print_json, print_table

    page = found.save(chosen.save) if chosen.save else None
    verdicts = found.verdicts
    if chosen.json:
        print_json({**found.as_dict(), "page": str(page) if page else None})
    elif not chosen.quiet:
        if verdicts:
            print_table([{"": SIGNS[v.status], "rule": v.rule, "evidence": v.evidence} for v in verdicts])
        for verdict in (v for v in verdicts if v.status != "pass" and (v.cause or v.cure)):
            print(f"\n{SIGNS[verdict.status]} {verdict.rule}")
            print(f"  likely cause: {verdict.cause}" if verdict.cause else "  likely cause: not known")
            print(f"  what to do: {verdict.cure}" * bool(verdict.cure))
        if found.notes:
            print("", *found.notes, sep="\n")
        print(f"\n{_sum(found)}" + f"\nPage: {page}" * (page is not None))
    bad = ("fail", "warn") if chosen.fail_on == "warn" else ("fail",)
    return int(any(verdict.status in bad for verdict in verdicts))


def _sum(found: "Checked") -> str:
    """One line: how many of each, and how long it took."""
    counts = {word: sum(v.status == status for v in found.verdicts) for status, word in _WORDS.items()}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing was found"
    times = ", ".join(f"{part} {value:.1f} s" for part, value in found.seconds.items())
    data = "" if found.findings or found.splits is None or said.startswith("nothing") else "; nothing in the data"
    return f"{found.name}: {said}{data} ({times})."


_WORDS = {"fail": "failed", "warn": "to look at", "info": "to know", "pass": "passed"}


def _rules(chosen: argparse.Namespace) -> int:
    from pellucid.cli.output import print_json, print_table
    from pellucid.doctor.rules import RULES

    if chosen.json:
        print_json(RULES)
    elif not chosen.quiet:
        print_table([{"rule": rule, "looks for": looks_for} for rule, looks_for in RULES.items()])
    return 0
