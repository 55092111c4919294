"""All rules of the monitor, over what it remembers."""

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.history import History


def judge(history: History) -> list[Verdict]:
    """A verdict for every rule that can be judged by now."""
    return []
