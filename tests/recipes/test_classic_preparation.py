"""What the recipes about preparing rows claim is what their experiments show."""

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from write_questions import CLASSIC

Table = dict[str, dict[str, str]]


@cache
def script(name: str) -> ModuleType:
    return CLASSIC.load(name)


@cache
def table(name: str) -> Table:
    """First cell -> header -> cell; a header that comes twice has a number behind it."""
    header, rows, picture = script(name).experiment()
    assert picture.startswith("<svg") and all(len(row) == len(header) for row in rows)
    names = [name if name not in header[:n] else f"{name} 2" for n, name in enumerate(header)]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def test_a_step_of_the_weights_raises_the_loss_less_on_centred_data() -> None:
    found = table("normalised_data_is_less_sensitive")
    far, plain, centred = (found[name] for name in ("pixels from 1 to 2", "pixels from 0 to 1", "centred"))
    assert far["loss"] == plain["loss"] == centred["loss"]  # the same function
    assert float(plain["rise / centred"]) > 2 and float(far["rise / centred"]) > 15
    for each in (far, plain):
        assert float(each["rise / centred"]) == pytest.approx(float(each["x² / centred"]), rel=0.3)
        assert float(each["steepest"]) > 4 * float(centred["steepest"])
    assert float(far["steepest / trace"]) > 0.9 and float(centred["steepest / trace"]) < 0.5


def test_the_rise_is_the_curvature() -> None:
    module = script("normalised_data_is_less_sensitive")
    X, y = np.random.default_rng(0).standard_normal((40, 6)), np.arange(40) % 10
    W, b = module.trained(X, y, steps=5)
    out = X @ W + b
    p = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    curvature = ((p * (1 - p)).sum(axis=1) * (X**2).sum(axis=1)).mean() / 2
    np.testing.assert_allclose(module.rises(X, y, W, b)[:3], curvature * module.SIZES[:3] ** 2, rtol=0.2)


def test_uncorrelated_features_depend_on_each_other() -> None:
    found = table("decorrelated_is_not_independent")
    assert all(float(row["correlation"]) < 1e-10 for row in found.values())
    curve, gauss, real = found.values()
    assert float(curve["explained"]) > 0.95 and float(curve["bits"]) > 2
    assert float(real["bits"]) > 10 * float(real["shuffled 2"]) and float(real["explained"]) > 0.05
    assert float(gauss["explained"]) < 0.01 and float(gauss["bits"]) < 1.5 * float(gauss["shuffled 2"])
    assert all(float(row["shuffled"]) < 0.01 and float(row["shuffled 2"]) < 0.03 for row in found.values())


def test_the_measures_of_dependence_know_their_ends() -> None:
    module = script("decorrelated_is_not_independent")
    x = np.linspace(-1, 1, 1600)
    assert module.information(x, x**3) == pytest.approx(np.log2(module.BINS))  # one determines the other
    assert module.explained(x, np.abs(x)) > 0.98
    grid = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0)), -1).reshape(-1, 2)
    grid += np.random.default_rng(0).random(grid.shape) * 1e-3
    assert module.information(*grid.T) == pytest.approx(0, abs=1e-2) and module.explained(*grid.T) < 1e-2


def test_a_one_hot_product_is_a_look_up_to_the_bit() -> None:
    for row in table("embedding_is_a_lookup").values():
        assert row["same bits"] == row["others get 0"] == "True"
        products, copied = (int(row[name].replace(",", "")) for name in ("multiply-adds", "numbers copied"))
        assert products // copied == int(row["ratio"])
        assert float(row["gradients apart"]) < 1e-5
    assert [int(row["ratio"]) for row in table("embedding_is_a_lookup").values()] == [10, 256, 10_000]


def test_a_flipped_sign_of_zero_is_noticed() -> None:
    same = script("embedding_is_a_lookup").same_bits
    assert same(np.zeros(3), np.zeros(3)) and not same(np.zeros(3), -np.zeros(3))


def test_white_pictures_are_white_and_zca_stays_nearest() -> None:
    found = table("whitened_samples")
    plain, pca, zca = (found[name] for name in ("as they are", "PCA white", "ZCA white"))
    assert float(plain["largest correlation"]) > 0.9
    assert float(pca["largest correlation"]) < 1e-6 and float(zca["largest correlation"]) < 1e-6
    assert float(zca["away from the data"]) < 0.9 * float(pca["away from the data"])
    kept = [float(found[f"{k} components"]["variance kept"]) for k in (4, 16, 64)]
    assert 0.4 < kept[0] < kept[1] < kept[2] < 1
