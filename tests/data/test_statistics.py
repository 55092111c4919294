import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.preprocess import Preprocess
from pellucid.data import statistics
from pellucid.data.pack import Pack
from pellucid.data.statistics import measure
from pellucid.ops.normalise import normalise


def pack_of(images: np.ndarray, valid_hw: np.ndarray | None = None) -> Pack:
    n, h, w, _ = images.shape
    valid = np.tile([h, w], (n, 1)) if valid_hw is None else valid_hw
    return Pack(images, {"valid_hw": valid}, [str(k) for k in range(n)], np.arange(n), [])


def pictures(n: int, h: int, w: int, c: int, seed: int = 0) -> np.ndarray:
    levels = np.random.default_rng(seed).normal(100 + 20 * np.arange(c), 40, (n, h, w, c))
    return np.clip(levels, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("c", [1, 3])
def test_standardise_is_numpys_mean_and_deviation(c):
    images = pictures(50, 13, 17, c)
    rows = np.arange(0, 50, 2)
    shift, scale, mean_image = measure(pack_of(images), rows, "standardise")
    values = images[rows].reshape(-1, c).astype(np.float64)
    np.testing.assert_allclose(shift, values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(scale, 1 / values.std(0), rtol=1e-12)
    assert mean_image is None


@pytest.mark.parametrize("mode", ["standardise", "centre", "mean-image"])
def test_train_mean_is_zero_after_the_transform(mode):
    images = pictures(40, 12, 11, 3)
    shift, scale, mean_image = measure(pack_of(images), np.arange(40), mode)
    preprocess = Preprocess((12, 11), mode=mode, shift=shift, scale=scale, mean_image=mean_image)
    x = normalise(torch.from_numpy(images).permute(0, 3, 1, 2), preprocess).double()
    assert x.mean((0, 2, 3)).abs().max() < 1e-6
    if mode == "standardise":
        assert (x.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-6
    if mode == "mean-image":
        assert x.mean(0).abs().max() < 1e-6


def test_scaling_modes_reach_their_ends_exactly():
    images = pictures(20, 8, 8, 3)
    images[..., 0] = images[..., 0] // 4 + 30
    for mode, low, high in (("unit", 0, 1), ("signed", -1, 1)):
        shift, scale, _ = measure(pack_of(images), np.arange(20), mode)
        np.testing.assert_allclose((np.array([0, 255]) - shift[0]) * scale[0], [low, high], rtol=0, atol=1e-15)
    shift, scale, _ = measure(pack_of(images), np.arange(20), "minmax")
    x = (images - np.array(shift)) * np.array(scale)
    np.testing.assert_allclose(x.min((0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(x.max((0, 1, 2)), 1, atol=1e-12)
    assert measure(pack_of(images), np.arange(20), "none")[:2] == ((0.0,) * 3, (1.0,) * 3)


@pytest.mark.parametrize("mode", ["standardise", "minmax"])
def test_a_constant_channel_divides_by_nothing(mode):
    images = pictures(10, 6, 6, 3)
    images[..., 1] = 77
    shift, scale, _ = measure(pack_of(images), np.arange(10), mode)
    assert shift[1] == 77
    assert scale[1] == 1 / 255
    assert np.isfinite(scale).all()


@pytest.mark.parametrize("mode", ["standardise", "centre", "mean-image", "minmax"])
def test_other_rows_do_not_leak_in(mode):
    images = pictures(30, 9, 9, 3)
    rows = np.arange(10, 20)
    before = measure(pack_of(images), rows, mode)
    images[:10], images[20:] = 0, 255
    after = measure(pack_of(images), rows, mode)
    assert before[:2] == after[:2]
    if mode == "mean-image":
        assert np.array_equal(before[2], after[2])


@pytest.mark.parametrize("mode", ["standardise", "centre", "mean-image", "minmax"])
@pytest.mark.parametrize("padding", [0, 255])
def test_padding_does_not_count(mode, padding):
    """What lies outside the pictures may have any value; the numbers are those of the pictures alone."""
    valid = np.array([[6, 10], [10, 4], [10, 7]] * 4)
    images = pictures(12, 10, 10, 3)
    inside = np.zeros((12, 10, 10), bool)
    for row, (h, w) in enumerate(valid):
        inside[row, :h, :w] = True
    images[~inside] = padding
    shift, scale, mean_image = measure(pack_of(images, valid), np.arange(12), mode)
    values = images[inside].astype(np.float64)  # (pixels, 3)
    expected = {
        "standardise": (values.mean(0), 1 / values.std(0)),
        "centre": (values.mean(0), [1 / 255] * 3),
        "mean-image": (values.mean(0), [1 / 255] * 3),
        "minmax": (values.min(0), 1 / (values.max(0) - values.min(0))),
    }[mode]
    np.testing.assert_allclose(shift, expected[0], rtol=1e-12)
    np.testing.assert_allclose(scale, expected[1], rtol=1e-12)
    if mode == "mean-image":
        counted = inside.sum(0)
        mean = (images * inside[..., None]).sum(0) / np.maximum(counted, 1)[..., None]
        mean[counted == 0] = values.mean(0)
        np.testing.assert_allclose(mean_image, mean.transpose(2, 0, 1), rtol=1e-6)


def test_mean_image_of_constant_pictures_is_the_channel_mean():
    images = np.broadcast_to(np.array([10, 20, 30], np.uint8), (5, 7, 8, 3)).copy()
    _, _, mean_image = measure(pack_of(images), np.arange(5), "mean-image")
    shift, _, _ = measure(pack_of(images), np.arange(5), "centre")
    assert mean_image.shape == (3, 7, 8)
    assert np.array_equal(mean_image, np.broadcast_to(np.float32(shift)[:, None, None], (3, 7, 8)))


def test_chunks_change_no_bit(monkeypatch):
    pack = pack_of(pictures(70, 31, 29, 3))
    rows = np.random.default_rng(0).permutation(70)
    whole = [measure(pack, rows, mode) for mode in ("standardise", "mean-image", "minmax")]
    monkeypatch.setattr(statistics, "CHUNK_BYTES", 1)
    for mode, expected in zip(("standardise", "mean-image", "minmax"), whole, strict=True):
        found = measure(pack, np.sort(rows), mode)
        assert found[:2] == expected[:2]
        assert mode != "mean-image" or np.array_equal(found[2], expected[2])


def test_sums_of_the_brightest_pictures_are_exact():
    """All 255: the sum of squares in float32 would round beyond 2**24."""
    images = np.full((300, 40, 40, 1), 255, np.uint8)
    images[0, 0, 0, 0] = 254
    n = images.size
    sums = statistics._sums(pack_of(images), np.arange(300))
    assert sums.total[0] == 255 * n - 1
    assert sums.squares[0] == 255**2 * n - 509
    np.testing.assert_allclose(sums.variance[0], (n - 1) / n**2, rtol=1e-12)


def test_errors():
    pack = pack_of(pictures(3, 4, 4, 3))
    with pytest.raises(DataError, match=r"^Preprocessing 'centre' is measured on the training split, which is empty\."):
        measure(pack, np.arange(0), "centre")
    with pytest.raises(ConfigError, match=r"^Unknown preprocessing 'standardize'\. Did you mean 'standardise'\?"):
        measure(pack, np.arange(3), "standardize")
