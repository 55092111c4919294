"""The finder on real problems: the loss falls by over 20 % at what it finds, and nothing of the job moves."""

from pathlib import Path
from typing import Any

import line_task
import numpy as np
import planted_jobs as planted
import pytest
import torch

from pellucid.training.health.untouched import untouched
from pellucid.training.rates.curve import Reading
from pellucid.training.rates.finder import ENOUGH, Found, find_rate
from pellucid.training.rates.trial import Trial, losses_at, try_rate
from pellucid.training.step import gradient_step


def state(job: Any) -> dict[str, Any]:
    return {**job.model.state_dict(), "rng": torch.get_rng_state()}


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("model", "optimiser"), [("mlp", "adamw"), ("tiny_conv", "sgd")])
def test_what_it_finds_takes_a_fifth_off_the_loss(model: str, optimiser: str) -> None:
    job = planted.classifier(model=model, optimiser=optimiser)()
    found = find_rate(job)
    assert found.rate is not None
    assert try_rate(job, found.rate).fall > ENOUGH
    assert found.verdict(0.001).status == "info"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "changes"),
    [
        ("fashion-mnist-mini", {"model": "convnet", "fraction": 0.2, "batch": 64}),
        ("digits", {"model": "mlp"}),
        ("scenes", {"model": "fcn_small", "image_size": "48", "fraction": 0.2, "batch": 8}),
    ],
)
def test_on_three_real_problems(data: str, changes: dict[str, Any]) -> None:
    job = planted.prepared(data, changes)()
    found = find_rate(job)
    assert found.rate is not None
    assert try_rate(job, found.rate).fall > ENOUGH


def test_the_job_is_left_as_it_was_to_the_bit() -> None:
    job = planted.classifier(model="tiny_conv")()
    gradient_step(job, next(iter(job.train.epoch(0))), 1e-3)  # so that there are gradients and moments to lose
    before = {name: value.clone() for name, value in state(job).items()}
    moments = {p: {k: v.clone() for k, v in values.items()} for p, values in job.optimiser.state.items()}
    gradients = [p.grad.clone() for p in job.model.parameters() if p.grad is not None]
    rates = [group["lr"] for group in job.optimiser.param_groups]
    find_rate(job, steps=30)
    assert same(state(job), before)
    assert job.optimiser.state.keys() == moments.keys()
    assert all(torch.equal(job.optimiser.state[p][k], v) for p, values in moments.items() for k, v in values.items())
    assert all(
        torch.equal(p.grad, g) for p, g in zip(job.model.parameters(), gradients, strict=True) if p.grad is not None
    )
    assert [group["lr"] for group in job.optimiser.param_groups] == rates


def test_it_repeats_to_the_bit() -> None:
    first, second = (find_rate(planted.classifier()(), steps=30) for _ in range(2))
    assert np.array_equal(first.losses, second.losses)
    assert first.rate == second.rate


def test_labels_without_meaning_give_a_warning_or_a_small_fall() -> None:
    job = planted.classifier(planted.shuffled())()
    found = find_rate(job)
    verdict = found.verdict(0.001)
    assert found.rate is None or verdict.status in ("info", "warn")
    nothing = Found(None, found.rates, found.losses, found.reading)
    assert nothing.verdict(0.001).status == "warn"
    assert "no rate from 1e-06 to 10" in nothing.verdict(0.001).evidence


def test_a_step_down_is_taken_when_the_proposal_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that is thirty times too high: rates are tried downwards until the loss falls."""
    reading = Reading(2.0, 20.0, 1.0, 0.1, np.empty(0), 0)
    monkeypatch.setattr("pellucid.training.rates.finder.read", lambda rates, losses: reading)
    found = find_rate(planted.classifier()())
    assert found.rate is not None
    assert found.rate < 1.0
    assert len(found.trials) > 1
    assert found.trials[0].rate == 2.0


def test_a_diverged_trial_is_known_as_one() -> None:
    assert Trial(1.0, np.array([1.0, 1, 1, np.nan]), 100).fall == -np.inf
    assert Trial(1.0, np.array([1.0, 1, 1, 9, 9, 9]), 6).diverged
    assert Trial(1.0, np.array([2.0, 2, 2, 1, 1, 1]), 6).fall == pytest.approx(0.5)
    assert Trial(1.0, np.array([2.0]), 6).fall == 0


def test_trials_end_at_a_nan_and_go_on_into_the_next_epoch() -> None:
    job = line_task.make_job(Path())
    assert len(losses_at(job, [1e-3] * 20)) == 20  # an epoch has 8
    assert np.isnan(losses_at(job, [0.0] * 3 + [1e30] * 20)[-1])
    assert len(losses_at(job, [1e-3] * 20, seconds=0.0)) == 1


def test_trials_do_not_depend_on_what_was_tried_before() -> None:
    job = planted.classifier()()
    first = losses_at(job, [1e-3] * 10)
    losses_at(job, [1.0] * 10)
    assert np.array_equal(losses_at(job, [1e-3] * 10), first)


def test_blocks_within_blocks_put_back_what_they_found() -> None:
    job = planted.classifier()()
    batch = next(iter(job.train.epoch(0)))
    before = {name: value.clone() for name, value in state(job).items()}
    with untouched(job):
        gradient_step(job, batch, 0.1)
        between = {name: value.clone() for name, value in state(job).items()}
        with untouched(job):
            gradient_step(job, batch, 0.1)
            job.step += 5
        assert same(state(job), between)
        assert job.optimiser.state
    assert same(state(job), before)
    assert job.step == 0
    assert not job.optimiser.state


def test_what_fails_inside_is_put_back_too() -> None:
    job = planted.classifier()()
    before = {name: value.clone() for name, value in state(job).items()}
    with pytest.raises(ZeroDivisionError), untouched(job):
        gradient_step(job, next(iter(job.train.epoch(0))), 0.1)
        raise ZeroDivisionError
    assert same(state(job), before)
