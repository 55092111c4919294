"""Which words of a command line are runs, and which is data. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from pellucid.core.errors import ConfigError
from pellucid.runs.stored import folder as files

WEIGHTS = (".safetensors", ".pth", ".pt", ".bin")


def runs_and_data(words: Sequence[str]) -> tuple[list[str], str | None]:
    """Runs come first, at least one; one word of data may follow.

    Raises:
        ConfigError: something stands between runs, or after the data; or a run is given twice.
    """
    runs = list(words[:1])
    for word in words[1:]:
        if not names_a_run(word):
            break
        runs.append(word)
    rest = words[len(runs) :]
    if len(rest) > 1:
        raise ConfigError(
            f"{rest[0]} is no run, and DATA comes last, once. `pellucid runs` lists runs, `pellucid datasets` data."
        )
    places = [Path(run).absolute() for run in runs]
    if twice := next((run for number, run in enumerate(runs) if places[number] in places[:number]), None):
        raise ConfigError(f"{twice} is given twice: it would count double in every mean. Leave one of the two out.")
    return runs, rest[0] if rest else None


def names_a_run(word: str) -> bool:
    """Whether it is a run folder, a weights file, or packaged weights; data is never one of these."""
    path = Path(word)
    if path.is_dir():
        return files.is_run(path) or (path / files.WEIGHTS).exists()
    return path.suffix in WEIGHTS or (word in files.PACKAGED and not path.exists())
