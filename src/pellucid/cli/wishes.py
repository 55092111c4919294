"""What the tasks' predictions can be asked for, as flags. Needs no torch."""

import argparse
from typing import get_type_hints

from pellucid.tasks import WISHES
from pellucid.tasks.wishes import helps, names


def add_wishes(made: argparse.ArgumentParser) -> None:
    """Add the flags of every task to a verb: which of them fit is known once the run is read."""
    by_name: dict[str, list[str]] = {}
    for task, kind in WISHES.items():
        for name in names(kind):
            by_name.setdefault(name, []).append(task)
    for tasks in sorted({tuple(each) for each in by_name.values()}):
        group = made.add_argument_group(f"of runs that {' or '.join(tasks)}")
        for name in (name for name, those in by_name.items() if tuple(those) == tasks):
            _add(group, name, tasks)


def _add(group: argparse._ArgumentGroup, name: str, tasks: tuple[str, ...]) -> None:
    flag, kinds = "--" + name.replace("_", "-"), [WISHES[task] for task in tasks]
    if get_type_hints(kinds[0])[name] is bool:
        group.add_argument(flag, action="store_true", default=None, help=helps(kinds[0])[name].replace("%", "%%"))
        return
    first, *others = (f"{helps(kind)[name]} (default: {_shown(getattr(kind(), name))})" for kind in kinds)
    differing = [f" Of runs that {task}: {said}" for task, said in zip(tasks[1:], others, strict=True) if said != first]
    shown = first + "".join(differing)
    group.add_argument(flag, metavar=name.upper().replace("_", "-"), help=shown.replace("%", "%%"))


def _shown(value: object) -> object:
    return "none" if value == "" else value


def asked_for(options: argparse.Namespace) -> dict[str, str | bool]:
    """The wishes among the options that were given: name -> what was written."""
    every = [name for kind in WISHES.values() for name in names(kind)]
    return {name: getattr(options, name) for name in every if getattr(options, name) is not None}
