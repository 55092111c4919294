"""The commands that README and docs tell people to run exist, with the options they show."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import references

PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md")


@cache
def help_of(verb: str) -> str:
    words = [str(Path(sys.executable).with_name("pellucid")), verb, "--help"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def commands(root: Path) -> list[tuple[str, str]]:
    """(page, command) of every page for people."""
    paths = sorted({path for pattern in PAGES for path in root.glob(pattern)})
    return [(path.name, command) for path in paths for command in references.commands(path.read_text(encoding="utf-8"))]


def test_every_command_is_there(commands: list[tuple[str, str]], root: Path) -> None:
    assert ("README.md", "make test") in [(page, command.split("  ")[0]) for page, command in commands]
    wrong = [f"{page}: {command}: {why}" for page, command in commands if (why := references.missing(command, root))]
    assert not wrong, "\n".join(wrong)


def test_every_option_of_a_verb_is_there(commands: list[tuple[str, str]]) -> None:
    wrong = []
    for page, command in commands:
        found = re.search(r"\bpellucid ([a-z]+)\b(.*)", command.split("#")[0])
        for option in re.findall(r"(?<=\s)--[a-z][\w-]*", found[2]) if found else []:
            if found and option not in help_of(found[1]):
                wrong.append(f"{page}: {command}: {option}")
    assert not wrong, "\n".join(wrong)
