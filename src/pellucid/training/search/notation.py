"""Reading a space: from `lr=1e-5..1e-1 log, optimiser=sgd|adamw`, from a TOML file, or from Python.

    NAME=LOW..HIGH          a range; rates and decays on a logarithmic scale, the rest on a linear one
    NAME=LOW..HIGH log      a range on a stated scale (log or linear)
    NAME=10**U(-3,-6)       a range by its exponents, in either order
    NAME=A|B|C              a choice

Every name is a setting of the config, and both ends of a range and every value of a choice must be ones that the config
takes: what cannot be trained is refused before anything is.
"""

import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.core import config as settings
from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError
from pellucid.core.files import read_text
from pellucid.training.search.space import Axis, Choice, Float, Int, Space

# What multiplies or divides: half of it is as far as twice of it, so it is searched by its exponent.
LOG_BY_NATURE = frozenset({"lr", "weight_decay", "l1", "l2", "reg", "clip_norm", "batch", "gamma", "noise"})

# What a search cannot vary, and why not.
FIXED: dict[str, str] = {
    "epochs": "the stages say how long is trained: --coarse-epochs, --fine-epochs",
    "seed": "it decides the split, and candidates must be compared on the same pictures",
    "metric": "candidates must be compared by the same number",
    "val_fraction": "candidates must be compared on the same pictures",
    "test_fraction": "candidates must be compared on the same pictures",
    "stratify": "candidates must be compared on the same pictures",
    "split_seed": "candidates must be compared on the same pictures",
    "group": "candidates must be compared on the same pictures",
    "strict": "candidates must be compared on the same pictures",
    "allow_leaks": "it says what is let pass, not what is trained",
    "device": "it says where is trained, not what",
    "threads": "it says how is computed, not what",
    "deterministic": "it says how is computed, not what",
    "save_seconds": "it changes no result",
    "monitor": "it changes no result",
    "find_lr": "it is a search of its own; search lr",
    "defaults": "it is a set of other settings; name those",
    "backbone": "it is filled in by itself",
}

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*\.\.\s*({NUMBER})(?:\s+(\w+))?")
EXPONENTS = re.compile(rf"10\s*\*\*\s*(?:U|uniform)\s*\(\s*({NUMBER})\s*,\s*({NUMBER})\s*\)(?:\s+log)?")
SCALES = {"log": True, "linear": False}


def read_space(given: Any, cfg: Any) -> Space:
    """What is searched.

    Args:
        given: text as above; the name of a TOML file with a `[space]` table; or a mapping of names to text, lists of
            values, `{low, high, scale}`, or axes.
        cfg: the config that the settings belong to, with what is not searched as it will be.

    Raises:
        ConfigError: no such setting (the nearest are offered), or a range or value that it does not take.
    """
    if isinstance(given, str) and given.endswith(".toml"):
        given = _of_file(Path(given))
    entries = split_entries(given) if isinstance(given, str) else given
    if not isinstance(entries, Mapping) or not entries:
        raise ConfigError(f"A space names settings and where to search them: 'lr=1e-4..1e-1 log', got {given!r}.")
    return {str(name).replace("-", "_"): _axis(str(name).replace("-", "_"), v, cfg) for name, v in entries.items()}


def split_entries(text: str) -> dict[str, str]:
    """`a=1..2, b=10**U(1,2)` -> {"a": "1..2", "b": "10**U(1,2)"}: commas inside brackets do not separate.

    Raises:
        ConfigError: an entry has no `=`, or a name stands there twice.
    """
    found: dict[str, str] = {}
    for entry in (part.strip() for part in re.split(r",(?![^(\[]*[)\]])", text) if part.strip()):
        name, equals, value = (part.strip() for part in entry.partition("="))
        name = name.removeprefix("--").replace("-", "_")
        if not equals or not name or not value:
            raise ConfigError(f"Cannot read {entry!r} in a space: write NAME=LOW..HIGH or NAME=A|B.")
        if name in found:
            raise ConfigError(f"{name} stands twice in the space. Leave one of them out.")
        found[name] = value
    return found


