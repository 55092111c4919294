"""The benchmark of steps: all variants do the same, and the figures are computed as they are said to be."""

from pathlib import Path

import pytest
import timing
import torch
import training_step
from small_cnn import small_cnn
from training_step import STEPS, VARIANTS, Case, Result, compare, judge, make_step, section

TINY = Case("tiny", small_cnn, 8, 1, 12, 1, floor=2.0, gemm_floor=0.9)


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def made_up(plain: float, ours: float, product: float = 0.1) -> Result:
    """A result whose every turn took that long."""
    times = {name: timed(ours, ours, ours) for name in VARIANTS}
    times |= {"plain": timed(plain, plain, plain), "fp32": timed(product), "bf16": timed(product, product, product)}
    return Result(TINY, times, {name: [2.3] * STEPS for name in VARIANTS})


@pytest.mark.parametrize("case", [TINY, Case("colour", training_step.MODELS["convnet"], 16, 3, 12, 1, 0.0)])
def test_all_variants_take_the_same_steps(case: Case) -> None:
    losses = {}
    for name, (variant, _) in VARIANTS.items():
        step = make_step(case, variant)
        losses[name] = [step() for _ in range(STEPS)]
    said = compare(Result(case, {}, losses))
    assert said.startswith(f"Losses of the first {STEPS} steps: plain ")
    assert losses["ours, with loader and augmentation"][0] == losses["ours"][0]  # the same first batch
    assert losses["ours, with loader and augmentation"] != losses["ours"]


def test_differing_losses_end_the_program() -> None:
    result = made_up(1.0, 0.5)
    result.losses["ours"][1] += 0.1
    with pytest.raises(SystemExit, match=r"tiny: losses differ from the plain loop's 2\.3000, 2\.3000, 2\.3000"):
        compare(result)
    result.losses["ours"][1] = float("nan")
    with pytest.raises(SystemExit):
        compare(result)


def test_flop_and_share() -> None:
    result = made_up(1.0, 0.5)
    macs = 64 * 32 * 9 + 16 * 64 * 32 * 9 + 64 * 4 * 128 + 128 * 10  # 8x8 and 4x4 cells, then two linear layers
    assert result.flop == macs * 2 * 3 * 12
    rate, product_rate = result.flop / 0.5, 2 * training_step.SIDE**3 / 0.1
    assert result.share("ours") == pytest.approx(rate / product_rate)


def test_floors_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_step, "has_fast_bf16", lambda device: True)
    missed = judge(made_up(0.9, 0.5))
    assert "1.80 times as fast as plain, floor 2.0: MISSED" in missed
    assert "of the rate of the bf16 matrix product, floor 0.9: MISSED" in missed
    assert "2.00 times as fast as plain, floor 2.0: met" in judge(made_up(1.0, 0.5))
    assert "floor 0.9: met" in judge(made_up(1.0, 0.5, product=1e6))
    monkeypatch.setattr(training_step, "has_fast_bf16", lambda device: False)
    assert judge(made_up(1.0, 0.5)) == "The floors are for processors with fast bf16, which this one has not."


def test_a_section_has_every_variant() -> None:
    text = section(made_up(1.0, 0.25))
    assert text.startswith("## tiny\n")
    for name in VARIANTS:
        assert f"\n| {name} | {'1000.0' if name == 'plain' else '250.0'} |" in text


def test_a_process_of_a_variant_answers() -> None:
    script = str(Path(training_step.__file__))
    with training_step.Worker([script, "--work", "small-cnn", "bf16"], {"OMP_NUM_THREADS": "1"}) as worker:
        assert worker.ask(1).output == [None]
    assert torch.get_num_threads() >= 1
