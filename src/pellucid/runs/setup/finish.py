"""What happens once everything is decided: training to the end, examples, report."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

from pellucid.core.errors import Interrupted, Terminated
from pellucid.data.prepare import Splits
from pellucid.data.source import Source
from pellucid.runs.report import write_report
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.examples import write_examples
from pellucid.training import loop
from pellucid.training.job import Job


def finish(job: Job, splits: Splits, source: Source) -> Run:
    """Train to the end, store examples, write the report.

    Raises:
        PellucidError: training stopped (a signal, a NaN), or something cannot be written. What was saved stays.
    """
    loop.train(job)
    loop.write_verdicts(job)
    run = Run(job.folder, splits=splits, source=source, device=str(job.device))
    write_examples(run, splits, source)
    write_report(run, splits)
    job.progress.say(f"Run folder: {job.folder}\nReport: {job.folder / files.REPORT}")
    job.progress.event("done", {"run": str(job.folder), "report": str(job.folder / files.REPORT)})
    return run


@contextlib.contextmanager
def resumable(folder: Path, saved: str = "what was trained is saved") -> Iterator[None]:
    """Say how to go on when a signal comes before or after training, which answers signals itself.

    Args:
        saved: what the folder holds by then.

    Raises:
        Interrupted: in place of Ctrl-C and SIGTERM, once all that resuming needs is on disk.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        if not files.is_run(folder):
            raise
        name, number = ("SIGTERM", signal.SIGTERM) if isinstance(stop, Terminated) else ("Ctrl-C", signal.SIGINT)
        raise Interrupted(f"Stopped by {name}; {saved}. Go on with: pellucid train --resume {folder}", number) from None
