"""The rate's two trials: what is said of them, and when they end early. Courses are made up, noise is seeded."""

import numpy as np
import pytest
from planted_jobs import classifier

from pellucid.training.health.preflight import rate as rates
from pellucid.training.health.preflight.rate import RULE, check_rate
from pellucid.training.job import Job
from pellucid.training.rates.trial import Trial, Until, try_rate

NOISE = np.random.default_rng(0).normal(0, 0.05, 103)  # of the batches: the same for both rates
FLAT = np.full(103, 2.0)
HALVING = 2.0 * 0.5 ** (np.arange(103) / 30)  # 1.0 after 30 steps, 0.2 after 100


def judged(monkeypatch: pytest.MonkeyPatch, ours: np.ndarray, lower: np.ndarray) -> tuple[str, list[int]]:
    """The status of a rate with such losses, and how many steps each trial made."""
    job = classifier()()
    made: list[int] = []

    def course(
        job: Job, rate: float, steps: int = 100, seconds: float = 0, advance: object = None, until: Until | None = None
    ) -> Trial:
        losses = (ours if rate == job.schedule.highest_lr else lower)[: steps + 3]
        end = next((n for n in range(1, len(losses)) if until and until(losses[:n].tolist())), len(losses))
        made.append(end)
        return Trial(rate, losses[:end], steps + 3)

    monkeypatch.setattr(rates, "try_rate", course)
    monkeypatch.setattr(rates, "affordable", lambda job, seconds, steps: steps)
    verdict = check_rate(job, 60.0)
    assert verdict.rule == RULE
    return verdict.status, made


def test_a_halved_loss_far_above_nothing_at_the_lower_rate_is_soon_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(monkeypatch, HALVING + NOISE, FLAT + NOISE) == ("pass", [53, 36])


def test_a_slow_fall_is_followed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = np.linspace(2.0, 1.4, 103)
    assert judged(monkeypatch, slowly + NOISE, FLAT + NOISE) == ("pass", [103, 103])  # never half, never far behind


def test_a_lower_rate_that_comes_from_behind_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """With norms a rate far too high halves the loss too; the rate below overtakes it late."""
    stays = np.maximum(2.0 * 0.5 ** (np.arange(103) / 20), 0.9)
    late = np.where(np.arange(103) < 40, 1.2, 0.3)
    assert judged(monkeypatch, stays + NOISE, late + NOISE) == ("fail", [53, 53, 103, 103])
    assert judged(monkeypatch, stays + NOISE, np.maximum(late, 0.8) + NOISE)[0] == "pass"  # no better than chance or so


def test_a_lower_rate_that_is_little_better_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    end = HALVING + NOISE
    assert judged(monkeypatch, end, 0.5 * HALVING + NOISE)[0] == "fail"
    assert judged(monkeypatch, end, 0.7 * HALVING + NOISE)[0] == "pass"
    wild = end + np.random.default_rng(1).normal(0, 2.0, 103) * (np.arange(103) > 60)  # too noisy to tell
    assert judged(monkeypatch, wild, 0.5 * HALVING + NOISE)[0] != "fail"


def test_a_healthy_rate_takes_about_half_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(*args: object, **more: object) -> Trial:
        trial = try_rate(*args, **more)  # type: ignore[arg-type]
        made.append(len(trial.losses))
        return trial

    monkeypatch.setattr(rates, "try_rate", counted)
    assert check_rate(classifier(lr=0.01)(), 600.0).status == "pass"
    assert made == [53, 36]
