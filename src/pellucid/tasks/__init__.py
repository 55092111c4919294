"""The tasks, by name. Each loads when it is asked for, so that settings and `--help` need no torch."""

from collections.abc import Callable

from pellucid.core.choose import choose
from pellucid.core.task import Task, Wishes
from pellucid.tasks.classify.config import ClassifyConfig, ClassifyWishes
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.prediction.wishes import DetectWishes
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.prediction.wishes import SegmentWishes


def _classify() -> Task:
    from pellucid.tasks.classify.task import TASK

    return TASK


def _segment() -> Task:
    from pellucid.tasks.segment.task import TASK

    return TASK


def _detect() -> Task:
    from pellucid.tasks.detect.task import TASK

    return TASK


TASKS: dict[str, Callable[[], Task]] = {"classify": _classify, "segment": _segment, "detect": _detect}
CONFIGS: dict[str, type] = {"classify": ClassifyConfig, "segment": SegmentConfig, "detect": DetectConfig}
WISHES: dict[str, type[Wishes]] = {"classify": ClassifyWishes, "segment": SegmentWishes, "detect": DetectWishes}


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        ConfigError: there is none; the message lists the names.
    """
    return choose(name, TASKS, "task")()
