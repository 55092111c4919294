"""Slopes along the diagonals against SciPy's Gaussian and Sobel."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from pellucid.ops.edges.slopes import slopes


@pytest.mark.parametrize("size", [(3, 4), (28, 28), (47, 48), (49, 50), (130, 61)])
@pytest.mark.parametrize("sigma", [0.4, 1.4, 5.0])
def test_slopes_are_sobels_of_smoothed_pictures(size: tuple[int, int], sigma: float) -> None:
    pictures = np.random.default_rng(0).random((3, 1, *size))
    found = slopes(torch.from_numpy(pictures), sigma)
    places = (3, *size), (found.shape[2], found.stride, 1)
    falling, rising, strength = (
        each.as_strided(*places).numpy() for each in (found.falling, found.rising, found.strength)
    )
    for i, picture in enumerate(pictures[:, 0]):
        kept = ndimage.gaussian_filter(np.ones(size), sigma, mode="constant")  # the weight inside
        smooth = ndimage.gaussian_filter(picture, sigma, mode="constant") / kept
        across, down = (ndimage.sobel(smooth, axis, mode="nearest") for axis in (1, 0))
        np.testing.assert_allclose(falling[i] + rising[i], np.sqrt(2) * across, atol=1e-12)
        np.testing.assert_allclose(falling[i] - rising[i], np.sqrt(2) * down, atol=1e-12)
        np.testing.assert_allclose(strength[i], np.hypot(across, down), atol=1e-12)
