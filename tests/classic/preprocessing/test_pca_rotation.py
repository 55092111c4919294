"""PCA and decorrelation: beside scikit-learn's, and by eigenvectors of the covariance."""

import re
from typing import Any

import numpy as np
import pytest
from sklearn import decomposition
from sklearn.datasets import load_digits

from pellucid.classic.preprocessing import moments
from pellucid.classic.preprocessing.decorrelate import Decorrelate
from pellucid.classic.preprocessing.pca import PCA
from pellucid.core.errors import ConfigError, DataError

DIGITS = np.asarray(load_digits().data)
shapes = pytest.mark.parametrize("shape", [(200, 12), (12, 12), (9, 40), (2, 5), (30, 1)], ids=str)


def rows(shape: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(shape)
    return np.asarray(
        rng.standard_normal(shape) * np.geomspace(10, 0.1, shape[1]) @ rng.standard_normal((shape[1],) * 2)
    )


@shapes
def test_components_and_variances_equal_scikit_learn(shape: tuple[int, int]) -> None:
    X = rows(shape)
    own, other = PCA().fit(X), decomposition.PCA(svd_solver="full").fit(X)
    real = min(shape[0] - 1, shape[1])  # rows - 1 directions have variance
    np.testing.assert_allclose(own.explained_variance_[:real], other.explained_variance_[:real], rtol=1e-8)
    np.testing.assert_allclose(own.explained_variance_ratio_, other.explained_variance_ratio_, atol=1e-12)
    same = np.abs(np.einsum("kd,kd->k", own.components_[:real], other.components_[:real]))
    np.testing.assert_allclose(same, 1, atol=1e-8)


def test_the_first_component_is_the_top_eigenvector_of_the_covariance() -> None:
    values, vectors = np.linalg.eigh(np.cov(DIGITS.T))
    own = PCA(1).fit(DIGITS)
    assert abs(own.components_[0] @ vectors[:, -1]) == pytest.approx(1, abs=1e-12)
    assert own.explained_variance_[0] == pytest.approx(values[-1], rel=1e-12)
    assert own.explained_variance_ratio_[0] == pytest.approx(values[-1] / values.sum(), rel=1e-12)


@shapes
def test_components_are_orthonormal_and_ordered_with_a_fixed_sign(shape: tuple[int, int]) -> None:
    own = PCA().fit(rows(shape))
    np.testing.assert_allclose(own.components_ @ own.components_.T, np.eye(min(shape)), atol=1e-10)
    assert (np.diff(own.explained_variance_) <= 0).all() and (own.explained_variance_ >= 0).all()
    largest = np.take_along_axis(own.components_, np.abs(own.components_).argmax(axis=1)[:, None], axis=1)
    assert (largest > 0).all()


@shapes
def test_all_components_give_the_rows_back(shape: tuple[int, int]) -> None:
    X = rows(shape)
    own = PCA().fit(X)
    np.testing.assert_allclose(own.inverse_transform(own.transform(X)), X, atol=1e-10 * np.abs(X).max())


def test_few_components_lose_exactly_the_other_variances() -> None:
    whole = PCA().fit(DIGITS)
    for k in (1, 5, 20, 64):
        few = PCA(k).fit(DIGITS)
        np.testing.assert_allclose(np.abs(few.components_ @ whole.components_[:k].T), np.eye(k), atol=1e-6)
        lost = ((few.inverse_transform(few.transform(DIGITS)) - DIGITS) ** 2).sum() / (len(DIGITS) - 1)
        assert lost == pytest.approx(whole.explained_variance_[k:].sum(), rel=1e-9, abs=1e-9)


def test_no_other_directions_lose_less() -> None:
    rng, own = np.random.default_rng(0), PCA(5).fit(DIGITS)
    centred = DIGITS - DIGITS.mean(axis=0)
    kept = (own.transform(DIGITS) ** 2).sum()
    for _ in range(20):
        other = np.linalg.qr(own.components_.T + rng.normal(0, 0.1, (64, 5)))[0]
        assert ((centred @ other) ** 2).sum() < kept


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_share_of_variance_keeps_as_few_as_have_it(share: float) -> None:
    own = PCA(share).fit(DIGITS)
    together = np.cumsum(own.explained_variance_ratio_)
    assert together[-1] >= share and (len(together) == 1 or together[-2] < share)
    assert own.transform(DIGITS).shape == (len(DIGITS), own.n_components_)
    assert own.n_components_ == decomposition.PCA(share, svd_solver="full").fit(DIGITS).n_components_


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = PCA(6).fit(DIGITS)
    monkeypatch.setattr(moments, "BLOCK", 64 * 100)
    parts = PCA(6).fit(DIGITS)
    np.testing.assert_allclose(parts.components_, whole.components_, atol=1e-9)
    np.testing.assert_allclose(parts.transform(DIGITS), whole.transform(DIGITS), atol=1e-8)


def test_few_pictures_of_many_pixels_need_no_matrix_of_pixels() -> None:
    X = rows((6, 6)) @ np.random.default_rng(1).standard_normal((6, 200_000))  # a covariance would take 320 GB
    own = PCA().fit(X)
    assert own.components_.shape == (6, 200_000)
    np.testing.assert_allclose(own.inverse_transform(own.transform(X)), X, atol=1e-8 * np.abs(X).max())


def test_rows_without_variance() -> None:
    own = PCA().fit(np.full((5, 3), 2.0))
    assert (own.explained_variance_ratio_ == 0).all() and (own.transform(np.full((5, 3), 2.0)) == 0).all()


# ------------------------------------------------------------------------------------------ decorrelate


@pytest.mark.parametrize("X", [DIGITS, rows((300, 20)), rows((8, 30))], ids=["digits", "tall", "wide"])
def test_decorrelated_rows_have_a_diagonal_covariance(X: np.ndarray) -> None:
    covariance = np.cov(Decorrelate().fit_transform(X).T)
    off = np.abs(covariance - np.diag(np.diag(covariance))).max()
    assert off < 1e-8 * np.diag(covariance).max()
    assert np.abs(np.cov(X.T) - np.diag(np.diag(np.cov(X.T)))).max() > 1e-2 * np.cov(X.T).max()  # it was not before


def test_decorrelating_is_a_rotation() -> None:
    own, X = Decorrelate().fit(DIGITS), DIGITS[:40]
    before = np.linalg.norm(X[:, None] - X, axis=2)
    after = np.linalg.norm(own.transform(X)[:, None] - own.transform(X), axis=2)
    np.testing.assert_allclose(after, before, atol=1e-9)


# ------------------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize("wanted", [0, -1, 0.0, 1.5, True, "mle"])
def test_impossible_numbers_of_components(wanted: Any) -> None:
    said = f"n_components must be None, a count or a share between 0 and 1, got {wanted!r}."
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        PCA(wanted).fit(DIGITS)


def test_more_components_than_there_are() -> None:
    with pytest.raises(DataError, match=r"^n_components=6, but 5 rows of 64 have 5 at most\.$"):
        PCA(6).fit(DIGITS[:5])


def test_the_way_back_needs_as_many_columns() -> None:
    with pytest.raises(DataError, match=r"needs \(N, 3\), as transform gave, got shape \(2, 4\)"):
        PCA(3).fit(DIGITS).inverse_transform(np.zeros((2, 4)))


def test_one_row_has_no_covariance() -> None:
    with pytest.raises(DataError, match="a minimum of 2 is required"):
        PCA().fit(DIGITS[:1])
