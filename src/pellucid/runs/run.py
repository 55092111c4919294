"""A run: a folder one can ask things of. Modules come in with the first question that needs them."""

import html
from pathlib import Path
from typing import Any, Unpack

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Style, make_progress
from pellucid.core.verdict import Verdict
from pellucid.runs.predict import expand, predict_each
from pellucid.runs.setup.asked_of_predictions import Asked
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.notebook import Results, Summary
from pellucid.runs.stored.record import Record
from pellucid.tasks.wishes import grant


class Run(Record):
    """A run folder, or a weights file alone (which can predict, and no more), with everything it can do."""

    def evaluate(self, data: Any = None, split: str | None = None, progress: Style = "auto") -> dict[str, Any]:
        """Metrics on a split of the run's data (the test split unless said), or on other data.

        Every opening of the test split is logged; from the second on a warning is shown, unless `progress` is quiet.

        Returns:
            The summary of the task: its metrics, tables, and mean losses.

        Raises:
            ConfigError: no such split, or one named beside other data.
            DataError: the data changed, has other classes, or the split is empty.
        """
        from pellucid.runs.evaluate import evaluate_run

        return Summary(evaluate_run(self, data, split, make_progress(progress)).summary)

    def predict(self, *images: Any, **wishes: Unpack[Asked]) -> list[Any]:
        """Results for files, folders, globs, PIL images, arrays or tensors, in order.

        Args:
            wishes: what the run's task can be asked for, as in `pellucid predict --help`.

        Raises:
            ConfigError: the task takes no such wish (the message lists what it takes), a value does not fit, or it is
                for results that are saved.
            DataError: nothing was given, or a folder holds no pictures.
            ImageError: a picture cannot be opened.
        """
        trained = self.trained
        granted = grant(trained.task.wishes, wishes, trained.task.name)
        if granted.for_saving:
            raise ConfigError(
                f"{granted.for_saving} is for results that are saved, as `pellucid predict --save FOLDER` does: leave "
                "it out."
            )
        return Results(result for _, _, result in predict_each(trained, expand(images), wishes=granted))

    def verify(self) -> list[Verdict]:
        """Predict the stored examples again; a `fail` among the verdicts means that something changed.

        Raises:
            RunError: there are no stored examples.
            WeightsError: the weights or the stored outputs are damaged.
        """
        from pellucid.runs.verify import verify_run

        return verify_run(self)

    def report(self) -> Path:
        """Write `report.html` anew and return its path. Never opens the test split."""
        from pellucid.runs.report import write_report

        return write_report(self, self.splits)

    def _repr_html_(self) -> str:
        """What it is and how well it does, in a few lines."""
        rows: dict[str, Any] = {"run": self.folder}
        if files.is_run(self.folder):
            cfg, history = self.config, self.history
            rows |= {"task": self.story.task, "data": self.story.data or "arrays in memory", "model": cfg.title}
            rows |= {"epochs": f"{len(history)} of {cfg.train.epochs}"}
            best: dict[str, Any] = next((record for record in reversed(history) if record.get("best")), {})
            value = best.get(f"val_{cfg.train.metric}")
            if value is not None:
                rows |= {f"validation {cfg.train.metric}": f"{value:.4f} (epoch {best['epoch'] + 1})"}
        cells = "".join(
            f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
            for name, value in rows.items()
        )
        return f"<table>{cells}</table>"
