"""All steps, each within bounds of time, each leaving the job as it was.

The steps are those of Karpathy's CS231n notes ("Neural Networks Part 3: Learning and Evaluation",
https://cs231n.github.io/neural-networks-3/) and of his "A Recipe for Training Neural Networks"
(https://karpathy.github.io/2019/04/25/recipe/).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from pellucid.core.progress import Progress
from pellucid.core.verdict import Verdict
from pellucid.ops.memory import freed_memory_kept
from pellucid.training.health.preflight import (
    double_softmax,
    gradients,
    initial,
    inputs,
    mixing,
    mode,
    overfit,
    rate,
    regularisation,
)
from pellucid.training.health.untouched import generators_kept, untouched
from pellucid.training.job import Job

OVERFIT_SECONDS = 30.0
RATE_SECONDS = 60.0  # with the others, a few passes each, about two minutes in all on any network

# rule -> rules whose alarm explains its alarm: one fault, one alarm
FOLLOWS: dict[str, tuple[str, ...]] = {
    initial.RULE: (inputs.RULE, mode.RULE),
    mixing.RULE: (mode.RULE,),
    regularisation.RULE: (initial.RULE, gradients.RULE),
    overfit.RULE: (inputs.RULE, initial.RULE, double_softmax.RULE, gradients.RULE, mode.RULE),
    rate.RULE: (inputs.RULE, initial.RULE, double_softmax.RULE, gradients.RULE, mode.RULE, overfit.RULE),
}

Step = Callable[[Job], Verdict | list[Verdict]]
STEPS: tuple[tuple[str, Step], ...] = (
    (inputs.RULE, inputs.check_inputs),
    (initial.RULE, initial.check_start),
    (double_softmax.RULE, double_softmax.check_softmax),
    (gradients.RULE, gradients.check_gradients),
    (mode.RULE, mode.check_mode),
    (mixing.RULE, mixing.check_mixing),
    (regularisation.RULE, regularisation.check_regularisation),
    (overfit.RULE, lambda job: overfit.check_overfit(job, OVERFIT_SECONDS)),
    (rate.RULE, lambda job: rate.check_rate(job, RATE_SECONDS)),
)
# not begun where their alarm would only repeat an earlier one, or an earlier fault could stop them
SKIPPED = (mixing.RULE, overfit.RULE, rate.RULE)


def preflight(make_job: Callable[[], Job], progress: Progress) -> list[Verdict]:
    """Check a job that is about to be trained: one verdict a step, with the seconds it took.

    Nothing of the job changes, not even a random generator of the process. A fault usually shows in several steps; the
    alarms that follow from an earlier one are notes, so that one fault gives one alarm.

    Args:
        make_job: builds the job; called once.
        progress: shows how far it is.
    """
    verdicts: list[Verdict] = []
    with freed_memory_kept(), generators_kept(), progress.bar("Preflight", len(STEPS)) as advance:
        job = make_job()
        for done, (rule, step) in enumerate(STEPS, start=1):
            verdicts += _take(job, rule, step, verdicts)
            advance(done, rule)
    return verdicts


def _take(job: Job, rule: str, step: Step, before: Sequence[Verdict]) -> list[Verdict]:
    alarms = {verdict.rule for verdict in before if verdict.status in ("warn", "fail")}
    causes = [cause for cause in FOLLOWS.get(rule, ()) if cause in alarms]
    if causes and rule in SKIPPED:
        return [Verdict(rule, "info", f"not tried: {causes[0]} comes first")]
    if job.task.step is not None and rule not in (inputs.RULE, mode.RULE, mixing.RULE):
        return [Verdict(rule, "info", "not tried: this task trains in steps of its own")]
    begun = time.monotonic()
    with untouched(job):
        found = step(job)
    seconds = time.monotonic() - begun
    verdicts = found if isinstance(found, list) else [found]
    return [_told(verdict, seconds, causes) for verdict in verdicts]


def _told(verdict: Verdict, seconds: float, causes: Sequence[str]) -> Verdict:
    verdict = replace(verdict, evidence=f"{verdict.evidence} [{seconds:.1f} s]")
    if causes and verdict.status in ("warn", "fail"):
        evidence = f"{verdict.evidence}; this follows from {causes[0]}, mend that first"
        return Verdict(verdict.rule, "info", evidence)
    return verdict
