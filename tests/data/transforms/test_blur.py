"""Blur against SciPy's Gaussian, and what it leaves alone."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from pellucid.core.seed import generator
from pellucid.data.transforms import Blur
from pellucid.data.transforms.pixels.blur import blurred


def pictures(n: int = 4, c: int = 3, h: int = 31, w: int = 24) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, c, h, w), dtype=np.uint8))


@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("sigma", [0.5, 1.3, 3.0])
def test_each_picture_is_smoothed_by_its_own_width_as_scipy_does(c, sigma):
    image = pictures(4, c)
    widths = torch.tensor([0.0, sigma, sigma / 2, sigma])
    found = blurred(image, widths)
    assert torch.equal(found[0], image[0])
    for k in range(1, 4):
        width = float(widths[k])
        expected = gaussian_filter(
            image[k].numpy().astype(float), (0, width, width), mode="mirror", radius=int(np.ceil(3 * width))
        )
        assert np.abs(found[k].numpy() - expected).max() < 0.51


def test_no_width_changes_nothing_and_a_flat_picture_stays_flat():
    image = pictures()
    assert torch.equal(Blur(0.0)({"image": image}, generator(0, "t"))["image"], image)
    flat = torch.full((3, 3, 5, 4), 77, dtype=torch.uint8)  # smaller than the filter
    assert torch.equal(Blur(3.0)({"image": flat}, generator(0, "t"))["image"], flat)


def test_widths_are_spread_over_the_whole_range():
    """The variance that is left of white noise falls with the width; from none to the widest, each is drawn."""
    image = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (400, 1, 16, 16), dtype=np.uint8))
    found = Blur(2.0)({"image": image}, generator(0, "t"))["image"].double()
    left = found.std((1, 2, 3)) / image.double().std((1, 2, 3))
    assert (left == 1).sum() == pytest.approx(2 * 400 / 9, abs=25)  # none, and an eighth, which rounding undoes
    assert left.min() < 0.2
    assert (left < 0.5).double().mean() > 0.5
