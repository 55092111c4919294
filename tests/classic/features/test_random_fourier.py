import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from pellucid.classic.features import random_fourier as module
from pellucid.classic.features.random_fourier import RandomFourier
from pellucid.core.errors import ConfigError, DataError

X = np.random.default_rng(0).standard_normal((40, 6))


def error(n: int, gamma: float | str = 0.2, seeds: int = 10) -> float:
    """Root mean square difference between inner products and the kernel, over several draws."""
    expected = rbf_kernel(X, gamma=RandomFourier(gamma=gamma).fit(X).gamma_)
    differences = []
    for seed in range(seeds):
        features = RandomFourier(n, gamma, seed).fit_transform(X)
        differences.append(features @ features.T - expected)
    return float(np.sqrt(np.mean(np.square(differences))))


def test_the_error_falls_with_one_over_the_root():
    """16 times the features, a quarter of the error; 10 draws with 780 pairs each estimate it to a few percent."""
    errors = [error(n) for n in (64, 1024, 16_384)]
    for more, fewer in zip(errors[1:], errors, strict=False):
        assert fewer / more == pytest.approx(4, rel=0.2)
    assert errors[-1] < 0.01


def test_pairs_have_the_error_of_theory():
    """Sutherland & Schneider 2015: the variance of a pair of points is (1 + k(2 d) - 2 k(d)^2) / F."""
    away = ((X[:, None] - X) ** 2).sum(-1)
    variance = (1 + np.exp(-0.2 * 4 * away) - 2 * np.exp(-0.2 * 2 * away)) / 100
    assert error(100, seeds=100) == pytest.approx(np.sqrt(variance.mean()), rel=0.1)


@pytest.mark.parametrize("n", [1, 5])
def test_an_odd_number_is_unbiased_too(n):
    mean = np.mean([(f := RandomFourier(n, 0.2, seed).fit_transform(X)) @ f.T for seed in range(400)], axis=0)
    spread = 5 * np.sqrt(2 / n / 400)
    np.testing.assert_allclose(mean, rbf_kernel(X, gamma=0.2), atol=spread)


def test_rows_have_length_1():
    np.testing.assert_allclose(np.linalg.norm(RandomFourier(10).fit_transform(X), axis=1), 1)


def test_scale_is_that_of_scikit_learn():
    assert RandomFourier(4).fit(X).gamma_ == pytest.approx(1 / (6 * X.var()))
    assert RandomFourier(4).fit(np.ones((3, 2))).gamma_ == 1.0


@pytest.mark.parametrize("block", [1, 100, 10**9])
def test_blocks_do_not_show(block, monkeypatch):
    expected = RandomFourier(9, 0.1, 0).fit_transform(X)
    monkeypatch.setattr(module, "BLOCK", block)
    np.testing.assert_allclose(RandomFourier(9, 0.1, 0).fit_transform(X), expected, atol=1e-12)


def test_kinds_in_and_out():
    fitted = RandomFourier(8, 0.1, 0).fit(X)
    expected = fitted.transform(X)
    assert expected.dtype == np.float64
    np.testing.assert_allclose(fitted.transform(X.astype(np.float32)), expected, atol=1e-5)
    assert fitted.transform(X.astype(np.float32)).dtype == np.float32
    assert fitted.transform(np.zeros((2, 6), np.uint8)).dtype == np.float32
    still = X[::-1].copy()
    still.flags.writeable = False
    np.testing.assert_allclose(fitted.transform(still)[::-1], expected)
    np.testing.assert_allclose(fitted.transform(X[::-1])[::-1], expected)
    np.testing.assert_allclose(fitted.transform(np.asfortranarray(X)), expected)


def test_the_seed_says_which():
    first, again, other = (RandomFourier(8, 0.1, seed).fit_transform(X) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_components": 0}, "n_components must be a whole number of at least 1, got 0"),
        ({"n_components": 2.0}, "n_components must be a whole number of at least 1, got 2.0"),
        ({"gamma": 0.0}, "gamma must be a number above 0, or 'scale', got 0.0"),
        ({"gamma": "auto"}, "gamma must be a number above 0, or 'scale', got 'auto'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        RandomFourier(**settings).fit(X)


def test_wrong_rows():
    with pytest.raises(DataError, match="NaN"):
        RandomFourier().fit(np.full((3, 2), np.nan))
    with pytest.raises(DataError, match="X has 5 features, but RandomFourier is expecting 6 features"):
        RandomFourier().fit(X).transform(X[:, :5])
