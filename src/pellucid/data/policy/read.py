"""Read a policy: TOML with one `[[step]]` table a step, in the order they are applied.

[[step]]
name = "rotate"
p = 0.5
degrees = 15
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.choose import choose, unknown
from pellucid.core.config import read_toml
from pellucid.core.errors import ConfigError
from pellucid.core.files import read_text
from pellucid.data.policy.steps import STEPS
from pellucid.data.policy.values import Number, Value

CHANCE = Number(1.0, 0, 1)
USUAL_CHANCE = {"flip": 0.5, "vflip": 0.5}  # mirrored always, nothing would be random


@dataclass(frozen=True)
class Step:
    """One step: its name, the probability of a picture to go through it, and every parameter."""

    name: str
    p: float
    values: tuple[tuple[str, Value], ...]

    @property
    def parameters(self) -> dict[str, Any]:
        """Name -> value."""
        return dict(self.values)


def resolve_policy(policy: str) -> str:
    """The policy in one line of TOML, every default filled in: what a run keeps, so that no file is needed again.

    Args:
        policy: a file's name that ends in .toml, or what this function returned; "" is none.

    Raises:
        ConfigError: there is no such file, it is no policy, or a step or a parameter does not fit.
        RunError: the file must not be read.
    """
    if not policy.strip():
        return ""
    if "\n" in policy or not policy.lower().endswith(".toml"):
        if "=" not in policy:
            raise ConfigError(f"policy must be a .toml file of [[step]] tables, got {policy!r}.")
        return in_one_line(read_policy(policy, "policy"))
    path = Path(policy).expanduser()
    if not path.is_file():
        raise ConfigError(f"No policy file {path}: it holds one [[step]] table a transform.")
    return in_one_line(read_policy(read_text(path), str(path)))


def read_policy(text: str, where: str) -> tuple[Step, ...]:
    """The steps of a policy, checked.

    Args:
        where: name of the file, for messages.

    Raises:
        ConfigError: it is no TOML, or a step or a parameter does not fit.
    """
    content = read_toml(text, where)
    if set(content) - {"step"}:
        raise ConfigError(f"{where}: {unknown(min(set(content) - {'step'}), ['step'], 'table')}")
    listed = content.get("step", [])
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise ConfigError(f"{where}: step must be tables, each headed [[step]].")
    steps = tuple(_read_step(each, f"{where}: step {number}") for number, each in enumerate(listed, 1))
    for number, step in enumerate(steps, 1):
        if STEPS[step.name].cuts and number > 1:
            raise ConfigError(
                f"{where}: step {number} ({step.name}) cuts the canvas, which the first step alone may do."
            )
        if STEPS[step.name].mixes and number < len(steps):
            raise ConfigError(f"{where}: step {number} ({step.name}) mixes pictures, which the last step alone may do.")
    return steps


def _read_step(table: Mapping[str, Any], where: str) -> Step:
    if "name" not in table:
        raise ConfigError(f"{where} has no name: write name = one of {', '.join(sorted(STEPS))}.")
    name = table["name"]
    try:
        kind = choose(name, STEPS, "transform")
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    known = {"name", *kind.parameters} | (set() if kind.cuts else {"p"})
    for given in table:
        if given not in known:
            raise ConfigError(f"{where}: {unknown(given, known - {'name'}, f'parameter of {name}')}")
    values = tuple(
        (key, parameter.read(table.get(key, parameter.default), f"{where}: {key} of {name}"))
        for key, parameter in kind.parameters.items()
    )
    chance = table.get("p", USUAL_CHANCE.get(name, CHANCE.default))
    return Step(name, CHANCE.read(chance, f"{where}: p of {name}"), values)


def in_one_line(steps: tuple[Step, ...]) -> str:
    """TOML that `read_policy` reads back as the same steps."""
    tables = []
    for step in steps:
        pairs = [("name", step.name)] + ([] if STEPS[step.name].cuts else [("p", step.p)]) + list(step.values)
        tables.append("{" + ", ".join(f"{key} = {_plain(value)}" for key, value in pairs) + "}")
    return f"step = [{', '.join(tables)}]"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return f"[{', '.join(map(repr, value))}]" if isinstance(value, tuple) else repr(value)
