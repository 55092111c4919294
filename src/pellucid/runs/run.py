"""A run: a folder one can ask things of."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.core.facts import DataFacts
from pellucid.core.files import read_lines
from pellucid.core.progress import Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.runs import folder as files
from pellucid.runs.folder import Story
from pellucid.runs.trained import Trained, load_trained


@dataclass
class Run:
    """A run folder, or a weights file alone (which can predict, and no more).

    Attributes:
        folder: the run folder, or the path of a weights file.
        splits, source: the data, when this run was made by `train` in the same process.
    """

    folder: Path
    splits: Splits | None = field(default=None, repr=False)
    source: Source | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)

    @cached_property
    def trained(self) -> Trained:
        """Model, task and facts, from the best weights."""
        return load_trained(self.folder)

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
        return [r for r in read_lines(self.folder / files.METRICS) if r["kind"] == "epoch"]

    @property
    def verdicts(self) -> list[Verdict]:
        """Every verdict of the doctor."""
        path = self.folder / files.DOCTOR
        return [Verdict(**v) for v in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []

    def evaluate(self, data: Any = None, split: str = "test", progress: Style = "quiet") -> dict[str, Any]:
        """Metrics on a split of the run's data, or on other data. Opening the test split is logged.

        Returns:
            The summary of the task: its metrics, tables, and mean losses.
        """
        from pellucid.runs.evaluate import evaluate_run

        return evaluate_run(self, data, split, make_progress(progress)).summary

    def predict(self, *images: Any) -> list[Any]:
        """Results for files, folders, globs, PIL images, arrays or tensors, in order."""
        from pellucid.runs.predict import predict_images

        return predict_images(self.trained, images)

    def verify(self) -> list[Verdict]:
        """Predict the stored examples again; a `fail` among the verdicts means that something changed."""
        from pellucid.runs.verify import verify_run

        return verify_run(self)

    def report(self) -> Path:
        """Write `report.html` anew and return its path."""
        from pellucid.runs.report import write_report

        return write_report(self, self.splits)

    def _repr_html_(self) -> str:
        """A few lines for a notebook."""
        import html

        last = self.history[-1] if self.history else {}
        rows = {"run": self.folder, "task": self.story.task, "model": self.config.model.model, **last}
        cells = "".join(
            f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items()
        )
        return f"<table>{cells}</table>"
