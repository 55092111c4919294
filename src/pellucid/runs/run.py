"""A run: a folder one can ask things of."""

import html
from pathlib import Path
from typing import Any

from pellucid.core.progress import Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.runs.evaluate import evaluate_run
from pellucid.runs.predict import predict_images
from pellucid.runs.record import Record
from pellucid.runs.report import write_report
from pellucid.runs.verify import verify_run


class Run(Record):
    """A run folder, or a weights file alone (which can predict, and no more), with everything it can do."""

    def evaluate(self, data: Any = None, split: str = "test", progress: Style = "quiet") -> dict[str, Any]:
        """Metrics on a split of the run's data, or on other data. Opening the test split is logged.

        Returns:
            The summary of the task: its metrics, tables, and mean losses.
        """
        return evaluate_run(self, data, split, make_progress(progress)).summary

    def predict(self, *images: Any) -> list[Any]:
        """Results for files, folders, globs, PIL images, arrays or tensors, in order."""
        return predict_images(self.trained, images)

    def verify(self) -> list[Verdict]:
        """Predict the stored examples again; a `fail` among the verdicts means that something changed."""
        return verify_run(self)

    def report(self) -> Path:
        """Write `report.html` anew and return its path."""
        return write_report(self, self.splits)

    def _repr_html_(self) -> str:
        """A few lines for a notebook."""
        last = self.history[-1] if self.history else {}
        rows = {"run": self.folder, "task": self.story.task, "model": self.config.model.model, **last}
        cells = "".join(
            f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in rows.items()
        )
        return f"<table>{cells}</table>"
