"""The functions on pictures, how each is called, and what it promises: what the batteries on pictures run over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

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


def refused(case: Case, x: Any, said: str) -> None:
    """In one line that says what was got."""
    with pytest.raises(DataError) as error:
        case.call(x)
    text = str(error.value)
    assert "\n" not in text and len(text) < 300 and text.endswith((".", ")")), text
    assert said in text, text
