"""The benchmark of detection: all variants do the same, and the figures are judged as they are said to be."""

import detection_step
import pytest
import timing
from detection_step import STEPS, VARIANTS, Steps, compare, judge, section


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def made_up(plain: float, ours: float) -> Steps:
    """A result whose every turn took that long."""
    times = {name: timed(ours, ours) for name in VARIANTS} | {"plain": timed(plain, plain)}
    return Steps(times, {name: [3.1] * STEPS for name in VARIANTS})


@pytest.mark.slow
def test_all_variants_take_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_step, "SIZE", 64)
    losses = {}
    for name, (variant, _) in VARIANTS.items():
        step = detection_step.make_step(variant)
        losses[name] = [step() for _ in range(STEPS)]
    assert compare(Steps({}, losses)).startswith(f"Sums of the losses in the first {STEPS} steps: plain ")
    assert len(set(losses["plain"])) == STEPS  # something is learnt


def test_differing_losses_end_the_program() -> None:
    result = made_up(1.0, 0.5)
    result.losses["ours"][1] = float("nan")
    with pytest.raises(SystemExit, match="losses differ from the plain loop's"):
        compare(result)


def test_the_floor_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_step, "has_fast_bf16", lambda device: True)
    assert "2.00 times as fast as plain, floor 2.0: met" in judge(made_up(1.0, 0.5))
    assert "1.80 times as fast as plain, floor 2.0: MISSED" in judge(made_up(0.9, 0.5))
    for name in VARIANTS:
        assert f"\n| {name} |" in section(made_up(1.0, 0.5))
