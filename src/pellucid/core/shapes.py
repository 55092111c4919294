"""Shapes and sizes in words: parsing what users write, and saying what does not fit."""

from collections.abc import Sequence
from typing import Any

from pellucid.core.errors import ConfigError, DataError


def parse_size(text: str | int | Sequence[int]) -> tuple[int, int]:
    """`64`, `"64"`, `"48x64"` or `(48, 64)` as (height, width).

    Raises:
        ConfigError: not one or two whole numbers from 1 to 8192.
    """
    parts = text.lower().split("x") if isinstance(text, str) else [text] if isinstance(text, int) else text
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(1 <= number <= 8192 for number in numbers):
        raise ConfigError(f"An image size is N or HxW with numbers from 1 to 8192, got {text!r}.")
    return numbers[0], numbers[-1]


def require_shape(array: Any, letters: str, name: str, **fixed: int) -> None:
    """Check the rank of `array`, and the sizes of the letters in `fixed`.

    `require_shape(masks, "N H W", "masks", N=len(images))`

    Raises:
        DataError: the shape is another; the message shows both by name and by number.
    """
    wanted = letters.split()
    shape = tuple(array.shape)
    fits = len(shape) == len(wanted) and all(
        fixed.get(letter, size) == size for letter, size in zip(wanted, shape, strict=True)
    )
    if not fits:
        numbers = ", ".join(str(fixed.get(letter, letter)) for letter in wanted)
        raise DataError(f"{name} must have shape ({', '.join(wanted)}) = ({numbers}), got {shape}.")
