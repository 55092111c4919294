"""Fully connected, locally connected, convolution: the worked example of CS231n, and one layer's matrix counted."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import DataError
from pellucid.nn.geometry.sharing import connections, connections_table


def test_the_first_layer_of_alexnet() -> None:
    """CS231n: 55 · 55 · 96 = 290,400 units of 11 · 11 · 3 = 363 weights and a bias; 105,705,600, shared 34,944."""
    full, local, conv = connections(3, (227, 227), 96, 11, stride=4)
    assert full.parameters == (227 * 227 * 3 + 1) * 290_400
    assert local.parameters == 105_705_600
    assert conv.parameters == 34_944 == sum(p.numel() for p in nn.Conv2d(3, 96, 11, 4).parameters())
    assert local.macs == conv.macs == 363 * 290_400


def test_a_convolution_is_a_sparse_matrix_of_few_numbers() -> None:
    """As a fully connected layer it has zeros away from the patches, and the same numbers in each of them."""
    conv = nn.Conv2d(2, 3, 3, stride=2, bias=False)
    x = torch.zeros(2, 7, 5)
    matrix = torch.autograd.functional.jacobian(lambda x: conv(x[None])[0], x).flatten(0, 2).flatten(1)
    units = 3 * 3 * 2
    full, local, shared = connections(2, (7, 5), 3, 3, stride=2)
    assert matrix.numel() == full.parameters - units == full.macs
    assert int(matrix.count_nonzero()) == local.parameters - units == local.macs
    assert len(matrix[matrix != 0].unique()) == shared.parameters - 3


def test_padding_keeps_the_size() -> None:
    full, local, conv = connections(3, (32, 32), 10, 5, padding=2)
    assert (full.parameters, local.parameters, conv.parameters) == (3073 * 10_240, 76 * 10_240, 760)


def test_a_filter_as_large_as_the_picture_saves_nothing() -> None:
    full, local, conv = connections(3, (6, 6), 4, 6)
    assert full[1:] == local[1:] == conv[1:]


def test_the_table() -> None:
    assert connections_table(connections(3, (32, 32), 10, 5)).splitlines() == [
        "| layer | parameters | of the first | multiply-adds |",
        "| --- | ---: | ---: | ---: |",
        "| fully connected | 24,092,320 | 1 | 24,084,480 |",
        "| locally connected | 595,840 | 0.0247 | 588,000 |",
        "| convolution | 760 | 3.15e-05 | 588,000 |",
    ]


def test_filters_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="the kernel reaches over 11 pixels"):
        connections(3, (8, 32), 4, 11)
