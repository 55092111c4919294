"""The battery of wrong input: every function on pictures refuses the same things, in one line."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

sys.path.insert(0, str(Path(__file__).parent))
from picture_cases import RGB, Case, any_result, draw, every, refused, run

from pellucid.classic.pictures import (
    connected_components,
)


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
