"""Settings: one frozen dataclass a section, and the three ways to write them: Python, flags, TOML.

A task's config is a dataclass whose fields are sections (dataclasses too). Names are unique across
sections, so users write `lr=0.1` or `--lr 0.1` and never need to know the section; TOML files keep the
sections as tables. The docstring below each field is its `--help`.
"""

import dataclasses
import math
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, TypeVar

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError

Config = TypeVar("Config")

OUR_WORDS = (  # what tyro says of a wrong flag -> what we say
    (r"Error parsing (\S+): invalid literal for int\(\) with base 10: (.*)", r"\1 needs a whole number, got \2"),
    (r"Error parsing (\S+): could not convert string to float: (.*)", r"\1 needs a number, got \2"),
    (r"Error parsing (\S+): Could not (?:find valid parse for|parse) arguments:? (\[[^\]]*\]).*", r"\1 cannot be \2"),
    (
        r"Error parsing (\S+): no type matching INT\|\{(\w+)\} could be instantiated from \['(.*?)'\].*",
        r"\1 needs a whole number or \2, got '\3'",
    ),
    (r"Unrecognized options: (.*)", r"\1 means nothing here"),
    (r"Missing value for argument '(\S+)'\. Expected (\d+) values?", r"\1 needs \2 value(s)"),
    (r"invalid choice (\S+) for argument '(\S+)'\. Expected one of \((.*)\)", r"\2 cannot be \1: use one of \3"),
)


def sections(config: type) -> dict[str, type]:
    """Section name -> its dataclass."""
    hints = typing.get_type_hints(config)
    return {field.name: hints[field.name] for field in dataclasses.fields(config)}


def settings(config: type) -> dict[str, tuple[str, Any]]:
    """Setting name -> (section it lies in, its type), for every setting of a config.

    Raises:
        TypeError: two sections have a setting of the same name (a programming error).
    """
    found: dict[str, tuple[str, Any]] = {}
    for section, kind in sections(config).items():
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if field.name in found:
                raise TypeError(f"{field.name} lies in both {found[field.name][0]} and {section}")
            found[field.name] = (section, hints[field.name])
    return found


def change(config: Config, values: Mapping[str, Any]) -> Config:
    """A copy of `config` with the named settings changed, whichever sections they lie in.

    Raises:
        ConfigError: a name is unknown (the nearest are offered), a value has the wrong type, or the
            section's own `__post_init__` refuses it.
    """
    known = settings(type(config))
    by_section: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(unknown(name, known, "setting"))
        section, kind = known[name]
        by_section.setdefault(section, {})[name] = _checked(name, value, kind)
    changed = {section: dataclasses.replace(getattr(config, section), **part) for section, part in by_section.items()}
    return _finite(dataclasses.replace(config, **changed))  # type: ignore[type-var]


def as_dict(config: Any) -> dict[str, dict[str, Any]]:
    """Section -> setting -> value, in plain JSON types."""
    return {
        section: {name: _plain(value) for name, value in vars(getattr(config, section)).items()}
        for section in sections(type(config))
    }


def flat(config: Any) -> dict[str, Any]:
    """Setting -> value, without the sections."""
    return {name: value for part in as_dict(config).values() for name, value in part.items()}


def from_dict(config: type[Config], content: Mapping[str, Any], where: str) -> Config:
    """The inverse of `as_dict`. Settings that are left out keep their defaults.

    Args:
        where: name of the file the content came from, for messages.

    Raises:
        ConfigError: unknown section or setting, or a value that does not fit.
    """
    try:
        return change(config(), stated(config, content, where))
    except ConfigError as error:
        raise error if str(error).startswith(where) else ConfigError(f"{where}: {error}") from error


def stated(config: type, content: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings that a file names, without their sections.

    Raises:
        ConfigError: unknown section or setting.
    """
    values: dict[str, Any] = {}
    known = sections(config)
    for section, part in content.items():
        if section not in known:
            raise ConfigError(f"{where}: {unknown(section, known, 'section')}")
        if not isinstance(part, Mapping):
            raise ConfigError(f"{where}: {section} must be a table of settings, got {part!r}.")
        inside = {field.name for field in dataclasses.fields(known[section])}
        for name, value in part.items():
            if name not in inside:
                raise ConfigError(f"{where}: {unknown(name, inside, f'setting in [{section}]')}")
            values[name] = value
    return values


def to_toml(config: Any) -> str:
    """The config as TOML text, every setting written out."""
    import tomli_w

    return tomli_w.dumps(as_dict(config))


def read_toml(text: str, where: str) -> dict[str, Any]:
    """Parse TOML text.

    Raises:
        ConfigError: it is no TOML; the message has line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is no valid TOML: {error}.") from error


def parse_flags(config: type[Config], arguments: Sequence[str], base: Config, prog: str, about: str) -> Config:
    """Read command-line flags on top of `base`.

    Unknown flags are refused in one line with the nearest names; `--help` prints and exits.

    Args:
        prog: how the command begins, `pellucid VERB ...`.

    Raises:
        ConfigError: an unknown flag, or a value that does not fit.
    """
    import contextlib
    import io

    import tyro

    refuse_unknown_flags([config], arguments, verb=prog.split()[1])
    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured):
            read = tyro.cli(
                config,
                args=list(arguments),
                default=base,
                prog=prog,
                description=about,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
            )
        return _finite(read)
    except SystemExit as stop:
        if not stop.code:
            raise
        if said := _said_by_us(stop):
            raise said from stop
        raise ConfigError(_one_line(captured.getvalue(), prog.split()[1])) from stop


