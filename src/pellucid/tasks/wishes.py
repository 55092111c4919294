"""What can be asked of a prediction: a frozen dataclass of each task, filled from keywords or from flags.

A task derives its own from `Wishes`. As with settings, the docstring below each field is its `--help`.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.task import Wishes


def grant(kind: type[Wishes], values: Mapping[str, Any], task: str) -> Wishes:
    """The wishes of a task, from keywords.

    Raises:
        ConfigError: the task's predictions take no such wish (the message lists what they take), or a value does not
            fit.
    """
    for name in values:
        if name not in names(kind):
            taken = ", ".join(names(kind)) or "none"
            raise ConfigError(f"Predictions of task {task} take no option {name}. Options they take: {taken}.")
    section = _section(kind)
    return settings.change(section(), values).wishes


def grant_flags(kind: type[Wishes], texts: Mapping[str, str | bool], task: str) -> Wishes:
    """The wishes of a task, from the words of a command line.

    Args:
        texts: name with underscores -> what was written behind its flag; True for a flag that takes no value.

    Raises:
        ConfigError: as `grant`.
    """
    words = []
    for name, text in texts.items():
        flag = "--" + name.replace("_", "-")
        if name not in names(kind):
            taken = ", ".join("--" + each.replace("_", "-") for each in names(kind)) or "none"
            raise ConfigError(f"Predictions of task {task} take no {flag}. Options they take: {taken}.")
        words += [flag] if text is True else [flag, str(text)]
    if not words:  # the parser of flags takes its time
        return kind()
    section = _section(kind)
    read = settings.parse_flags(section, words, section(), "pellucid predict RUN IMAGES", "")
    return read.wishes


def names(kind: type[Wishes]) -> tuple[str, ...]:
    """The fields, in the order they are written in."""
    return tuple(field.name for field in dataclasses.fields(kind))


def helps(kind: type[Wishes]) -> dict[str, str]:
    """Field -> the docstring below it, in one line."""
    if not names(kind):
        return {}
    found = {}
    for each in reversed(kind.__mro__[:-1]):  # what is inherited is written in another class
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
                found[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[attr-defined]
    return found


def _section(kind: type[Wishes]) -> type:
    """A config whose only section are the wishes, so that values are read and checked as settings are."""
    wishes = dataclasses.field(default_factory=kind)
    return dataclasses.make_dataclass("Asked", [("wishes", kind, wishes)], frozen=True)
