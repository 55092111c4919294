"""What is said of a few pictures that were not learned by heart: labels to blame, or time that ended."""

import pytest

from pellucid.training.health.preflight.overfit import STEPS, _not_learned


def losses(last: float, steps: int, half: float) -> list[float]:
    """From 20 to `half` in half of the steps, then to `last`."""
    middle = steps // 2
    first = [20 + (half - 20) * i / middle for i in range(middle)]
    return first + [half + (last - half) * i / (steps - middle - 1) for i in range(steps - middle)]


@pytest.mark.parametrize(
    ("last", "half", "steps", "twins", "status"),
    [
        (1.95, 2.6, 42, 0, "info"),  # slowly, but nearly there when a busy machine's time was up
        (8.0, 16.0, 42, 0, "info"),  # still falling fast
        (8.0, 9.0, 42, 0, "fail"),  # as labels look that change from step to step
        (1.95, 2.6, 42, 2, "fail"),  # one picture with two labels leaves little, but never nothing
        (1.95, 2.6, STEPS, 0, "fail"),  # it had all the steps
    ],
)
def test_time_that_ended_is_no_fault_of_the_labels(
    last: float, half: float, steps: int, twins: int, status: str
) -> None:
    verdict = _not_learned([(0.01, losses(last, steps, half))], 8, twins, 30.0)
    assert verdict.status == status
