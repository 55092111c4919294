"""What a ladder has settled and spent so far: `ladder.json`, written after every step, so that it can be stopped."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.core.errors import ConfigError, RunError
from pellucid.core.files import read_json, write_json
from pellucid.runs.stored import folder as files

STATE = "ladder.json"
PAGE = "ladder.html"
PICTURE = "ladder.svg"


@dataclass
class Ledger:
    """The state of one ladder.

    Attributes:
        folder: where `ladder.json` and the run folders lie.
        asked: the arguments that decide what comes out, and the split.
        plan: rung -> `folders` of its runs, and `epochs` of each.
        spent: run folder, or another piece of work -> `cpu` and `wall` seconds.
        left_out: rung -> why.
        rows: of the table, once the test split was opened.
        openings: how often it was.
    """

    folder: Path
    asked: dict[str, Any]
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    spent: dict[str, dict[str, float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    openings: int = 0

    def save(self) -> None:
        """Write all of it."""
        write_json(self.folder / STATE, {name: value for name, value in vars(self).items() if name != "folder"})

    def spend(self, name: str, cpu: float, wall: float) -> None:
        """Add seconds to a piece of work."""
        before = self.spent.get(name, {"cpu": 0.0, "wall": 0.0})
        self.spent[name] = {"cpu": round(before["cpu"] + cpu, 3), "wall": round(before["wall"] + wall, 3)}
        self.save()

    @property
    def cpu_seconds(self) -> float:
        """Of everything so far."""
        return sum(each["cpu"] for each in self.spent.values())


def take_up(folder: Path, asked: dict[str, Any], overwrite: bool) -> Ledger:
    """The ladder that lies in the folder, or a new one.

    Raises:
        ConfigError: a ladder with other arguments lies there.
        RunError: something that is no ladder lies there, or `ladder.json` is damaged.
    """
    path = folder / STATE
    anew = overwrite and path.exists()
    if anew:
        remove(folder)
    if not path.exists():
        if not anew and (folder.is_file() or (folder.is_dir() and any(folder.iterdir()))):
            raise RunError(f"{folder} holds something that is no ladder. Choose another --out; nothing was changed.")
        made = Ledger(folder, asked)
        made.save()
        return made
    try:
        found = Ledger(folder, **read_json(path))
        other = [
            f"{name} {found.asked.get(name)!r} -> {asked[name]!r}"
            for name in asked
            if found.asked.get(name) != asked[name]
        ]
    except (TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged: it holds no ladder. Say --overwrite to begin anew.") from error
    if other:
        raise ConfigError(
            f"{folder} holds a ladder with other settings ({'; '.join(other)}). Choose another --out, or say "
            "--overwrite to begin anew."
        )
    return found


def remove(folder: Path) -> None:
    """Remove what a ladder wrote there, and nothing else."""
    for config in (*folder.glob(f"*/{files.CONFIG}"), *folder.glob(f"*/*/{files.CONFIG}")):
        files.clear(config.parent)
        for emptied in (config.parent, config.parent.parent):
            if emptied != folder and not any(emptied.iterdir()):
                emptied.rmdir()
    for name in (STATE, PAGE, PICTURE, files.OPENINGS):
        (folder / name).unlink(missing_ok=True)
