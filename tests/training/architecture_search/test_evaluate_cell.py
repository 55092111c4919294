"""Scoring a cell: the same number every time, from pictures that training did not see."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.source import Source
from pellucid.models.classify.genotype import parse
from pellucid.training.architecture_search.evaluate import Plan, accuracy_of, parts

PLAN = Plan(pictures=64, held_out=40, side=8, width=4, depth=1, epochs=4, batch=16)
CELL = parse("conv3(0)+skip(0)")


def source(n_train: int = 120, n_test: int = 40) -> Source:
    """Two classes told apart by which half is bright; every picture is unique."""
    chance = np.random.default_rng(0)
    n = n_train + n_test
    labels = np.arange(n) % 2
    images = chance.integers(0, 100, (n, 16, 16), dtype=np.uint8)
    images[labels == 1, :8] += 100
    roles = np.array(["train"] * n_train + ["test"] * n_test)
    return Source("halves", images, [str(k) for k in range(n)], ("dark", "bright"), labels, roles=roles)


def rows_of(pictures: torch.Tensor) -> set[bytes]:
    """Pictures by their order of brightness, which standardising does not change."""
    return {np.argsort(picture.ravel(), kind="stable").tobytes() for picture in pictures.numpy()}


def test_training_and_scoring_are_apart() -> None:
    plan = replace(PLAN, side=16)
    train, val = parts(source(), plan, 0)
    again, test = parts(source(), plan, 0, "test")
    assert len(rows_of(train[0])) == 64 and len(rows_of(val[0])) == len(rows_of(test[0])) == 40
    assert not rows_of(train[0]) & rows_of(val[0]) and not (rows_of(train[0]) | rows_of(val[0])) & rows_of(test[0])
    assert torch.equal(train[0], again[0]), "the same training, whatever it is scored on"
    every = rows_of((torch.from_numpy(source().images[120:]).float())[:, None])
    assert rows_of(test[0]) == every, "the test pictures of the source"


def test_pictures_are_averaged_down_and_standardised() -> None:
    train, val = parts(source(), PLAN, 0)
    assert train[0].shape == (64, 1, 8, 8) and val[0].shape == (40, 1, 8, 8)
    assert float(train[0].mean()) == pytest.approx(0, abs=1e-5) and float(train[0].std()) == pytest.approx(1, rel=1e-4)
    plain = source().images.astype(np.float32)
    small = torch.from_numpy(plain.reshape(-1, 8, 2, 8, 2).mean((2, 4)))[:, None]
    assert rows_of(train[0]) | rows_of(val[0]) <= rows_of(small)
    coloured = source()
    coloured.images = np.stack([coloured.images, coloured.images // 2, 255 - coloured.images], -1)
    (pictures, _), _ = parts(coloured, PLAN, 0)
    assert pictures.shape == (64, 3, 8, 8)
    torch.testing.assert_close(pictures.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)


def test_seeds_draw_other_pictures() -> None:
    assert not torch.equal(parts(source(), PLAN, 0)[0][1], parts(source(), PLAN, 1)[0][1])


def test_an_evaluation_is_the_same_every_time() -> None:
    """And leaves the global generator alone; another seed, plan or cell may give another number."""
    data = parts(source(), PLAN, 0)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = accuracy_of(CELL, *data, PLAN, 0)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(7)
    assert accuracy_of(CELL, *data, PLAN, 0) == first


def test_what_can_be_learned_is_learned() -> None:
    """Halves that differ are told apart; labels that mean nothing are not."""
    train, val = parts(source(), PLAN, 0)
    assert accuracy_of(CELL, train, val, PLAN, 0) == 1.0
    shuffled = (val[0], val[1][torch.randperm(40, generator=torch.Generator().manual_seed(0))])
    assert accuracy_of(CELL, train, shuffled, PLAN, 0) < 0.8


def test_too_few_or_unfit_pictures_are_refused() -> None:
    with pytest.raises(
        DataError, match="halves has 120 training pictures and 56 left to score on; the plan needs 64 a"
    ):
        parts(source(), replace(PLAN, held_out=57), 0)
    with pytest.raises(
        DataError, match="halves has 120 training pictures and 40 left .* needs 64 and 41. Ask for fewer"
    ):
        parts(source(), replace(PLAN, held_out=41), 0, "test")
    unlabelled = source()
    unlabelled.labels = None
    with pytest.raises(DataError, match="halves: a search needs pictures as one array, and labels"):
        parts(unlabelled, PLAN, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"side": 7}, "side must be 8 px or more, got 7"),
        ({"batch": 1}, "batch must be 2 or more, got 1"),
        ({"pictures": 15}, "pictures must be at least a batch of 16, got 15"),
        ({"epochs": 0}, "epochs must be 1 or more, got 0"),
        ({"lr": 0.0}, "lr must be above 0, got 0.0"),
        ({"weight_decay": -0.1}, "weight_decay must be 0 or more, got -0.1"),
    ],
)
def test_wrong_plans_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(PLAN, **settings)  # type: ignore[arg-type]