def _of_file(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"No file {path} with a space. Write one with a [space] table, or give the space itself.")
    content = settings.read_toml(read_text(path), str(path))
    if not isinstance(content.get("space"), dict):
        raise ConfigError(f"{path} has no [space] table.")
    return content["space"]


def _axis(name: str, given: Any, cfg: Any) -> Axis:
    known = settings.settings(type(cfg))
    if name not in known:
        raise ConfigError(unknown(name, known, "setting"))
    if name in FIXED:
        raise ConfigError(f"{name} cannot be searched: {FIXED[name]}.")
    axis = _read(name, given, _number_of(known[name][1]))
    for value in axis.options if isinstance(axis, Choice) else (axis.low, axis.high):
        try:
            settings.change(cfg, {name: value})
        except ConfigError as error:
            raise ConfigError(f"Space {name}={axis.words()}: {error}") from error
    return axis


def _number_of(kind: Any) -> Any:
    """Of a setting that is a number or a word, such as `auto`: the number; of others what they are."""
    return next((part for part in typing.get_args(kind) if part in (int, float)), kind) if _is_union(kind) else kind


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _read(name: str, given: Any, kind: Any) -> Axis:
    if isinstance(given, (Float, Int, Choice)):
        return given
    if isinstance(given, Mapping):
        scale = given.get("scale", "log" if name in LOG_BY_NATURE else "linear")
        if not {"low", "high"} <= given.keys() <= {"low", "high", "scale"} or scale not in SCALES:
            raise ConfigError(f"Space {name}: a range has low, high and scale (log or linear), got {dict(given)!r}.")
        return _range(name, given["low"], given["high"], SCALES[scale], kind)
    if isinstance(given, str):
        return _of_text(name, given.strip(), kind)
    if isinstance(given, Sequence):
        return Choice(tuple(tuple(each) if isinstance(each, list) else _as_kind(each, kind) for each in given))
    raise ConfigError(f"Space {name}: give a range such as '1e-4..1e-1', or a list of values, got {given!r}.")


def _of_text(name: str, text: str, kind: Any) -> Axis:
    exponents = EXPONENTS.fullmatch(text)
    if exponents:
        low, high = (10 ** float(end) for end in exponents.groups())
        return _range(name, float(f"{low:.6g}"), float(f"{high:.6g}"), True, kind)
    found = RANGE.fullmatch(text)
    if found:
        low_text, high_text, scale = found.groups()
        if scale is not None and scale not in SCALES:
            raise ConfigError(f"Space {name}={text}: {unknown(scale, SCALES, 'scale')}")
        log = name in LOG_BY_NATURE if scale is None else SCALES[scale]
        return _range(name, float(low_text), float(high_text), log, kind)
    options = [part.strip() for part in text.split("|")]
    if len(options) < 2 or not all(options):
        raise ConfigError(f"Cannot read {text!r} as a space of {name}: write LOW..HIGH, or values as A|B.")
    return Choice(tuple(_as_kind(_plain(option, kind), kind) for option in options))


def _range(name: str, low: Any, high: Any, log: bool, kind: Any) -> Axis:
    if kind not in (int, float):
        raise ConfigError(f"{name} is no number and has no range: give its values, {name}=A|B.")
    for end in (low, high):
        if not settings.is_number(end):
            raise ConfigError(f"Space {name}: the ends of a range are numbers, got {end!r}.")
    if kind is float:
        return Float(float(low), float(high), log)
    if float(low) != round(low) or float(high) != round(high):
        raise ConfigError(f"{name} is a whole number, and so are the ends of its range, got {low:g}..{high:g}.")
    return Int(round(low), round(high), log)


def _plain(text: str, kind: Any) -> Any:
    """`true`, `3`, `[1, 2]` as JSON has them; the rest, and every value of a setting that is text, as it stands."""
    if kind is str:
        return text
    try:
        value = json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except ValueError:
        return float(text) if re.fullmatch(NUMBER, text) else text
    return tuple(value) if isinstance(value, list) else value


def _as_kind(value: Any, kind: Any) -> Any:
    """A whole number as the real one it is meant to be."""
    return float(value) if kind is float and settings.is_number(value) else value
