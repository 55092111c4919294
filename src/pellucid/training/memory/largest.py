"""How large a batch may be: sizes doubled until memory ends or pictures a second stop growing."""

from collections.abc import Callable
from dataclasses import dataclass

from pellucid.core.errors import OutOfMemory, is_out_of_memory

FIRST = 8  # pictures; below it only where memory does not allow as many
GAIN = 0.05  # relative; a larger batch that brings less is not worth its fewer steps
PATIENCE = 2  # sizes in a row that bring less, after which no larger one is tried


@dataclass(frozen=True)
class Trial:
    """One size that was tried.

    Attributes:
        batch: pictures in a step.
        seconds: of a step; None where memory ended.
    """

    batch: int
    seconds: float | None

    @property
    def rate(self) -> float:
        """Pictures a second, 0 where memory ended."""
        return self.batch / self.seconds if self.seconds else 0.0

    def sentence(self) -> str:
        """For people."""
        return f"batch {self.batch}: {f'{self.rate:,.0f} pictures/s' if self.rate else 'not enough memory'}"


def try_sizes(step: Callable[[int], float], most: int, has_room: Callable[[], bool] = lambda: True) -> list[Trial]:
    """Try 8, 16, 32, ... pictures, up to `most`.

    Args:
        step: takes steps of so many pictures, and returns the seconds of one; raises when memory ends.
        most: no larger batch is tried.
        has_room: asked after every size whether the next one fits; False counts as the end of memory. For machines
            whose system ends a program that asks for too much, instead of refusing.

    Raises:
        OutOfMemory: not even one picture fits.
    """
    trials = [_try(step, min(FIRST, most))]
    while not trials[-1].rate:
        if trials[-1].batch == 1:
            raise OutOfMemory("Not enough memory for one picture. Use a smaller --image-size or another --model.")
        trials.append(_try(step, trials[-1].batch // 2))
    if len(trials) > 1:
        return trials
    idle = 0
    while 2 * trials[-1].batch <= most and idle < PATIENCE:
        best = max(trial.rate for trial in trials)
        size = 2 * trials[-1].batch
        trials.append(_try(step, size) if has_room() else Trial(size, None))
        if not trials[-1].rate:
            break
        idle = 0 if trials[-1].rate > best * (1 + GAIN) else idle + 1
    return trials


def choose_size(trials: list[Trial]) -> int:
    """The smallest batch whose rate comes within 5 % of the best: of equally fast ones, the one with more steps."""
    best = max(trial.rate for trial in trials)
    return min(trial.batch for trial in trials if trial.rate >= best * (1 - GAIN))


def _try(step: Callable[[int], float], size: int) -> Trial:
    try:
        return Trial(size, step(size))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    return Trial(size, None)
