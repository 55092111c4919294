"""What the verbs share in reading their arguments."""

import argparse
from difflib import get_close_matches
from typing import Any, NoReturn

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Style
from pellucid.tasks import CONFIGS


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ours: one line, exit code 2."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Like argparse's, but a flag that does not exist is answered with the nearest ones."""
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            flags = [flag for action in self._actions for flag in action.option_strings]
            near = get_close_matches(rest[0].split("=", 1)[0], flags, n=2, cutoff=0.6)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            what = "option" if rest[0].startswith("-") else "argument"
            raise ConfigError(f"Unknown {what} {rest[0]}.{hint} {self._usage()}")
        return found

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}. {self._usage()}")

    def _usage(self) -> str:
        return f"Usage: {self.format_usage().removeprefix('usage: ').strip()}"


def parser(usage: str, about: str) -> Parser:
    """A parser for one verb, with `--quiet` and `--json`."""
    made = Parser(prog=f"pellucid {usage.split()[0]}", description=about, allow_abbrev=False)
    made.add_argument("--quiet", action="store_true", help="say nothing but errors")
    made.add_argument("--json", action="store_true", help="print JSON for programs, nothing for people")
    return made


def add_task(made: argparse.ArgumentParser) -> None:
    """Add `--task`."""
    *most, last = CONFIGS
    said = f"{', '.join(most)} or {last}; auto goes by the labels of the data"
    made.add_argument("--task", default="auto", help=said)


def style(options: argparse.Namespace) -> Style:
    """How progress is shown."""
    return "json" if options.json else "quiet" if options.quiet else "auto"
