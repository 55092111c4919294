"""What the verbs share in reading their arguments."""

import argparse
from typing import NoReturn

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Style


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ours: one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(
            f"{message[:1].upper()}{message[1:]}. Usage: {self.format_usage().removeprefix('usage: ').strip()}"
        )


def parser(usage: str, about: str) -> Parser:
    """A parser for one verb, with `--quiet` and `--json`."""
    made = Parser(prog=f"pellucid {usage.split()[0]}", description=about, allow_abbrev=False)
    made.add_argument("--quiet", action="store_true", help="say nothing but errors")
    made.add_argument("--json", action="store_true", help="print JSON for programs, nothing for people")
    return made


def style(options: argparse.Namespace) -> Style:
    """How progress is shown."""
    return "json" if options.json else "quiet" if options.quiet else "auto"
