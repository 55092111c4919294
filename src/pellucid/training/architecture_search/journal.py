"""What was evaluated, a line each, so that a search that was stopped goes on and repeats nothing.

A line is a JSON object: the cell in canonical form, the seed, the role of the pictures it was scored on, the numbers of
the plan, the accuracy, and the CPU seconds it took. A search depends on its seed and on the accuracies it is given, so
over its journal it goes the same way again, up to where it was stopped, and then on.
"""

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.core.errors import RunError
from pellucid.core.files import append_line, read_lines
from pellucid.data.source import Source
from pellucid.models.classify.genotype import Genotype
from pellucid.training.architecture_search.evaluate import Held, Part, Plan, accuracy_of, parts

Key = tuple[Any, ...]


@dataclass
class Journal:
    """Evaluations in a file of JSON lines, each paid for once.

    Attributes:
        path: the file; it may not be there yet. Lines that are damaged are as if they were not there.
        source: the pictures; None reads only, and then what is not in the file cannot be had.
        lines: what the file holds.
    """

    path: Path
    source: Source | None = None
    lines: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        needed = ("cell", "seed", "role", "accuracy", "cpu_seconds", *Plan.__dataclass_fields__)
        self.lines = [line for line in read_lines(self.path, *needed) if _sound(line)]
        self._known = {_key(line): line["accuracy"] for line in reversed(self.lines)}  # of two, the first counts
        self._parts: dict[tuple[Plan, int, Held], tuple[Part, Part]] = {}

    def accuracy(self, cell: Genotype, plan: Plan, seed: int, role: Held = "val") -> float:
        """The accuracy in [0, 1] of a cell trained by `plan`; read where it is known, else found and written down.

        Raises:
            RunError: it is not in the file, and there is no source.
            DataError: the source has too few pictures.
            WriteError: the file cannot be written.
        """
        cell = cell.canonical()
        line = {"cell": str(cell), "seed": seed, "role": role, **asdict(plan)}
        if _key(line) not in self._known:
            if self.source is None:
                raise RunError(f"{self.path} has no line for the cell {cell}, seed {seed}: finish the search first.")
            began = time.process_time()
            accuracy = self.again(cell, plan, seed, role)
            line |= {"accuracy": accuracy, "cpu_seconds": round(time.process_time() - began, 2)}
            self._write(line)
            self._known[_key(line)] = accuracy
        return float(self._known[_key(line)])

    def again(self, cell: Genotype, plan: Plan, seed: int, role: Held = "val") -> float:
        """The accuracy, trained anew, whatever is known; nothing is written.

        Raises:
            RunError: there is no source.
            DataError: the source has too few pictures.
        """
        if self.source is None:
            raise RunError(f"{self.path} is open for reading alone: nothing can be trained without pictures.")
        if (plan, seed, role) not in self._parts:
            self._parts = {(plan, seed, role): parts(self.source, plan, seed, role)}  # one seed's at a time
        return accuracy_of(cell.canonical(), *self._parts[plan, seed, role], plan, seed)

    def _write(self, line: dict[str, Any]) -> None:
        if _cut(self.path):
            append_line(self.path, "")  # ends the line that a kill has cut, or this one would be lost with it
        append_line(self.path, json.dumps(line))
        self.lines.append(line)


def _key(line: dict[str, Any]) -> Key:
    return tuple(line[name] for name in ("cell", "seed", "role", *Plan.__dataclass_fields__))


def _sound(line: dict[str, Any]) -> bool:
    """Whether it can be one of ours: a number in [0, 1], and a key of plain values."""
    accuracy = line["accuracy"]
    plain = all(isinstance(value, (str, int, float)) for value in _key(line))
    return plain and isinstance(accuracy, (int, float)) and math.isfinite(accuracy) and 0 <= accuracy <= 1


def _cut(path: Path) -> bool:
    """Whether the last line has no end."""
    if not path.exists() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, 2)
        return file.read(1) != b"\n"
