"""All rules of the monitor together, so that one trouble is told once: by its root."""

from dataclasses import replace

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.causes import FROM_THE_START
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.pace import RATE_TOO_HIGH, update_ratio
from pellucid.training.health.monitor.signal import exploding_signal, vanishing_signal
from pellucid.training.health.monitor.spikes import loss_spike
from pellucid.training.health.monitor.units import dead_units, saturated_units

ALARMS = ("warn", "fail")


def judge(history: History) -> list[Verdict]:
    """A verdict for every rule that can be judged by now. Alarms that follow from another one become `info`."""
    if not history.recent:
        return []
    ratio, spike = update_ratio(history), loss_spike(history)
    roots = (
        exploding_signal(history),
        vanishing_signal(history),
        dead_units(history),
        saturated_units(history),
    )
    found = [verdict for verdict in (*roots, ratio, spike) if verdict is not None]
    root = _root(found, ratio)
    if root is None:
        return found
    return [verdict if verdict is root else following(verdict, root.rule) for verdict in found]


def _root(found: list[Verdict], ratio: Verdict | None) -> Verdict | None:
    """The alarm that explains the others: what was wrong at the start, else a rate too high, else the first."""
    alarms = [verdict for verdict in found if verdict.status in ALARMS]
    at_start = [verdict for verdict in alarms if verdict.cause.startswith(FROM_THE_START)]
    if at_start:
        return at_start[0]
    return ratio if ratio in alarms and ratio.cause == RATE_TOO_HIGH else next(iter(alarms), None)


def following(verdict: Verdict, root: str) -> Verdict:
    """An alarm as a sign of another one, whose rule is `root`; other verdicts stay."""
    if verdict.status not in ALARMS:
        return verdict
    return replace(verdict, status="info", cause=f"it goes with {root}", cure="")
