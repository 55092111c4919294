"""Every challenge at a stated strength: none at 0, the stated amount above, labels along, the same again by seed."""

import numpy as np
import pytest
import torch

from pellucid.core.seed import generator
from pellucid.data.transforms.challenges import cover, light, viewpoint
from pellucid.data.transforms.challenges.table import CHALLENGES, At
from pellucid.data.transforms.geometry.perspective import tilted

EACH = pytest.mark.parametrize("name", list(CHALLENGES))
GEOMETRIC = {"turned", "slanted", "tilted", "nearer", "further", "bent", "bowed"}
MOVING = pytest.mark.parametrize("name", sorted(GEOMETRIC))


def pictures(n: int = 6, c: int = 3, h: int = 30, w: int = 26, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, c, h, w), dtype=np.uint8))


def blob(n: int = 8, h: int = 120, w: int = 110, reach: int = 9) -> dict[str, torch.Tensor]:
    """A bright square around (61, 55), its mask, box and middle."""
    image = torch.full((n, 1, h, w), 20, dtype=torch.uint8)
    mask = torch.zeros(n, h, w, dtype=torch.uint8)
    rows, columns = slice(55 - reach, 55 + reach), slice(61 - reach, 61 + reach)
    image[:, :, rows, columns], mask[:, rows, columns] = 220, 3
    return {
        "image": image,
        "mask": mask,
        "label": torch.arange(n),
        "boxes_xyxy": torch.tensor([[[61.0 - reach, 55 - reach, 61 + reach, 55 + reach]]]).repeat(n, 1, 1),
        "box_label": torch.ones(n, 1, dtype=torch.int64),
        "keypoints": torch.tensor([[[[61.0, 55, 2]]]]).repeat(n, 1, 1, 1),
    }


@EACH
def test_nothing_at_strength_0_to_the_bit(name):
    challenge = CHALLENGES[name]
    for c in (1, 3):
        batch = {"image": pictures(c=c), "mask": pictures(c=1, seed=1)[:, 0]}
        assert At(challenge, 0.0)(batch, generator(0, "t")) is batch
        found = challenge.change(batch, 0.0, generator(0, "t"))  # the change itself is none either
        assert torch.equal(found["image"], batch["image"])
        assert torch.equal(found["mask"], batch["mask"])


@EACH
def test_same_seed_same_bits_and_rising_strength(name):
    challenge = CHALLENGES[name]
    assert list(challenge.strengths) == sorted(challenge.strengths) and challenge.strengths[0] > 0
    batch = {"image": pictures(), "label": torch.arange(6)}
    before = batch["image"].clone()
    distances = []
    for strength in (0.0, *challenge.strengths):
        found = At(challenge, strength)(batch, generator(3, "t"))
        again = At(challenge, strength)(batch, generator(3, "t"))
        assert torch.equal(found["image"], again["image"])
        assert found["image"].dtype is torch.uint8 and found["image"].shape == before.shape
        assert torch.equal(found["label"], batch["label"])
        distances.append(float((found["image"].double() - before.double()).abs().mean()))
    assert torch.equal(batch["image"], before)
    assert distances[0] == 0 < distances[1]
    if name not in GEOMETRIC:  # in white noise every move is as far as any other
        assert distances == sorted(distances)


@EACH
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (5, 7)])
def test_small_batches_and_tiny_pictures(name, n, size):
    challenge = CHALLENGES[name]
    found = At(challenge, challenge.strengths[-1])({"image": pictures(n, 3, *size)}, generator(0, "t"))
    assert found["image"].shape == (n, 3, *size)


@MOVING
def test_labels_follow_what_moves(name):
    challenge, batch = CHALLENGES[name], blob(reach=3)
    for strength in challenge.strengths:
        found = At(challenge, strength)(batch, generator(1, "t"))
        bright = found["image"][:, 0] > 120
        assert (bright == (found["mask"] == 3)).double().mean() > 0.99
        for k in range(8):
            ys, xs = (found["mask"][k] == 3).nonzero().T
            x1, y1, x2, y2 = found["boxes_xyxy"][k, 0].tolist()
            assert xs.min() >= x1 - 1 and xs.max() + 1 <= x2 + 1
            assert ys.min() >= y1 - 1 and ys.max() + 1 <= y2 + 1
            middle = torch.stack([xs.double().mean(), ys.double().mean()]) + 0.5
            assert (middle - found["keypoints"][k, 0, 0, :2]).abs().max() < 0.8


