"""Whitening: identity covariance, what eps does, and that ZCA stays nearest to the data."""

import re

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn import decomposition
from sklearn.datasets import load_digits

from pellucid.classic.preprocessing.whiten import Whiten
from pellucid.core.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 15)) @ RNG.standard_normal((15, 15)) * np.geomspace(0.01, 100, 15) - 5
DIGITS = np.asarray(load_digits().data)
kinds = pytest.mark.parametrize("kind", ["pca", "zca"])


@kinds
def test_covariance_of_the_training_rows_is_the_identity(kind: str) -> None:
    white = Whiten(kind).fit_transform(X)
    np.testing.assert_allclose(np.cov(white.T), np.eye(15), atol=1e-6)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)


def test_pca_whitening_equals_scikit_learn() -> None:
    other = decomposition.PCA(whiten=True, svd_solver="full").fit(X)
    np.testing.assert_allclose(np.abs(Whiten().fit(X).transform(X[:9])), np.abs(other.transform(X[:9])), atol=5e-6)


def test_zca_is_the_inverse_root_of_the_covariance() -> None:
    values, vectors = np.linalg.eigh(np.cov(X.T))
    root = vectors / np.sqrt(values) @ vectors.T
    np.testing.assert_allclose(Whiten("zca").fit_transform(X), (X - X.mean(axis=0)) @ root, atol=1e-6)


def test_zca_moves_the_data_least_of_all_whitenings() -> None:
    zca, centred = Whiten("zca").fit_transform(X), X - X.mean(axis=0)
    least = ((zca - centred) ** 2).sum()
    assert least < ((Whiten("pca").fit_transform(X) - centred) ** 2).sum()
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(25):
            lean = rng.normal(0, size, (15, 15))
            turned = zca @ np.linalg.qr(np.eye(15) + lean - lean.T)[0]
            turned = turned if size < 1 else zca @ ortho_group.rvs(15, random_state=rng)
            np.testing.assert_allclose(np.cov(turned.T), np.eye(15), atol=1e-6)  # white as well
            assert ((turned - centred) ** 2).sum() > least


@kinds
def test_directions_without_variance_become_zero(kind: str) -> None:
    white = Whiten(kind).fit(DIGITS)  # three corners are blank in every digit
    out = white.transform(DIGITS)
    assert np.isfinite(out).all() and np.abs(out).max() < 60
    varying = int((DIGITS.std(axis=0) > 0).sum())
    assert varying < 64
    values = np.linalg.eigvalsh(np.cov(out.T))
    np.testing.assert_allclose(values[-varying:], 1, atol=1e-6)
    np.testing.assert_allclose(values[:-varying], 0, atol=1e-6)
    np.testing.assert_allclose(white.inverse_transform(out), DIGITS, atol=1e-9)


@kinds
def test_what_never_varied_says_nothing_about_new_rows(kind: str) -> None:
    rows = np.column_stack([X[:, :3], np.full(len(X), 4.0)])
    moved = rows + np.array([0, 0, 0, 9])
    own = Whiten(kind).fit(rows)
    np.testing.assert_allclose(own.transform(moved), own.transform(rows), atol=1e-6)


@kinds
def test_eps_shrinks_each_direction_by_the_formula(kind: str) -> None:
    own = Whiten(kind, eps=2.0).fit(X)
    values = np.sort(np.linalg.eigvalsh(np.cov(own.transform(X).T)))
    before = np.sort(np.linalg.eigvalsh(np.cov(X.T)))
    np.testing.assert_allclose(values, before / (before + 2), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(own.inverse_transform(own.transform(X)), X, atol=1e-8)


def test_fewer_rows_than_features() -> None:
    few = DIGITS[:10]
    for kind, width in (("pca", 10), ("zca", 64)):
        own = Whiten(kind).fit(few)
        out = own.transform(few)
        assert out.shape == (10, width)
        values = np.sort(np.linalg.eigvalsh(np.cov(out.T)))[::-1]
        np.testing.assert_allclose(values[:9], 1, atol=1e-6)  # ten rows vary in nine directions
        np.testing.assert_allclose(values[9:], 0, atol=1e-6)
        np.testing.assert_allclose(own.inverse_transform(out), few, atol=1e-9)


@kinds
def test_rows_that_are_all_alike(kind: str) -> None:
    assert (Whiten(kind).fit_transform(np.ones((4, 3))) == 0).all()


def test_wrong_settings() -> None:
    with pytest.raises(ConfigError, match=re.escape("Unknown whitening 'zac'. Did you mean 'zca'")):
        Whiten("zac").fit(X)
    with pytest.raises(ConfigError, match=re.escape("eps must be at least 0, got -1.")):
        Whiten(eps=-1).fit(X)
    with pytest.raises(DataError, match=r"needs \(N, 15\), as transform gave, got shape \(2, 4\)"):
        Whiten("zca").fit(X).inverse_transform(np.zeros((2, 4)))
