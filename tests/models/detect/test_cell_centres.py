"""Cells lie where their strides say."""

import torch

from pellucid.models.detect.cells import cell_centres


def test_rows_of_each_map_in_turn() -> None:
    centres, strides = cell_centres({4: torch.zeros(2, 7, 1, 2), 8: torch.zeros(2, 9, 2, 1)})
    assert centres.tolist() == [[2, 2], [6, 2], [4, 4], [4, 12]]
    assert strides.tolist() == [4, 4, 8, 8]
