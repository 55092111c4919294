"""The benchmark of segmentation: all variants do the same, and the figures are judged as they are said to be."""

import pytest
import segmentation
import timing
from segmentation import BOUND, NETS, STEPS, TILES, VARIANTS, Steps, compare, judge, looks_section, steps_section


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def made_up(plain: float, ours: float) -> Steps:
    """A result whose every turn took that long."""
    times = {name: timed(ours, ours) for name in VARIANTS} | {"plain": timed(plain, plain)}
    return Steps("fcn_small", times, {name: [2.3] * STEPS for name in VARIANTS})


def test_all_variants_take_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "SIZE", 32)
    monkeypatch.setattr(segmentation, "BATCH", 2)
    losses = {}
    for name, (variant, _) in VARIANTS.items():
        step = segmentation.make_step("fcn_small", variant)
        losses[name] = [step() for _ in range(STEPS)]
    assert compare(Steps("fcn_small", {}, losses)).startswith(f"Losses of the first {STEPS} steps: plain 2.")
    assert len(set(losses["plain"])) == STEPS  # something is learnt


def test_differing_losses_end_the_program() -> None:
    result = made_up(1.0, 0.5)
    result.losses["ours"][1] = float("nan")
    with pytest.raises(SystemExit, match="fcn_small: losses differ from the plain loop's"):
        compare(result)


def test_floor_and_bound_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "has_fast_bf16", lambda device: True)
    assert "2.00 times as fast as plain, floor 2.0: met" in judge(made_up(1.0, 0.5))
    assert "1.80 times as fast as plain, floor 2.0: MISSED" in judge(made_up(0.9, 0.5))
    for name in VARIANTS:
        assert f"\n| {name} |" in steps_section(made_up(1.0, 0.5))
    looks = {how: [{"cpu": 1.0, "wall": 2.0, "mb": BOUND["unet"] + 1, "said": [[0, 1]]}] for how in TILES}
    looks["tiles of 256"][0]["said"] = [[0, 2]]
    text = looks_section("unet", looks)
    assert "151: MISSED" in text and "| tiles of 256 | 1.00 | 2.00 | 151 | 50.00% (2 classes) |" in text
    assert set(BOUND) == set(NETS)