def _said_by_us(stop: BaseException) -> ConfigError | None:
    """The refusal of a section's `__post_init__`, which the parser of flags wraps into its own words."""
    error: BaseException | None = stop
    while error is not None:
        if isinstance(error, ConfigError):
            return error
        error = error.__cause__ or error.__context__
    return None


def refuse_unknown_flags(
    configs: Iterable[type], arguments: Sequence[str], others: Iterable[str] = (), verb: str = "train"
) -> None:
    """Refuse a flag that no config has a setting for, before anything is read.

    Args:
        others: flags that are no settings, without dashes; they are allowed and offered too.
        verb: of the command line, whose help is pointed at.

    Raises:
        ConfigError: an unknown flag; the nearest are offered.
    """
    kinds = {name.replace("_", "-"): kind for config in configs for name, (_, kind) in settings(config).items()}
    names = {*kinds, *(f"no-{name}" for name, kind in kinds.items() if kind is bool), *others}
    for argument in arguments:
        flag = argument[2:].split("=", 1)[0].replace("_", "-")
        if argument.startswith("--") and flag not in names | {"help"}:
            near = get_close_matches(flag, sorted(names), n=2, cutoff=0.5)
            hint = f" Did you mean {' or '.join('--' + name for name in near)}?" if near else ""
            raise ConfigError(f"Unknown option --{flag}.{hint} {_where_all_stand(verb)}")


def _where_all_stand(verb: str) -> str:
    """Which help lists what a verb takes: the settings are explained once, at `train`."""
    if verb == "train":
        return "`pellucid train --help` lists all."
    return f"`pellucid {verb} --help` lists the options of {verb}, `pellucid train --help` the settings."


def _one_line(box: str, verb: str) -> str:
    """The text inside tyro's error box, without frame, title (the first line) and long help, in words of our own."""
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    text = " ".join([line for line in lines if line.strip("-")][1:])
    text = text.split("Argument helptext")[0].split("For full helptext")[0].split("Perhaps you meant")[0]
    for theirs, ours in OUR_WORDS:
        text = re.sub(theirs, ours, text)
    text = text.strip(" .")
    return f"{text}. {_where_all_stand(verb)}" if text.endswith("means nothing here") else f"{text}."


def _finite(config: Config) -> Config:
    """Refuse infinities, which no setting has a use for, and which JSON and so the weights file cannot hold."""
    for name, value in flat(config).items():
        for number in value if isinstance(value, list) else [value]:
            require(not isinstance(number, float) or math.isfinite(number), name, "a finite number", number)
    return config


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _checked(name: str, value: Any, kind: Any) -> Any:
    """`value` as the type of the setting, or a ConfigError that says what is allowed."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        for option in inner:
            try:
                return _checked(name, value, option)
            except ConfigError:
                continue
    elif origin is typing.Literal:
        if value in inner:
            return value
        raise ConfigError(unknown(str(value), map(str, inner), f"value of {name}"))
    elif origin is tuple and isinstance(value, (list, tuple)):
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) == len(value):
            return tuple(_checked(name, part, part_kind) for part, part_kind in zip(value, kinds, strict=True))
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif kind is bool and isinstance(value, bool):
        return value
    elif isinstance(kind, type) and isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ConfigError(f"{name} must be {_in_words(kind)}, got {value!r} ({type(value).__name__}).")


def _in_words(kind: Any) -> str:
    """A type as a message says it: `int`, `int or 'auto'`."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_in_words, inner))
    if origin is typing.Literal:
        return " or ".join(map(repr, inner))
    return getattr(kind, "__name__", str(kind)) if origin is None else str(kind)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, of Python or NumPy. True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether it is a finite real number, of Python or NumPy. True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def require(fits: bool, name: str, allowed: str, got: Any) -> None:
    """For `__post_init__`: refuse a value in the one form all settings use.

    Raises:
        ConfigError: `fits` is false.
    """
    if not fits:
        raise ConfigError(f"{name} must be {allowed}, got {got!r}.")
