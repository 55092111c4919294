"""The battery: every function on pictures is put through the same checks.

A new name of `classic.pictures` must come into `picture_cases.py`; then it is tested without further work.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from picture_cases import (
    CASES,
    HALVES,
    LIBRARIES,
    NO_ARRAY,
    NO_PICTURES,
    Case,
    alike,
    any_result,
    draw,
    dtype_of,
    dtypes,
    every,
    expected_dtype,
    expected_shape,
    numbers,
    refused,
    run,
    shapes,
)

from pellucid.classic import pictures


def test_no_function_is_forgotten() -> None:
    called = {name.split(",")[0] for name in {**CASES, **NO_ARRAY}}
    assert called | NO_PICTURES == set(pictures.__all__)
    assert not called & NO_PICTURES


# ---------------------------------------------------------------------------------------- what comes back


@every
@pytest.mark.parametrize("library", LIBRARIES)
def test_container_shape_and_type(case: Case, library: str) -> None:
    for shape, dtype in product(shapes(case), dtypes(case)):
        x = draw(shape, dtype, library)
        result = run(case, x)
        assert type(result) is type(x), (shape, dtype)
        assert tuple(result.shape) == expected_shape(case, shape), (shape, dtype)
        assert dtype_of(result) == expected_dtype(case, dtype), (shape, dtype)
        assert np.isfinite(numbers(result)).all(), (shape, dtype)


@every
def test_half_precision(case: Case) -> None:
    """Works, in the promised type, and is about what float32 gives where that is a number and no decision."""
    x = draw((2, 3, 13, 18), "float32", "torch")
    for half in HALVES:
        result = run(case, x.to(getattr(torch, half)))
        assert dtype_of(result) == expected_dtype(case, half)
        assert bool(torch.isfinite(result).all())
    result = run(case, torch.from_numpy(numbers(x)).half().numpy())
    assert str(result.dtype) == expected_dtype(case, "float16")


@every
def test_arrays_and_tensors_say_the_same(case: Case) -> None:
    for dtype in dtypes(case):
        shape = (2, 3, 13, 18)
        alike(case.call(draw(shape, dtype, "numpy")), case.call(draw(shape, dtype, "torch")))


@every
def test_a_batch_equals_its_pictures_one_by_one(case: Case) -> None:
    if not case.is_alone:
        pytest.skip("one draw, or one number, for the whole batch")
    for dtype, channels in product(dtypes(case), case.channels or (1, 2, 3)):
        x = draw((4, channels, 13, 18), dtype)
        batch = case.call(x)
        for one, picture in zip(batch, x, strict=True):
            alike(one, case.call(picture))
        alike(batch[:1], case.call(x[:1]))


@every
def test_float64_is_not_float32_in_disguise(case: Case) -> None:
    x = draw((2, 3, 13, 18), "float64")
    precise, short = case.call(x), case.call(x.astype(np.float32))
    if case.kind in ("bool", "int32", "float32"):
        alike(precise, short)
        return
    assert (precise != precise.astype(np.float32)).any()
    if case.is_alone:  # else it may be another draw
        assert np.abs(precise - short).max() < 1e-3 * max(1.0, float(np.abs(precise).max()))


# ------------------------------------------------------------------------------------ memory, again and again


@every
def test_the_result_is_nobodys_elses(case: Case) -> None:
    """Changing the pictures afterwards does not change it, nor does the next call."""
    for dtype in dtypes(case):
        x, other = draw((2, 3, 13, 18), dtype), draw((2, 3, 13, 18), dtype, seed=2)
        result = case.call(x)
        before = result.copy()
        case.call(other)
        if not case.is_view:
            x[:] = other
            assert not np.shares_memory(result, x)
        np.testing.assert_array_equal(result, before)


@every
def test_large_pictures(case: Case) -> None:
    """Large enough for blocks and for memory that is used again: twice the same bits, also in threads; no leftovers."""
    dtype = "float32" if case.takes == "floats" else "uint8"
    x, other = draw((3, 3, 300, 301), dtype), draw((3, 3, 300, 301), dtype, seed=2)
    first = case.call(x)
    kept = first.copy()
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(case.call, [other, x, other, x]))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(results[1], kept)
    np.testing.assert_array_equal(results[3], kept)
    np.testing.assert_array_equal(results[0], results[2])
    if case.is_alone:
        alike(first[1], case.call(x[1]))


def views(x: np.ndarray) -> Iterator[Any]:
    """The same pictures in memory of other orders."""
    twice = x.repeat(2, axis=-1).repeat(2, axis=-2)
    yield twice[..., ::2, ::2]
    yield x[..., ::-1].copy()[..., ::-1]
    yield x[..., ::-1, :].copy()[..., ::-1, :]
    yield np.ascontiguousarray(np.moveaxis(x, 1, -1)).transpose(0, 3, 1, 2)  # channels last
    yield np.asfortranarray(x)
    yield x.astype(x.dtype.newbyteorder(">"))
    locked = x.copy()
    locked.flags.writeable = False
    yield locked
    tensor = torch.from_numpy(x.copy())
    yield tensor.to(memory_format=torch.channels_last)
    yield tensor.transpose(2, 3).contiguous().transpose(2, 3)
    yield torch.from_numpy(twice)[..., ::2, ::2]
    if tensor.is_floating_point():
        yield tensor.clone().requires_grad_()


@any_result
def test_the_layout_of_memory_does_not_matter(case: Case) -> None:
    for dtype in dtypes(case):
        x = draw((2, 3, 13, 18), dtype)
        if case.kind == "str":
            expected = case.call(x[0])
            assert all(run(case, view[0]) == expected for view in views(x))
            continue
        expected = case.call(x)
        for view in views(x):
            result = run(case, view)
            alike(result, expected)
            assert not getattr(result, "requires_grad", False)
        one = np.broadcast_to(x[:1, :, :1], x.shape)  # all rows and pictures are one piece of memory
        for view in (one, torch.from_numpy(x[:1, :, :1]).expand(x.shape)):
            alike(run(case, view), case.call(one.copy()))


# ----------------------------------------------------------------------------------------------- odd pictures


@any_result
def test_small_and_odd_sizes_work_or_are_refused_in_one_line(case: Case) -> None:
    for height, width in ((1, 1), (1, 7), (7, 1), (2, 3), (3, 3), (5, 4), (8, 8), (31, 9)):
        for dtype in dtypes(case):
            x = draw((3, height, width), dtype)
            if min(height, width) < case.least:
                refused(case, x, f"{height}")
            elif case.kind in ("str", "number"):
                assert isinstance(run(case, x), (str, float))
            else:
                result = run(case, x)
                assert result.shape == expected_shape(case, x.shape), (height, width)
                assert np.isfinite(numbers(result)).all(), (height, width)


@every
def test_constant_pictures(case: Case) -> None:
    """Every place that sees no rim and no chance says the same, and it is a number."""
    for dtype in dtypes(case):
        for value in (0, 1 if dtype != "uint8" else 255):
            x = np.full((2, 3, 13, 18), value, dtype)
            result = run(case, x)
            assert np.isfinite(numbers(result)).all()
            if case.is_alone:
                alike(result[0], result[1])
