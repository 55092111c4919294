"""Products of 8-bit integers, all rows with all rows, exact.

On processors with instructions for it (VNNI, integer tensor cores) torch multiplies int8 matrices several times faster
than float32 ones. Where it cannot, float32 gives the same integers: it represents all of them up to 2^24.
"""

from functools import cache

import torch
from torch import Tensor

# Q and M rows of D codes, -128 to 127; a product of two codes is at most 2^14

FLOAT_LENGTH = 2**24 // 2**14  # codes whose sum of products float32 is sure to hold: 1024
INT32_LENGTH = 2**31 // 2**16  # codes for which four such sums fit into int32: 32,768


def products(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """Inner products (Q, M) of the rows of a (Q, D) int8 and of b (M, D) int8.

    Args:
        out: (Q, M) int32 that may be written to: fresh memory costs a third of the time of small products.

    Returns:
        int32; int64 when D exceeds INT32_LENGTH, so that what is added to it fits as well.
    """
    if a.shape[1] <= INT32_LENGTH:
        return _int32(a, b, out)
    total = torch.zeros(len(a), len(b), dtype=torch.int64, device=a.device)
    for start in range(0, a.shape[1], INT32_LENGTH):
        total += _int32(
            a[:, start : start + INT32_LENGTH].contiguous(), b[:, start : start + INT32_LENGTH].contiguous()
        )
    return total


def _int32(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    if has_integer_product(a.device.type) and fits_device(a, b):
        return torch._int_mm(a, b.T) if out is None else torch._int_mm(a, b.T, out=out)
    return by_floats(a, b)


def by_floats(a: Tensor, b: Tensor) -> Tensor:
    """The same by float32, in pieces that are short enough to be exact."""
    total = torch.zeros(len(a), len(b), dtype=torch.int32, device=a.device)
    for start in range(0, a.shape[1], FLOAT_LENGTH):
        columns = slice(start, start + FLOAT_LENGTH)
        total += (a[:, columns].to(torch.float32) @ b[:, columns].to(torch.float32).T).to(torch.int32)
    return total


def fits_device(a: Tensor, b: Tensor) -> bool:
    """Whether the integer product of this device takes these shapes: CUDA's is for more than 16 rows, sides of 8."""
    return a.device.type == "cpu" or (len(a) > 16 and a.shape[1] % 8 == 0 and len(b) % 8 == 0)


@cache
def has_integer_product(device_type: str) -> bool:
    """Try it once: whether torch has it depends on its build, the processor and the device."""
    a = torch.arange(32 * 8, device=device_type).reshape(32, 8).sub(128).to(torch.int8)
    try:
        return bool((torch._int_mm(a, a.T) == by_floats(a, a)).all())
    except (RuntimeError, AttributeError):
        return False
