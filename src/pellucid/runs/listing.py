"""`runs`: one row a run, read without loading any weights."""

from pathlib import Path
from typing import Any

from pellucid.core.errors import PellucidError
from pellucid.core.files import read_lines
from pellucid.runs.stored import folder as files


def list_rows(root: Path) -> list[dict[str, Any]]:
    """What was run below `root`, newest first, with the metric that picked the best epoch."""
    rows = []
    for folder in files.list_runs(root):
        try:
            cfg, story = files.read_config(folder)
        except PellucidError as error:
            rows.append({**_row(folder), "state": f"unreadable: {error}"})
            continue
        epochs = [r for r in read_lines(folder / files.METRICS, "kind", "best") if r["kind"] == "epoch"]
        best: dict[str, Any] = next((r for r in reversed(epochs) if r["best"]), {})
        tests = read_lines(folder / files.OPENINGS, "value")
        rows.append(
            {
                "run": str(folder),
                "task": story.task,
                "data": Path(story.data).name if story.data else "arrays",
                "model": cfg.title,
                "epochs": f"{len(epochs)}/{cfg.train.epochs}",
                "metric": cfg.train.metric,
                "val": best.get(f"val_{cfg.train.metric}"),
                "test": tests[0]["value"] if tests else None,
                "state": _state(folder),
            }
        )
    return rows


def _state(folder: Path) -> str:
    if (folder / files.REPORT).exists():
        return "done"
    if (folder / files.NONFINITE).is_dir():
        return "failed: not finite, see doctor.json"
    return "not finished; go on with --resume"


def _row(folder: Path) -> dict[str, Any]:
    return {"run": str(folder), **dict.fromkeys(("task", "data", "model", "epochs", "metric", "val", "test"))}
