import re

import numpy as np
import pytest

from pellucid.plots import axes


def test_a_scale_maps_its_ends_and_its_middle():
    scale = axes.Scale(2, 6, 100, 300)
    assert scale(np.array([2.0, 4.0, 6.0])).tolist() == [100, 200, 300]
    assert axes.Scale(0.01, 1, 0, 100, log=True)(0.1) == pytest.approx(50)


def test_a_logarithm_of_nothing_is_a_gap():
    assert np.isnan(axes.Scale(0.1, 1, 0, 10, log=True)(np.array([0.0, -1.0]))).all()


@pytest.mark.parametrize(("lo", "hi"), [(0, 1), (0.013, 0.87), (-3, 3), (1e-7, 2e-7), (0, 123456), (99.2, 99.4)])
def test_ticks_are_round_inside_and_even(lo, hi):
    ticks = axes.Scale(lo, hi, 0, 100).ticks()
    assert 2 <= len(ticks) <= 9
    assert min(ticks) >= lo - 1e-9 * abs(lo) and max(ticks) <= hi + 1e-9 * abs(hi)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0])
    mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5)) < 1e-6


def test_whole_ticks_have_no_fractions():
    assert axes.Scale(1, 3, 0, 100).ticks(6, whole=True) == [1, 2, 3]


def test_log_ticks_are_powers_of_ten_over_many_decades():
    assert axes.Scale(1e-6, 1, 0, 100, log=True).ticks(10) == pytest.approx([10.0**k for k in range(-6, 1)])
    assert axes.Scale(0.9, 25, 0, 100, log=True).ticks() == pytest.approx([1, 2, 5, 10, 20])


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([], False),
        ([5.0], False),
        ([0.0, 0.0], False),
        ([np.nan, np.inf], False),
        ([1e300, -1e299, 1e305], False),
        ([1e-12, 1e-12], False),
        ([], True),
        ([3.0], True),
        ([-1.0], True),
    ],
)
def test_every_input_gets_a_usable_range(values, log):
    scale = axes.fit(np.array(values), 0, 100, log)
    assert np.isfinite([scale.lo, scale.hi]).all() and scale.lo < scale.hi
    assert len(scale.ticks()) >= 1


def test_labels_have_the_decimals_their_step_needs():
    assert [axes.tick_label(v, 0.02, 0.1) for v in (0, 0.08, 0.1)] == ["0", "0.08", "0.10"]
    assert axes.tick_label(40, 20, 100) == "40"
    assert axes.tick_label(0.0008, 2e-4, 1e-3) == "0.0008"
    assert axes.tick_label(2e-7, 1e-7, 5e-7) == "2e-7"
    assert axes.tick_label(150000, 50000, 200000) == "1.5e5"


@pytest.mark.parametrize(("lo", "hi", "kept"), [(1e-6, 1e-3, "1e-6 1e-5 0.0001 0.001"), (1.0, 50.0, "1 2 5 10 20 50")])
def test_labels_of_a_logarithmic_axis_do_not_touch(lo: float, hi: float, kept: str) -> None:
    """Three decades in 1, 2 and 5 are too many words for 330 pixels; less than two are not."""
    drawn = "".join(axes.x_axis(axes.Scale(lo, hi, 60, 390, log=True), 100, ""))
    assert re.findall(r">([^<>]+)</text>", drawn) == kept.split()