def test_turned_by_the_stated_angle():
    batch = blob()
    start = batch["keypoints"][0, 0, 0, :2] - torch.tensor([55.0, 60])
    found = viewpoint.turn(batch, 30, generator(0, "t"))
    signs = set()
    for k in range(8):
        now = found["keypoints"][k, 0, 0, :2] - torch.tensor([55.0, 60])
        cross, dot = start[0] * now[1] - start[1] * now[0], (start * now).sum()
        angle = torch.rad2deg(torch.atan2(cross, dot))
        assert abs(angle) == pytest.approx(30, abs=1e-3)
        assert now.norm() == pytest.approx(float(start.norm()), rel=1e-5)
        signs.add(int(angle.sign()))
    assert signs == {-1, 1}


@pytest.mark.parametrize(("change", "factor"), [(viewpoint.nearer, 1.5), (viewpoint.further, 1 / 1.5)])
def test_nearer_and_further_scale_lengths(change, factor):
    found = change(blob(), 0.5, generator(0, "t"))
    x1, y1, x2, y2 = found["boxes_xyxy"][0, 0].tolist()
    assert [x2 - x1, y2 - y1] == pytest.approx([18 * factor, 18 * factor], rel=1e-5)
    assert (found["mask"][0] == 3).sum() == pytest.approx((18 * factor) ** 2, rel=0.06)


def test_tilting_keeps_lines_straight_and_sizes_the_edges_as_said():
    """At tilt t towards +x the left edge is (1 + t) / (1 - t) as long as the right one; three points stay in line."""
    points = torch.tensor([[10.0, 10], [10, 90], [90, 10], [90, 90], [10, 30], [50, 50], [90, 70]])
    batch = {
        "image": torch.zeros(1, 1, 100, 100, dtype=torch.uint8),
        "keypoints": torch.cat([points, torch.full((7, 1), 2.0)], 1)[None, None],
    }
    t = 0.3
    found = tilted(batch, torch.tensor([[t, 0.0]]))["keypoints"][0, 0, :, :2]
    left, right = found[1, 1] - found[0, 1], found[3, 1] - found[2, 1]
    assert left / right == pytest.approx((1 + 0.8 * t) / (1 - 0.8 * t), rel=1e-5)  # points at -0.8 and 0.8
    a, b, c = found[4:]
    assert ((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0]).abs() < 1e-2


@pytest.mark.parametrize("c", [1, 3])
def test_light_is_multiplied_as_said(c):
    image = pictures(c=c)
    x = image.double()
    assert (light.darker({"image": image}, 0.4, generator(0, "t"))["image"] - x * 0.6).abs().max() <= 0.51
    assert (
        light.brighter({"image": image}, 0.5, generator(0, "t"))["image"] - (x * 1.5).clamp(max=255)
    ).abs().max() < 0.6
    flat = light.fainter({"image": image}, 1.0, generator(0, "t"))["image"]
    assert all(len(each.unique()) == 1 for each in flat)  # no contrast: one grey
    half = light.fainter({"image": image}, 0.5, generator(0, "t"))["image"].double()
    assert half.std() == pytest.approx(float(x.std()) / 2, rel=0.02)


def test_light_from_a_side_is_a_ramp_with_unchanged_middle():
    image = torch.full((20, 1, 41, 41), 100, dtype=torch.uint8)
    found = light.from_the_side({"image": image}, 0.5, generator(0, "t"))["image"].double()
    assert (found[:, 0, 20, 20] == 100).all()
    assert found.mean() == pytest.approx(100, abs=0.2)
    assert found.amax((1, 2, 3)).min() > 146 and found.amin((1, 2, 3)).max() < 54


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_so_much_is_hidden(share):
    batch = {"image": torch.zeros(50, 3, 100, 90, dtype=torch.uint8), "mask": torch.zeros(50, 100, 90).long()}
    found = cover.hide(batch, share, generator(0, "t"))
    hidden = found["image"][:, 0] == cover.GREY
    assert (hidden.double().mean((1, 2)) - share).abs().max() < 0.01
    assert torch.equal(hidden, found["mask"] == 255)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_so_much_is_another_picture_and_the_middle_is_ones_own(share):
    grey = (torch.arange(5, dtype=torch.uint8) * 40).view(5, 1, 1, 1)
    batch = {"image": grey.expand(5, 3, 60, 80).contiguous(), "mask": grey.expand(5, 1, 60, 80)[:, 0].long()}
    found = cover.crowd(batch, share, generator(0, "t"))
    own = found["image"] == batch["image"]
    assert 1 - own.double().mean() == pytest.approx(share, abs=0.02)
    assert own[:, :, 22:38, 30:50].all()
    assert not own[:, :, 0].any()
    assert torch.equal(found["mask"], found["image"][:, 0].long())  # pixels bring their classes along
