"""Clipping: never longer than the threshold, never turned, untouched below it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.optimisers.clip import clip_by_norm, global_norm


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6), st.floats(1e-3, 1e6))
def test_length_and_direction(numbers: list[float], threshold: float) -> None:
    dw = np.array(numbers)
    clipped, before = clip_by_norm(dw, threshold)
    after = float(np.linalg.norm(clipped))
    assert before == pytest.approx(float(np.linalg.norm(dw)))
    assert after <= threshold * (1 + 1e-12)
    if before <= threshold:
        assert clipped is dw
    else:
        assert after == pytest.approx(threshold)
        assert np.allclose(clipped * before, dw * threshold)


def test_several_arrays_keep_their_proportions() -> None:
    gradients = {"w": np.full((2, 2), 3.0), "b": np.array([8.0])}  # 36 + 64
    clipped, norm = clip_by_norm(gradients, 1.0)
    assert norm == 10
    assert np.allclose(clipped["w"], 0.3)
    assert np.allclose(clipped["b"], 0.8)
    assert (gradients["w"] == 3).all()


def test_float32_stays_and_does_not_overflow() -> None:
    dw = np.full(4, 1e20, np.float32)  # whose squares are infinite in float32
    clipped, norm = clip_by_norm(dw, 2.0)
    assert norm == pytest.approx(2e20)
    assert clipped.dtype == np.float32
    assert clipped == pytest.approx(np.ones(4))


def test_nothing_is_short_enough() -> None:
    assert clip_by_norm(np.zeros((0, 3)), 1.0)[1] == 0
    assert clip_by_norm({}, 1.0) == ({}, 0.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_has_no_direction_is_refused(value: float) -> None:
    message = r"^The gradient of b has entries that are not finite: lower the learning rate\.$"
    with pytest.raises(DataError, match=message):
        clip_by_norm({"a": np.ones(2), "b": np.array([1.0, value])}, 1.0)
    with pytest.raises(DataError, match=r"^The gradient has entries that are not finite"):
        global_norm(np.array([value]))


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan])
def test_a_threshold_is_above_0(threshold: float) -> None:
    with pytest.raises(ConfigError, match=rf"^max_norm must be above 0, got {threshold}\.$"):
        clip_by_norm(np.ones(2), threshold)
