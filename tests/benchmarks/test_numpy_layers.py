"""The benchmark of NumPy layers: both sides compute the same, and the verdicts follow from the times."""

from dataclasses import replace

import numpy as np
import numpy_layers
import pytest
import timing
from numpy_layers import CASES, KERNELS, TORCH, by_hand, by_torch, compare, convolution, section

SMALL = convolution(2, 3, 6, 4, 3)


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def test_both_sides_compute_the_same() -> None:
    for variant in SMALL.ours:
        for ours, theirs in zip(by_hand(SMALL, variant)(), by_torch(SMALL)(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert compare(SMALL).startswith("Outputs and gradients differ from torch's by at most ")


@pytest.mark.parametrize("name", ["max-pool-3x3", "average-pool-2x2", "batch-norm", "layer-norm"])
def test_the_other_layers_too(name: str) -> None:
    case = CASES[name]
    few = replace(case, shapes=((2, *case.shapes[0][1:]), *case.shapes[1:]))
    assert "differ" in compare(few)


def test_the_lstm_with_its_weights_in_another_order() -> None:
    few = replace(CASES["lstm"], shapes=((2, 3, 256), (2, 256), (1024, 256), (1024, 256), (1024,)))
    assert "differ" in compare(few)


def test_a_wrong_layer_ends_the_program() -> None:
    forward, backward = SMALL.ours["fast"]
    wrong = replace(SMALL, ours={"fast": (forward, lambda dout, cache: [2 * each for each in backward(dout, cache)])})
    with pytest.raises(SystemExit, match=r"fast differs from torch by 1\.0e\+00, dtype float32"):
        compare(wrong)


def test_the_floor_is_judged_by_the_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(numpy_layers.CASES, "small", SMALL)
    times = {TORCH: timed(1.0, 1.0, 1.0), "fast": timed(0.8, 0.8, 0.8)}
    assert "**Fast:** 1.25 times torch's speed; floor 0.5: met; aim 1.0: reached." in section("small", times)
    times["fast"] = timed(4.0, 4.0, 4.0)
    assert "**Fast:** 0.25 times torch's speed; floor 0.5: MISSED; aim 1.0: not reached." in section("small", times)


def test_the_work_of_a_convolution() -> None:
    assert convolution(16, 64, 32, 64, 3).macs == 16 * 64 * 32 * 32 * 64 * 9
    assert convolution(64, 32, 16, 64, 3, 2).macs == 64 * 64 * 8 * 8 * 32 * 9


def test_the_first_kernel_for_which_fft_is_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(name: str, rounds: int) -> dict[str, timing.Timed]:
        k = int(name.removeprefix("kernel-"))
        return {TORCH: timed(1.0), "fast": timed(k * k / 200), "FFT": timed(1.0)}

    monkeypatch.setattr(numpy_layers, "measure", measure)
    monkeypatch.setattr(numpy_layers, "compare", lambda case: "Same.")
    assert numpy_layers.crossover(1).endswith("FFT is the quicker one from 15x15 on. Same.")
    assert 15 in KERNELS
