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
