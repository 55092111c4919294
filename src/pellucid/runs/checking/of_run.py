"""`check` of a run: what its checks said while it was trained."""

import time
from pathlib import Path

from pellucid.core.progress import Progress
from pellucid.core.verdict import Verdict
from pellucid.runs.checking.checked import Checked
from pellucid.runs.run import Run
from pellucid.runs.stored import folder as files


def check_run(folder: Path, progress: Progress) -> Checked:
    """All verdicts that a run keeps; where a NaN stopped it, how to replay that step.

    Raises:
        RunError: its verdicts are damaged.
    """
    begun = time.monotonic()
    run = Run(folder)
    verdicts = [*run.verdicts]
    if not verdicts:
        verdicts.append(Verdict("non-finite", "info", "the run has no verdicts yet: its training has not begun"))
    stopped = folder / files.NONFINITE
    if (stopped / "batch.safetensors").exists():
        progress.say(f"Batch and weights of the step that was not finite lie in {stopped}.")
    return Checked(str(folder), other=verdicts, seconds={"reading": time.monotonic() - begun})
