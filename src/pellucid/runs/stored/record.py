"""What a run folder holds, read when it is asked for."""

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.core.device import choose_device
from pellucid.core.errors import RunError
from pellucid.core.facts import DataFacts
from pellucid.core.files import read_json, read_lines, read_text
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.folder import Story
from pellucid.runs.stored.trained import Trained, load_trained


@dataclass
class Record:
    """A run folder, or a weights file alone (which can predict, and no more).

    Attributes:
        folder: the run folder, or the path of a weights file.
        device: where its model runs: auto, cpu, cuda, cuda:N or mps.
        splits, source: the data, once it was read in this process.
        weights: a file whose weights answer in place of the best ones, such as a snapshot of the same training.
    """

    folder: Path
    device: str = "auto"
    splits: Splits | None = field(default=None, repr=False)
    source: Source | None = field(default=None, repr=False)
    weights: Path | None = None

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)

    @cached_property
    def trained(self) -> Trained:
        """Model, task and facts, from the best weights or those of `weights`."""
        return load_trained(self.weights or self.folder, choose_device(self.device))

    @cached_property
    def config(self) -> Any:
        """The settings, every one resolved."""
        return files.read_config(self.folder)[0]

    @cached_property
    def story(self) -> Story:
        """Task and data of the run."""
        return files.read_config(self.folder)[1]

    @property
    def facts(self) -> DataFacts:
        """What the model knows of its data: classes, preprocessing, sizes of the splits."""
        return self.trained.facts

    @property
    def history(self) -> list[dict[str, Any]]:
        """One record an epoch: losses, metrics, rate."""
        records = read_lines(self.folder / files.METRICS, "kind", "epoch", "train_loss", "best")
        return [record for record in records if record["kind"] == "epoch"]

    @property
    def choices(self) -> list[dict[str, str]]:
        """The candidates that were tried before a model was fitted, every value as text; empty when none were."""
        path = self.folder / files.CHOICES
        return list(csv.DictReader(read_text(path).splitlines())) if path.exists() else []

    @property
    def verdicts(self) -> list[Verdict]:
        """Every verdict of the doctor.

        Raises:
            RunError: `doctor.json` is damaged.
        """
        path = self.folder / files.DOCTOR
        if not path.exists():
            return []
        try:
            return [Verdict(**verdict) for verdict in read_json(path)]
        except TypeError as error:
            raise RunError(f"{path} is damaged: it holds no verdicts. Restore it from a copy.") from error
