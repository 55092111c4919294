"""The battery: every function on pictures is put through the same checks.

A new name of `classic.pictures` must come into a table here; then it is tested without further work.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from pellucid.classic import pictures
from pellucid.classic.pictures import (
    canny,
    cell_histograms,
    color_histogram,
    connected_components,
    convolve2d,
    correlate2d,
    dense_patches,
    filter_bank,
    gaussian_derivative,
    gaussian_filter,
    gaussian_noise,
    gradient,
    hog,
    hog_picture,
    hsv_to_rgb,
    impulse,
    lab_to_rgb,
    median_filter,
    psnr,
    random_patches,
    response_statistics,
    responses,
    rgb_to_grey,
    rgb_to_hsv,
    rgb_to_lab,
    rgb_to_ycbcr,
    salt_and_pepper,
    sobel,
    word_histogram,
    ycbcr_to_rgb,
)
from pellucid.core.errors import DataError

# N pictures, C channels, H x W pixels


@dataclass(frozen=True)
class Case:
    """A function with settings, and what it promises.

    Attributes:
        call: pictures -> result.
        shape: (C, H, W) of a picture -> shape of what becomes of it.
        axes: which axes come and go with those of the input: "all" (a result has the rank of the input), "pictures" (a
            batch has one more), or "none".
        kind: type of the result. "same": as the input; "float": float32 for uint8, else as the input; "wide": float64
            for float64, else float32; any other: always this one.
        channels: it takes; empty: any number.
        least: pixels a side must have.
        is_alone: whether each picture of a batch is treated as if it came alone.
        is_view: whether the result may share memory with the input, as it says.
        takes: "pictures"; "floats", no uint8; or "masks", of any number of axes from two on, also bool and integers.
    """

    call: Callable[[Any], Any]
    shape: Callable[[int, int, int], tuple[int, ...]] = lambda c, h, w: (c, h, w)
    axes: str = "all"
    kind: str = "float"
    channels: tuple[int, ...] = ()
    least: int = 1
    is_alone: bool = True
    is_view: bool = False
    takes: str = "pictures"


RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((3, 5))
BANK = filter_bank(5, sigmas=(1.0,), orientations=2)
WIDE_BANK = filter_bank(21, sigmas=(2.0,), orientations=2)  # by Fourier transforms
WORDS = {c: RNG.standard_normal((4, c, 3, 3)) for c in (1, 3)}


def words_of(x: Any) -> np.ndarray:
    """As many channels as the pictures have; of what is no picture it does not matter."""
    shape = getattr(x, "shape", ())
    return WORDS[3 if len(shape) > 2 and shape[-3] == 3 else 1]


def black(x: Any) -> Any:
    """Pictures of the same kind; what is none stays."""
    return torch.zeros_like(x) if isinstance(x, torch.Tensor) else np.zeros_like(x) if hasattr(x, "dtype") else x


GREY_OR_RGB, RGB = (1, 3), (3,)
same, floats = Case(abs, kind="same"), Case(abs)
colours = Case(abs, channels=RGB)
back = replace(colours, takes="floats")
# name, and what is special about the call -> how it is called
CASES: dict[str, Case] = {
    "canny": Case(lambda x: canny(x, 0.8), lambda c, h, w: (h, w), "pictures", "bool", GREY_OR_RGB),
    "canny, quantiles": Case(
        lambda x: canny(x, 0.8, 0.7, 0.9, quantiles=True), lambda c, h, w: (h, w), "pictures", "bool", GREY_OR_RGB
    ),
    "cell_histograms": Case(
        lambda x: cell_histograms(x, 4, 6), lambda c, h, w: (h // 4, w // 4, 6), "pictures", "wide", GREY_OR_RGB, 4
    ),
    "color_histogram": Case(lambda x: color_histogram(x, 5), lambda c, h, w: (5,), "pictures", "wide", RGB),
    "color_histogram, joint": Case(
        lambda x: color_histogram(x, (4, 2, 3), joint=True), lambda c, h, w: (24,), "pictures", "wide", RGB
    ),
    "connected_components": Case(
        lambda x: connected_components(x > (127 if "uint8" in str(x.dtype) else 0.5)), kind="int32", takes="masks"
    ),
    "convolve2d": replace(floats, call=lambda x: convolve2d(x, KERNEL)),
    "convolve2d, full": Case(lambda x: convolve2d(x, KERNEL, "full", "reflect"), lambda c, h, w: (c, h + 2, w + 4)),
    "correlate2d": replace(floats, call=lambda x: correlate2d(x, KERNEL, border="replicate")),
    "correlate2d, valid": Case(lambda x: correlate2d(x, KERNEL, "valid"), lambda c, h, w: (c, h - 2, w - 4), least=5),
    "dense_patches": Case(
        lambda x: dense_patches(x, 3, 2), lambda c, h, w: ((h - 1) // 2, (w - 1) // 2, c, 3, 3), "pictures", "same",
        least=3, is_view=True,
    ),
    "gaussian_derivative": replace(floats, call=lambda x: gaussian_derivative(x, 1.2, axis=0)),
    "gaussian_filter": replace(same, call=lambda x: gaussian_filter(x, 1.2)),
    "gaussian_noise": replace(same, call=lambda x: gaussian_noise(x, 0.4, seed=3), is_alone=False),
    "gradient, magnitude": replace(floats, call=lambda x: gradient(x)[0]),
    "gradient, direction": replace(floats, call=lambda x: gradient(x)[1]),
    "gradient, smoothed": replace(floats, call=lambda x: gradient(x, 1.0)[0]),
    "hog": Case(
        lambda x: hog(x, 4, 6), lambda c, h, w: (h // 4 * (w // 4) * 6,), "pictures", "wide", GREY_OR_RGB, 4
    ),
    "hog, blocks": Case(
        lambda x: hog(x, 4, 6, block=2), lambda c, h, w: ((h // 4 - 1) * (w // 4 - 1) * 24,), "pictures", "wide",
        least=8,
    ),
    "hsv_to_rgb": replace(back, call=lambda x: hsv_to_rgb(x)),
    "impulse": replace(same, call=lambda x: impulse(x, 0.3, seed=3), is_alone=False),
    "lab_to_rgb": replace(back, call=lambda x: lab_to_rgb(x)),
    "median_filter": replace(same, call=lambda x: median_filter(x)),
    "median_filter, 5": replace(same, call=lambda x: median_filter(x, 5, "replicate")),
    "random_patches": Case(
        lambda x: random_patches(x, 5, 3, seed=3), lambda c, h, w: (5, c, 3, 3), "none", "same", least=3,
        is_alone=False,
    ),
    "response_statistics": Case(
        lambda x: response_statistics(x, BANK), lambda c, h, w: (3 * len(BANK),), "pictures", "wide", GREY_OR_RGB
    ),
    "responses": Case(
        lambda x: responses(x, BANK), lambda c, h, w: (len(BANK), h, w), "pictures", "float", GREY_OR_RGB
    ),
    "responses, wide": Case(
        lambda x: responses(x, WIDE_BANK, "wrap"), lambda c, h, w: (len(WIDE_BANK), h, w), "pictures", "float",
        GREY_OR_RGB,
    ),
    "rgb_to_grey": Case(
        lambda x: rgb_to_grey(x), lambda c, h, w: (1, h, w), kind="same", channels=GREY_OR_RGB, is_view=True
    ),
    "rgb_to_hsv": replace(colours, call=lambda x: rgb_to_hsv(x)),
    "rgb_to_lab": replace(colours, call=lambda x: rgb_to_lab(x)),
    "rgb_to_ycbcr": replace(colours, call=lambda x: rgb_to_ycbcr(x)),
    "salt_and_pepper": replace(same, call=lambda x: salt_and_pepper(x, 0.3, seed=3), is_alone=False),
    "sobel": replace(floats, call=lambda x: sobel(x)),
    "word_histogram": Case(
        lambda x: word_histogram(x, words_of(x), pool=2), lambda c, h, w: (16,), "pictures", "float32", GREY_OR_RGB, 3
    ),
    "word_histogram, triangle": Case(
        lambda x: word_histogram(x, words_of(x), assign="triangle"), lambda c, h, w: (4,), "pictures", "float32",
        GREY_OR_RGB, 3,
    ),
    "ycbcr_to_rgb": replace(back, call=lambda x: ycbcr_to_rgb(x)),
}  # fmt: skip
# those that give neither pictures nor arrays: what they do with wrong pictures, and with views
NO_ARRAY: dict[str, Case] = {
    "hog_picture": Case(lambda x: hog_picture(x, 4), kind="str", channels=GREY_OR_RGB, least=4),
    "psnr": Case(lambda x: psnr(x, black(x)), kind="number", is_alone=False),
}
NO_PICTURES = {"filter_bank", "gaussian_derivative_kernel", "gaussian_kernel", "gaussian_taps", "nearest", "vote"}

every = pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
any_result = pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in {**CASES, **NO_ARRAY}.items()]
)
DTYPES = ("uint8", "float32", "float64")
HALVES = ("float16", "bfloat16")
LIBRARIES = ("numpy", "torch")


def test_no_function_is_forgotten() -> None:
    called = {name.split(",")[0] for name in {**CASES, **NO_ARRAY}}
    assert called | NO_PICTURES == set(pictures.__all__)
    assert not called & NO_PICTURES


def draw(shape: tuple[int, ...], dtype: str = "float64", library: str = "numpy", seed: int = 1) -> Any:
    """Pictures of noise, and in each of them a bright square; floats in 0..1."""
    x = np.random.default_rng(seed).random(shape) * 0.6
    x[..., shape[-2] // 4 : shape[-2] // 2 + 1, shape[-1] // 4 : shape[-1] // 2 + 1] += 0.4
    if dtype == "uint8":
        x = np.floor(x * 255.99).astype(np.uint8)
    if dtype in HALVES:
        return torch.from_numpy(x).to(getattr(torch, dtype))
    return torch.from_numpy(x.astype(dtype)) if library == "torch" else x.astype(dtype)


def shapes(case: Case, height: int = 13, width: int = 18) -> Iterator[tuple[int, ...]]:
    if not case.channels or 1 in case.channels:
        yield from ((height, width), (1, height, width), (1, 1, height, width), (3, 1, height, width))
    yield from ((3, height, width), (1, 3, height, width), (2, 3, height, width))


def dtypes(case: Case) -> tuple[str, ...]:
    return DTYPES[1:] if case.takes == "floats" else DTYPES


def numbers(array: Any) -> np.ndarray:
    """A copy."""
    return array.detach().to(torch.float64).numpy() if isinstance(array, torch.Tensor) else np.array(array)


def dtype_of(result: Any) -> str:
    return str(result.dtype).removeprefix("torch.")


def run(case: Case, x: Any) -> Any:
    """Call, and see that the pictures are as they were."""
    before = numbers(x)
    result = case.call(x)
    np.testing.assert_array_equal(numbers(x), before)
    return result


def alike(one: Any, other: Any) -> None:
    """Equal, but for rounding of floats."""
    if isinstance(one, str):
        assert one == other
        return
    precise = isinstance(one, float) or dtype_of(one) == "float64"
    one, other = numbers(one), numbers(other)
    assert one.shape == other.shape
    largest = max(1.0, float(np.abs(one).max(initial=0)))
    np.testing.assert_allclose(one, other, rtol=0, atol=(1e-12 if precise else 3e-6) * largest)


def expected_shape(case: Case, shape: tuple[int, ...]) -> tuple[int, ...]:
    n, *picture = (1,) * (4 - len(shape)) + shape
    one = case.shape(*picture)
    if case.axes == "none":
        return one
    if case.axes == "pictures":
        return (n, *one) if len(shape) == 4 else one
    return (n, *one)[4 - len(shape) :]


def expected_dtype(case: Case, dtype: str) -> str:
    if case.kind == "same":
        return dtype
    if case.kind == "float":
        return "float32" if dtype == "uint8" else dtype
    if case.kind == "wide":
        return "float64" if dtype == "float64" else "float32"
    return case.kind


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


# ------------------------------------------------------------------------------------------------ wrong input


def refused(case: Case, x: Any, said: str) -> None:
    """In one line that says what was got."""
    with pytest.raises(DataError) as error:
        case.call(x)
    text = str(error.value)
    assert "\n" not in text and len(text) < 300 and text.endswith((".", ")")), text
    assert said in text, text


def with_one(x: np.ndarray, value: float) -> np.ndarray:
    x = x.copy()
    x[..., 2, 3] = value
    return x


# what is wrong -> how it is made of a batch, and a word of what is said about it
WRONG: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "one axis": (lambda x: x[0, 0, 0], "(18,)"),
    "no axis": (lambda x: x[0, 0, 0, 0, ...], "()"),
    "five axes": (lambda x: x[None], "(1, 2, 3, 13, 18)"),
    "no pictures": (lambda x: x[:0], "(0, 3, 13, 18)"),
    "no columns": (lambda x: x[..., :0], "(2, 3, 13, 0)"),
    "tensor without rows": (lambda x: torch.from_numpy(x[:, :, :0]), "(2, 3, 0, 18)"),
    "NaN": (lambda x: with_one(x, np.nan), "NaN"),
    "NaN in a tensor": (lambda x: torch.from_numpy(with_one(x, np.nan)), "NaN"),
    "infinity": (lambda x: with_one(x, -np.inf), "infinity"),
    "list": (lambda x: x.tolist(), "list"),
    "nothing": (lambda x: None, "NoneType"),
    "text": (lambda x: x.astype("U5"), "<U5"),
    "int64": (lambda x: x.astype(np.int64), "int64"),
    "int32 tensor": (lambda x: torch.from_numpy(x).int(), "int32"),
    "uint16": (lambda x: x.astype(np.uint16), "uint16"),
    "bool": (lambda x: x > 0.5, "bool"),
    "complex": (lambda x: x.astype(complex), "complex128"),
    "complex tensor": (lambda x: torch.from_numpy(x.astype(complex)), "complex128"),
    "objects": (lambda x: x.astype(object), "object"),
    "sparse matrix": (lambda x: csr_array(x[0, 0]), "csr_array"),
    "sparse tensor": (lambda x: torch.from_numpy(x[0]).to_sparse(), "sparse"),
    "tensor without numbers": (lambda x: torch.empty(x.shape, device="meta"), "meta"),
    "masked array": (lambda x: np.ma.masked_greater(x, 0.5), "MaskedArray"),
}
MASKS_MAY_BE = ("five axes", "infinity", "int64", "int32 tensor", "uint16", "bool")


@any_result
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_pictures_are_refused_in_one_line(case: Case, wrong: str) -> None:
    make, said = WRONG[wrong]
    if case.takes == "masks" and wrong in MASKS_MAY_BE:
        mask = make(draw((2, 3, 13, 18)))
        assert tuple(connected_components(mask).shape) == tuple(mask.shape)
        return
    if case.takes == "masks":
        case = replace(case, call=connected_components)
    refused(case, make(draw((2, 3, 13, 18))), said)


@any_result
def test_another_number_of_channels(case: Case) -> None:
    """Also pictures with their channels last, which are (H, W, 3)."""
    x = draw((4, 13, 13))
    if case.channels:
        refused(case, x, "4")
        refused(case, np.moveaxis(x[:3], 0, -1), "13")
    else:
        run(case, x)
    if case.channels == RGB:
        refused(case, x[0], "(13, 13)")


@every
def test_no_bytes_where_their_unit_is_not_agreed(case: Case) -> None:
    if case.takes == "floats":
        refused(case, draw((3, 13, 18), "uint8"), "uint8")
