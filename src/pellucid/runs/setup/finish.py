"""What happens once everything is decided: training to the end, examples, report."""

import signal

from pellucid.core.errors import Interrupted
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
    try:
        write_examples(run, splits, source)
        write_report(run, splits)
    except KeyboardInterrupt:
        raise Interrupted(
            "Stopped by Ctrl-C after training, which is complete and saved. Examples and report are missing: "
            f"pellucid train --resume {job.folder}",
            signal.SIGINT,
        ) from None
    job.progress.say(f"Run folder: {job.folder}\nReport: {job.folder / files.REPORT}")
    job.progress.event("done", {"run": str(job.folder), "report": str(job.folder / files.REPORT)})
    return run
