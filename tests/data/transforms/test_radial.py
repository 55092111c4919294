"""Lens distortion: by its formula, on a straight grid, and back."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from pellucid.core.seed import generator
from pellucid.data.transforms import Radial
from pellucid.data.transforms.geometry.radial import distorted, undistorted_radius


def noise(n: int, h: int, w: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, 3, h, w), dtype=np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (5, 4), (28, 28), (33, 50), (224, 224)])
def test_k_of_nothing_is_the_identity_to_the_bit(size):
    image = noise(3, *size)
    assert torch.equal(Radial(0.0)({"image": image}, generator(0, "t"))["image"], image)
    assert torch.equal(distorted({"image": image}, torch.zeros(3))["image"], image)


@pytest.mark.parametrize("k", [-0.3, -0.1, 0.05, 0.2, 0.3])
def test_a_straight_line_bows_by_the_formulas_amount(k):
    """All is bright from x0 on: in row y of the distorted picture it begins where x (1 + k r^2) = x0 - middle."""
    h, w, x0 = 121, 161, 40
    image = torch.zeros(1, 1, h, w, dtype=torch.uint8)
    image[..., x0:] = 255
    found = distorted({"image": image}, torch.tensor([k]))["image"][0, 0].double()
    unit = np.hypot(w, h) / 2
    tried = 0
    for row in range(10, h - 10, 7):
        y = row + 0.5 - h / 2

        def off(x: float, y: float = y) -> float:
            return x * (1 + k * (x * x + y * y) / unit**2) - (x0 - w / 2)

        expected = brentq(off, -w / 2, 0) + w / 2
        measured = w - float(found[row].sum()) / 255
        assert measured == pytest.approx(expected, abs=0.15)  # of bows up to 4 pixels
        tried += 1
    assert tried > 10


def test_lines_bow_outwards_for_positive_k_and_inwards_for_negative():
    image = torch.zeros(2, 1, 101, 101, dtype=torch.uint8)
    image[..., 20] = 255
    found = distorted({"image": image}, torch.tensor([0.25, -0.25]))["image"].double()[:, 0]
    middle, top = ((found[:, row] * torch.arange(101)).sum(1) / found[:, row].sum(1) for row in (50, 15))
    assert top[0] > middle[0] + 1  # barrel: the ends of the line are drawn in, its middle bows out
    assert top[1] < middle[1] - 1  # pincushion


@pytest.mark.parametrize("k", [-0.3, -0.2, 0.0, 0.1, 0.3])
def test_the_way_forward_inverts_the_polynomial(k):
    r = torch.linspace(0, 1, 101, dtype=torch.float64)
    found = undistorted_radius(r * (1 + k * r**2), torch.full_like(r, k))
    assert (found - r).abs().max() < 1e-6


def test_labels_meet_the_pixels():
    """A bright square, its mask, box and middle, of which each is moved by a way of its own."""
    image = torch.zeros(8, 1, 200, 180, dtype=torch.uint8)
    mask = torch.zeros(8, 200, 180, dtype=torch.uint8)
    image[..., 30:60, 120:150] = 255
    mask[..., 30:60, 120:150] = 4
    batch = {
        "image": image,
        "mask": mask,
        "boxes_xyxy": torch.tensor([[[120.0, 30, 150, 60]]]).repeat(8, 1, 1),
        "keypoints": torch.tensor([[[[135.0, 45, 2]]]]).repeat(8, 1, 1, 1),
    }
    k = torch.linspace(-0.3, 0.3, 8)
    found = distorted(batch, k)
    for n in range(8):
        ys, xs = (found["mask"][n] == 4).nonzero().T
        x1, y1, x2, y2 = found["boxes_xyxy"][n, 0].tolist()
        assert [xs.min() + 0.0, ys.min() + 0.0] == pytest.approx([x1, y1], abs=1)
        assert [xs.max() + 1.0, ys.max() + 1.0] == pytest.approx([x2, y2], abs=1)
        bright = found["image"][n, 0] > 127
        assert (bright == (found["mask"][n] == 4)).double().mean() > 0.998
        off = torch.tensor([135.0 - 90, 45 - 100])
        now = found["keypoints"][n, 0, 0, :2] - torch.tensor([90.0, 100])
        unit = np.hypot(180, 200) / 2
        back = now * (1 + k[n] * (now.norm() / unit) ** 2)  # the formula, the other way round
        assert (back - off).abs().max() < 1e-3


def test_what_leaves_the_canvas_is_gone():
    """Pincushion pulls the corners out: a keypoint there is seen no more, its box becomes nothing."""
    batch = {
        "image": torch.zeros(1, 3, 60, 60, dtype=torch.uint8),
        "boxes_xyxy": torch.tensor([[[0.0, 0, 1, 1]]]),
        "box_label": torch.tensor([[2]]),
        "keypoints": torch.tensor([[[[0.5, 0.5, 2]]]]),
    }
    found = distorted(batch, torch.tensor([-0.3]))
    assert found["keypoints"][0, 0, 0, 2] == 0
    assert found["boxes_xyxy"].tolist() == [[[0, 0, 0, 0]]]
    assert found["box_label"].tolist() == [[-1]]


def test_drawn_evenly_both_ways():
    drawn = [Radial(0.2)({"image": noise(1, 9, 9)}, generator(seed, "t"))["image"] for seed in range(30)]
    assert len({bytes(each.numpy().tobytes()) for each in drawn}) > 5
