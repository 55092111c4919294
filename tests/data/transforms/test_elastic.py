"""Soft deformation: nothing at 0, a pure move as a move, and labels where the pixels went."""

import numpy as np
import pytest
import torch

from pellucid.core.seed import generator
from pellucid.data.transforms import Elastic
from pellucid.data.transforms.geometry.elastic import LATTICE, deformed


@pytest.mark.parametrize("size", [(1, 1), (5, 4), (28, 28), (33, 50)])
def test_nothing_is_the_identity_to_the_bit(size):
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, *size), dtype=np.uint8))
    assert torch.equal(Elastic(0.0)({"image": image}, generator(0, "t"))["image"], image)


def test_a_lattice_that_moves_as_one_moves_the_picture():
    """All points by 3 of 30 pixels to the right and none down: what is shown was 3 pixels to the right."""
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 20, 30), dtype=np.uint8))
    lattice = torch.zeros(1, 2, LATTICE, LATTICE)
    lattice[:, 0] = 0.1
    batch = {"image": image, "keypoints": torch.tensor([[[[10.0, 5, 2], [2.0, 5, 2]]]])}
    found = deformed(batch, lattice)
    assert (found["image"][..., :27].int() - image[..., 3:].int()).abs().max() <= 1
    torch.testing.assert_close(found["keypoints"][0, 0, 0], torch.tensor([7.0, 5, 2]), atol=1e-4, rtol=0)
    assert found["keypoints"][0, 0, 1, 2] == 0  # left the canvas


@pytest.mark.parametrize("seed", range(5))
def test_the_strongest_deformation_does_not_fold_and_points_come_back(seed):
    """Rows and columns keep their order, and the way forward ends where the pixels were taken from."""
    h, w = 64, 80
    ramp = torch.zeros(1, 2, h, w, dtype=torch.uint8)
    ramp[0, 0], ramp[0, 1] = torch.arange(w) * 3, torch.arange(h)[:, None] * 3
    y, x = torch.meshgrid(torch.arange(8, 60, 7.0), torch.arange(8, 76, 7.0), indexing="ij")
    points = torch.stack([x, y, torch.full_like(x, 2)], -1).reshape(1, 1, -1, 3)
    found = Elastic(0.05)({"image": ramp, "keypoints": points}, generator(seed, "t"))
    values = found["image"][0].int()
    assert (values[0].diff(dim=1) >= 0).all()
    assert (values[1].diff(dim=0) >= 0).all()
    for old, new in zip(points[0, 0], found["keypoints"][0, 0], strict=True):
        if new[2] == 0:
            continue
        row, column = int(new[1]), int(new[0])
        assert abs(values[0, row, column] / 3 + 0.5 - old[0]) < 1.6
        assert abs(values[1, row, column] / 3 + 0.5 - old[1]) < 1.6
