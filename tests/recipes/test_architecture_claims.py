"""What the experiments with networks claim, on smaller numbers."""

import numpy as np
import pytest
import torch
from write_questions import ARCHITECTURES

from pellucid.models.classify.googlenet import WIDTHS


def test_a_naive_module_costs_what_its_kernels_do() -> None:
    """Multiply-adds by hand: 28 · 28 places, 256 maps in."""
    script = ARCHITECTURES.load("naive_inception")
    places = 28 * 28
    naive = places * 256 * (128 * 1 + 192 * 9 + 96 * 25)
    small = places * (256 * (128 + 64 + 64 + 64) + 64 * 192 * 9 + 64 * 96 * 25)
    _, rows, _ = script.experiment()
    table = {row[0]: row[1:] for row in rows}
    assert (naive, small) == (854_196_224, 271_351_808)
    assert table["whole module"] == ["854.2 million", "271.4 million"]
    assert table["5 × 5 branch"][0] == "481.7 million" and table["maps that come out"] == ["672", "480"]


def test_naive_modules_grow_by_all_they_are_given() -> None:
    stacks = ARCHITECTURES.load("naive_inception").stacked()
    kernels = [widths[0] + widths[2] + widths[4] for widths in WIDTHS.values()]
    assert [maps for _, maps in stacks["naive"]] == list(192 + np.cumsum(kernels))
    assert stacks["naive"][-1][1] == 4944 and stacks["bottlenecked"][-1][1] == 1024
    naive, small = (sum(cost for cost, _ in stack) for stack in stacks.values())
    assert 10.5 < naive / small < 11.5
    assert all(cheap < dear for (cheap, _), (dear, _) in zip(stacks["bottlenecked"], stacks["naive"], strict=True))


def test_heads_enlarge_the_gradients_below_them() -> None:
    """Of one fresh net; layers above both heads have what they had."""
    script = ARCHITECTURES.load("auxiliary_heads")
    without, with_heads = script.gradients("googlenet_paper", seed=0)
    below = script.SECOND_HEAD + 1
    assert (with_heads[:below] > without[:below]).all() and np.array_equal(with_heads[below:], without[below:])
    assert without[0] < 0.1 * without[-1], "the gradient shrinks on its way down"


def test_pictures_are_standardised_and_the_same_each_time() -> None:
    script = ARCHITECTURES.load("auxiliary_heads")
    images, labels = script.pictures(3, 5)
    assert images.shape == (5, 1, 28, 28) and labels.shape == (5,)
    assert float(images.mean()) == pytest.approx(0, abs=1e-5) and float(images.std()) == pytest.approx(1, rel=1e-5)
    assert torch.equal(images, script.pictures(3, 5)[0])


@pytest.mark.parametrize(
    ("name", "parameters", "dense"),
    [
        ("alexnet_notes", 62_378_344, 9216 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000),
        ("vgg16", 138_357_544, 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000),
        ("resnet50", 25_557_032, 2048 * 1000 + 1000),
    ],
)
def test_parameters_lie_in_the_fully_connected_layers(name: str, parameters: int, dense: int) -> None:
    """The published counts, and the fully connected layers by hand."""
    script = ARCHITECTURES.load("where_the_numbers_are")
    counted = script.sums(script.geometry(name))["parameters"]
    assert sum(counted.values()) == parameters and counted["fully connected"] == dense


def test_the_first_dense_layer_of_vgg_has_three_quarters_of_its_parameters() -> None:
    script = ARCHITECTURES.load("where_the_numbers_are")
    rows = {row.name: row.parameters for row in script.geometry("vgg16").rows}
    assert rows["classifier.0"] == 25_088 * 4096 + 4096
    assert rows["classifier.0"] / sum(rows.values()) == pytest.approx(0.743, abs=0.0005)


def test_activations_and_work_lie_in_the_first_half() -> None:
    script = ARCHITECTURES.load("where_the_numbers_are")
    for name in script.NETWORKS:
        counted = script.sums(script.geometry(name))
        for kind in ("activations", "multiply-adds"):
            first, later, dense = (n / sum(counted[kind].values()) for n in counted[kind].values())
            assert first > 0.5 and first > later and dense < (0.06 if name == "alexnet_notes" else 0.01)


def test_activations_of_vgg_by_hand() -> None:
    """Maps of every convolution and pooling, and of the mean that changes nothing at 224 px; ReLUs work in place."""
    script = ARCHITECTURES.load("where_the_numbers_are")
    counted = script.sums(script.geometry("vgg16"))["activations"]
    stages = [(2, 64, 224), (2, 128, 112), (3, 256, 56), (3, 512, 28), (3, 512, 14)]  # convolutions, maps, side
    maps = sum(n * c * side**2 + c * (side // 2) ** 2 for n, c, side in stages) + 512 * 7**2
    assert counted["fully connected"] == 4 * (4096 + 4096 + 1000)
    assert sum(counted.values()) == 4 * maps + counted["fully connected"]
    assert counted["fully connected"] < 0.001 * sum(counted.values())


def test_sharing_saves_as_many_times_as_there_are_places() -> None:
    """AlexNet's first layer by hand; 105,705,600 and 34,944 are also in CS231n's notes on convolutions."""
    script = ARCHITECTURES.load("what_sharing_saves")
    dense, local, shared = script.layer(*script.LAYERS["AlexNet, first layer"])
    assert dense.parameters == 55 * 55 * 96 * (227 * 227 * 3 + 1)
    assert (local.parameters, shared.parameters) == (105_705_600, 34_944)
    assert local.parameters == 3025 * shared.parameters and round(dense.parameters / local.parameters) == 425
    assert local.macs == shared.macs == 55 * 55 * 96 * 11 * 11 * 3


def test_a_larger_picture_costs_a_convolution_no_parameters() -> None:
    script = ARCHITECTURES.load("what_sharing_saves")
    small, large = (script.layer(3, side, 16, 3, 1, 1) for side in (16, 32))
    growth = [b.parameters / a.parameters for a, b in zip(small, large, strict=True)]
    assert growth == pytest.approx([16, 4, 1], rel=1e-2)
