"""Pieces of the plane, and what more hidden units do to them."""

import numpy as np
import pytest
import scipy.ndimage

from pellucid.scratch.nets.decision_regions import capacity_table, region_count

BOX = (-1.0, -1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("predict", "wanted"),
    [
        (lambda x: np.zeros(len(x), int), 1),
        (lambda x: (x[:, 0] > 0).astype(int), 2),
        (lambda x: (np.hypot(*x.T) < 0.5).astype(int), 2),  # a disc and what is around it
        (lambda x: (np.floor(x[:, 0] * 2) + np.floor(x[:, 1] * 2)).astype(int) % 2, 16),  # a board of 4 x 4
        (lambda x: (np.floor(x[:, 0] * 2)).astype(int), 4),
        (lambda x: (np.abs(x[:, 0]) > 0.5).astype(int), 3),
    ],
)
def test_regions_of_shapes_that_are_known(predict, wanted: int):
    box = (-0.999, -0.999, 0.999, 0.999)  # no place of the grid lies on a border
    assert region_count(predict, box, 120) == wanted


@pytest.mark.parametrize("seed", range(5))
def test_regions_of_noise_and_of_a_spiral_as_scipy_counts_them(seed: int):
    rng = np.random.default_rng(seed)
    size, turns = 60, 2 + seed
    noise = rng.integers(2 + seed, size=size * size)
    axis = np.linspace(-1, 1, size)
    x, y = np.meshgrid(axis, axis)
    spiral = ((np.arctan2(y, x) / np.pi + turns * np.hypot(x, y)) % 2 < 1).astype(int).ravel()
    for classes in (noise, spiral):
        grid = classes.reshape(size, size)
        wanted = sum(scipy.ndimage.label(grid == value)[1] for value in np.unique(grid))
        assert region_count(lambda _, classes=classes: classes, BOX, size) == wanted


def noisy_board(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A board of 3 x 3, one label in seven wrong."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 2))
    colour = np.floor((X + 1) * 1.5).sum(axis=1).astype(int) % 2
    return X, (colour ^ (rng.random(n) < 0.15)).astype(int)


def test_more_hidden_units_make_more_regions_and_a_wider_gap():
    (X, y), (X_val, y_val) = noisy_board(90, 13), noisy_board(500, 53)
    data = {"X_train": X, "y_train": y, "X_val": X_val, "y_val": y_val}
    small, middle, large = capacity_table([[1], [5], [60, 60]], data, BOX, num_epochs=400)
    assert [row.hidden for row in (small, middle, large)] == [(1,), (5,), (60, 60)]
    assert small.regions <= 2 < middle.regions < large.regions
    assert small.train_accuracy < middle.train_accuracy < large.train_accuracy
    assert small.gap < middle.gap < large.gap
    assert large.gap == large.train_accuracy - large.val_accuracy > 0.15
