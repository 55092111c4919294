"""AlexNet's colour noise against its formula."""

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.seed import generator
from pellucid.data.config import AugmentConfig
from pellucid.data.transforms import PcaColour, build
from pellucid.data.transforms.pixels.pca_colour import VALUES, VECTORS, principal_colours


def flat(n: int, channels: int = 3, value: int = 128) -> dict[str, torch.Tensor]:
    return {"image": torch.full((n, channels, 4, 3), value, dtype=torch.uint8), "label": torch.arange(n)}


def test_a_picture_gets_one_colour_everywhere() -> None:
    batch = flat(5)
    before = batch["image"].clone()
    out = PcaColour(0.1)(batch, generator(0, "t"))
    added = out["image"].float() - 128
    assert (
        torch.equal(added, added[..., :1, :1].expand_as(added))
        and len({tuple(a[:, 0, 0].tolist()) for a in added}) == 5
    )
    assert torch.equal(batch["image"], before) and torch.equal(out["label"], batch["label"])


def test_colours_spread_as_the_eigenvalues_say() -> None:
    """The covariance of what is added is sum of (std * 255 * l)^2 p p^T, and 1/12 from rounding."""
    out = PcaColour(0.3)(flat(20_000), generator(0, "t"))["image"][:, :, 0, 0].double()
    vectors, values = np.array(VECTORS), np.array(VALUES)
    expected = vectors.T @ np.diag((0.3 * 255 * values) ** 2) @ vectors + np.eye(3) / 12
    np.testing.assert_allclose(np.cov(out.numpy().T), expected, rtol=0.04)
    np.testing.assert_allclose(out.mean(0).numpy(), 128, atol=0.5)


def test_the_published_vectors_are_a_rotation() -> None:
    vectors = np.array(VECTORS)
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=5e-4)


def test_grey_pictures_change_their_brightness_and_nothing_overflows() -> None:
    grey = PcaColour(0.1)(flat(400, channels=1), generator(0, "t"))["image"]
    assert grey.shape == (400, 1, 4, 3) and 2 < float(grey[:, 0, 0, 0].float().std()) < 6
    bright = PcaColour(10.0)(flat(50, value=250), generator(0, "t"))["image"]
    assert int(bright.max()) == 255 and int(bright.min()) == 0


def test_principal_colours_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(size=(3000, 3)) @ np.diag([60, 20, 8]) @ np.array(VECTORS) + 128, 0, 255).astype(
        np.uint8
    )
    image = torch.from_numpy(pixels.reshape(30, 10, 10, 3)).permute(0, 3, 1, 2)
    values, vectors = principal_colours(image)
    _, singular, right = np.linalg.svd(pixels / 255 - (pixels / 255).mean(0), full_matrices=False)
    np.testing.assert_allclose(values, singular**2 / (len(pixels) - 1), rtol=1e-4)
    np.testing.assert_allclose(np.abs((vectors.numpy() * right).sum(1)), 1, atol=1e-4)
    with pytest.raises(DataError, match=r"image must be \(N, 3, H, W\) with two pixels or more, got \(2, 1, 4, 3\)"):
        principal_colours(flat(2, channels=1)["image"])


def test_it_is_asked_for_by_a_setting() -> None:
    only = AugmentConfig(flip=0, shift=0, pca_colour=0.1)
    steps = build(only, (8, 8), (8, 8), train=True)
    assert steps is not None and steps.steps == (PcaColour(0.1),)
    assert build(only, (8, 8), (8, 8), train=False) is None
    with pytest.raises(ConfigError, match="pca_colour must be from 0 to 10, got -1"):
        AugmentConfig(pca_colour=-1)
