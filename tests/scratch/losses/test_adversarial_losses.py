"""The game of a generative adversarial network: its value, and why the generator has a loss of its own."""

import numpy as np
import pytest

from pellucid.scratch.losses.adversarial import (
    discriminator_loss,
    gan_value,
    generator_loss,
    saturating_generator_loss,
)


def logit(d: float) -> np.ndarray:
    """The score at which the discriminator says `d`."""
    return np.array([np.log(d / (1 - d))])


def test_value_where_both_distributions_are_equal() -> None:
    """D = ½ everywhere, V = -2 ln 2, and the discriminator has nothing to gain."""
    value, dreal, dfake = gan_value(logit(0.5), logit(0.5))
    assert value == pytest.approx(-1.3862944, abs=5e-8)
    assert value == pytest.approx(-2 * np.log(2))
    assert dreal[0] + dfake[0] == pytest.approx(0)


def test_best_discriminator_is_p_over_p_plus_q() -> None:
    """Two values, real with (0.8, 0.2), generated with (0.3, 0.7): no other answers give a larger value."""
    p, q = np.array([0.8, 0.2]), np.array([0.3, 0.7])
    best = np.log(p / q)  # the score of p / (p + q)
    counts = (np.repeat([0, 1], (10 * p).astype(int)), np.repeat([0, 1], (10 * q).round().astype(int)))

    def value(scores: np.ndarray) -> float:
        return gan_value(scores[counts[0]], scores[counts[1]])[0]

    assert value(best) > -2 * np.log(2)
    for step in np.array([[0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]]):
        assert value(best + step) < value(best)


def test_slopes_where_the_discriminator_sees_through() -> None:
    """At D = 0.01 the saturating loss has hardly a slope, the other nearly all of it."""
    assert -saturating_generator_loss(logit(0.01))[1][0] == pytest.approx(0.01)
    assert -generator_loss(logit(0.01))[1][0] == pytest.approx(0.99)


def test_both_generator_losses_fall_together() -> None:
    scores = np.linspace(-6, 6, 25)
    for loss in (generator_loss, saturating_generator_loss):
        values = [loss(np.array([score]))[0] for score in scores]
        assert values == sorted(values, reverse=True)
    assert generator_loss(logit(0.5))[0] == pytest.approx(np.log(2))
    assert saturating_generator_loss(logit(0.5))[0] == pytest.approx(-np.log(2))


def test_discriminator_loss_is_minus_the_value() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((4, 1)), rng.standard_normal((6, 1))
    ours, value = discriminator_loss(real, fake), gan_value(real, fake)
    assert ours[0] == -value[0] > 0
    assert np.array_equal(ours[1], -value[1])
    assert np.array_equal(ours[2], -value[2])


def test_saturating_loss_is_the_generator_s_part_of_the_value() -> None:
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal(4), rng.standard_normal(6)
    assert saturating_generator_loss(fake)[1] == pytest.approx(gan_value(real, fake)[2])


def test_scores_of_ten_thousand_are_finite() -> None:
    extreme = np.array([1e4, -1e4])
    assert discriminator_loss(extreme, extreme)[0] == pytest.approx(1e4)
    for loss in (generator_loss, saturating_generator_loss):
        value, dfake = loss(extreme)
        assert np.isfinite(value)
        assert np.isfinite(dfake).all()


def test_no_samples() -> None:
    assert gan_value(np.zeros(0), np.zeros(0))[0] == 0.0
