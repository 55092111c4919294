"""Steps that take longer than they did. It depends on the clock, so nothing of it goes into what must repeat.

Steps are timed in blocks of some seconds. A block is slow when a step takes more than twice what is usual in this run;
three slow ones in a row are told, once. The processor's own time beside the clock's tells work from waiting.
"""

import statistics
from dataclasses import dataclass, field

from pellucid.core.verdict import Verdict

RULE = "slow-down"
SECONDS, STEPS = 5.0, 5  # a block has at least so much of both
SLOW = 2.0  # times the usual
IN_A_ROW = 3
BEFORE = 5  # blocks that say what is usual
BUSY = 1.5  # times the usual processor time: the work itself has grown


@dataclass
class Speed:
    """Asked after every step of a run, in one process.

    Attributes:
        walls, cpus: seconds of a step in each block, by the clock and of the processor.
        told: whether a slow-down was told already.
        last: clock and processor at the end of the step before; None after a pause.
        wall, cpu, steps: of the block that is not full yet.
    """

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    told: bool = False
    last: tuple[float, float] | None = None
    wall: float = 0.0
    cpu: float = 0.0
    steps: int = 0

    def pause(self) -> None:
        """Something else begins, such as validation, whose time does not count."""
        self.last = None

    def step(self, number: int, wall: float, cpu: float) -> Verdict | None:
        """A step has ended.

        Args:
            number: of the step, counted from 0.
            wall, cpu: seconds of the clock and of the processor, from any beginning.
        """
        before, self.last = self.last, (wall, cpu)
        if before is None:
            return None
        self.wall, self.cpu, self.steps = self.wall + wall - before[0], self.cpu + cpu - before[1], self.steps + 1
        if self.steps < STEPS or self.wall < SECONDS:
            return None
        self.walls.append(self.wall / self.steps)
        self.cpus.append(self.cpu / self.steps)
        self.wall, self.cpu, self.steps = 0.0, 0.0, 0
        verdict = None if self.told else judge_speed(number, self.walls, self.cpus)
        self.told = self.told or verdict is not None
        return verdict


def judge_speed(number: int, walls: list[float], cpus: list[float]) -> Verdict | None:
    """An alarm when the last blocks are all slow beside those before them; None otherwise."""
    if len(walls) < BEFORE + IN_A_ROW:
        return None
    usual, usual_cpu = (statistics.median(times[:-IN_A_ROW]) for times in (walls, cpus))
    latest, latest_cpu = walls[-IN_A_ROW:], statistics.median(cpus[-IN_A_ROW:])
    if min(latest) <= SLOW * usual:
        return None
    now = statistics.median(latest)
    evidence = (
        f"at step {number} a step takes {now:.3g} s, usual in this run are {usual:.3g} s (processor time "
        f"{latest_cpu:.3g} s, usual {usual_cpu:.3g} s)"
    )
    if latest_cpu > BUSY * usual_cpu:
        cause = (
            "the work itself has grown: more layers are trained, the batch goes in more parts, or the processor is hot"
        )
        return Verdict(
            RULE, "warn", evidence, cause, "compare with the start of the run, and let the machine cool down"
        )
    cause = "the process waits: for the disk, for memory that is swapped, or for other programs that use the processor"
    return Verdict(RULE, "warn", evidence, cause, "look at what else runs on the machine, and at its memory and disk")
