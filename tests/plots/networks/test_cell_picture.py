"""The drawing of a cell."""

import pytest

from pellucid.core.errors import DataError
from pellucid.models.classify.genotype import parse
from pellucid.plots.networks.cell import cell


def test_a_cell_has_a_box_for_each_operation_and_arrows_for_the_skips() -> None:
    """Input, output, three sums and four operations; two arrows an operation, one a skip, and two to the output."""
    picture = cell(parse("conv3(0)+skip(0) separable5(1)+max3(0) average3(1)+skip(1)").nodes, "A cell")
    assert "A cell: 9 nodes, 12 edges." in picture
    for word in ("input", "output", "conv3", "separable5", "max3", "average3"):
        assert picture.count(f">{word}<") == 1
    assert ">skip<" not in picture and picture.count(">+<") == 3


def test_two_skips_from_one_place_are_two_arrows() -> None:
    assert "3 nodes, 3 edges." in cell(parse("skip(0)+skip(0)").nodes, "Twice")


def test_a_node_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="names a node that is not there"):
        cell([(("conv3", 0), ("skip", 4))], "Wrong")
