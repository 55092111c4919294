"""Faults planted one at a time: each is named by its own rule and by no other, and healthy jobs raise nothing."""

from collections.abc import Callable
from pathlib import Path

import line_task
import numpy as np
import planted_jobs as planted
import pytest
import torch
from planted_jobs import Make, classifier, segmenter, with_fault

from pellucid.core.progress import Quiet
from pellucid.core.verdict import Verdict
from pellucid.doctor.rules import RULES
from pellucid.training.health.preflight import preflight
from pellucid.training.health.preflight.inputs import check_inputs
from pellucid.training.health.preflight.steps import STEPS
from pellucid.training.job import Job


def check(make: Make) -> list[Verdict]:
    return preflight(make, Quiet())


def alarms(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.rule: verdict.status for verdict in verdicts if verdict.status in ("warn", "fail")}


def line() -> Job:
    job = line_task.make_job(Path(), data=line_task.points(1024, 0))
    with torch.no_grad():
        for parameter in job.model.net[-1].parameters():  # type: ignore[index, union-attr]
            parameter.mul_(0.1)  # so that it knows nothing at the start, as the theory of its loss has it
    return job


HEALTHY: dict[str, Callable[[], Make]] = {
    "perceptron": classifier,
    "convolutions, norms, dropout": lambda: classifier(model="tiny_conv"),
}
SLOW: dict[str, Callable[[], Make]] = {
    "perceptron with sgd": lambda: classifier(optimiser="sgd"),
    "labels smoothed, l1, weights": lambda: classifier(label_smoothing=0.1, l1=1e-5, balance=True),
    "convnet": lambda: classifier(model="convnet"),
    "segmenter": segmenter,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_larger_healthy_jobs_pass_every_step(name: str) -> None:
    verdicts = check(SLOW[name]())
    assert all(verdict.status == "pass" for verdict in verdicts), [v for v in verdicts if v.status != "pass"]


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_jobs_pass_every_step(name: str) -> None:
    verdicts = check(HEALTHY[name]())
    assert [verdict.rule for verdict in verdicts] == [rule for rule, _ in STEPS]
    assert alarms(verdicts) == {}
    assert all(verdict.status == "pass" for verdict in verdicts), [v for v in verdicts if v.status != "pass"]


def test_any_task_will_do() -> None:
    """Fitting a line: other keys, no pictures, a loss of squares, dropout in the way."""
    verdicts = check(line)
    assert alarms(verdicts) == {}


CONV = {"model": "tiny_conv"}
FAULTS: dict[str, tuple[str, Callable[[], Make]]] = {
    "frozen layer": ("gradients-reach-all", lambda: with_fault(classifier(), planted.freeze_a_layer)),
    "branch that is not used": ("gradients-reach-all", lambda: with_fault(classifier(), planted.unused_branch)),
    "all weights 0": ("gradients-reach-all", lambda: with_fault(classifier(), planted.all_zero)),
    "all weights 0, with norms": ("gradients-reach-all", lambda: with_fault(classifier(**CONV), planted.all_zero)),
    "too large weights": ("initial-loss", lambda: with_fault(classifier(), planted.too_large)),
    "softmax twice": ("double-softmax", lambda: with_fault(classifier(), planted.then(lambda x: x.softmax(1)))),
    "softmax of pixels twice": (
        "double-softmax",
        lambda: with_fault(segmenter(), planted.then(lambda x: x.softmax(1))),
    ),
    "pixels as they are": ("input-normalised", lambda: classifier(preprocess="none")),
    "norms in training mode": (
        "train-eval-slip",
        lambda: with_fault(classifier(**CONV), planted.norms_stuck_in_training),
    ),
    "norms without statistics": (
        "train-eval-slip",
        lambda: with_fault(classifier(**CONV), planted.norms_without_statistics),
    ),
    "norms off in training": ("train-eval-slip", lambda: with_fault(classifier(**CONV), planted.norms_stuck_in_use)),
    "statistics never learned": (
        "train-eval-slip",
        lambda: with_fault(classifier(**CONV), planted.norms_that_learn_nothing),
    ),
    "dropout outside training": (
        "train-eval-slip",
        lambda: with_fault(classifier(), planted.then(planted.dropped_always)),
    ),
    "answers minus the batch's mean": (
        "batch-mixing",
        lambda: with_fault(classifier(), planted.then(planted.minus_batch_mean)),
    ),
    "penalty that is all": (
        "regularisation-raises-loss",
        lambda: classifier(optimiser="sgd", lr=1e-5, weight_decay=50.0),
    ),
    "labels dealt anew each step": (
        "overfit-tiny-batch",
        lambda: with_fault(classifier(), planted.other_loss(planted.labels_dealt_anew)),
    ),
    "same picture, two labels": ("overfit-tiny-batch", lambda: classifier(planted.same_picture_two_labels())),
    "rate x 1000": ("learning-rate", lambda: with_fault(classifier(), planted.other_rate(1000))),
    "rate / 1000": ("learning-rate", lambda: with_fault(classifier(), planted.other_rate(1 / 1000))),
    "rate x 1000, sgd": ("learning-rate", lambda: with_fault(classifier(optimiser="sgd"), planted.other_rate(1000))),
    "rate / 1000, sgd": (
        "learning-rate",
        lambda: with_fault(classifier(optimiser="sgd"), planted.other_rate(1 / 1000)),
    ),
}


SAME_STEPS = {"rate x 1000, sgd", "rate / 1000, sgd", "statistics never learned", "same picture, two labels"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SAME_STEPS else n for n in FAULTS])
def test_a_fault_is_named_by_its_rule_alone(name: str) -> None:
    rule, make = FAULTS[name]
    verdicts = check(make())
    assert list(alarms(verdicts)) == [rule]
    told = next(verdict for verdict in verdicts if verdict.rule == rule and verdict.status in ("warn", "fail"))
    assert told.cause
    assert told.cure


def test_shuffled_labels_are_no_fault_of_the_job() -> None:
    assert alarms(check(classifier(planted.shuffled()))) == {}


def test_it_leaves_no_trace() -> None:
    job = classifier(model="tiny_conv")()
    before = {name: value.clone() for name, value in job.model.state_dict().items()}
    verdicts, cfg, step = list(job.verdicts), job.cfg, job.step
    modes = [module.training for module in job.model.modules()]
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    check(lambda: job)
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(value, before[name]) for name, value in job.model.state_dict().items())
    assert [module.training for module in job.model.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in job.model.parameters())
    assert not job.optimiser.state
    assert (job.verdicts, job.cfg, job.step) == (verdicts, cfg, step)


def test_rules_are_listed() -> None:
    assert {rule for rule, _ in STEPS} <= set(RULES)


def test_each_verdict_says_how_long_it_took() -> None:
    assert all(verdict.evidence.endswith(" s]") for verdict in check(line))


class FromNothing(torch.nn.Module):
    """Begins with a layer that is fed zeros, as a recurrent network begins with a place or a state."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.place, self.inner = torch.nn.Linear(2, 4), net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x) + self.place(torch.zeros(len(x), 2))


def test_a_layer_that_is_fed_zeros_is_not_taken_for_the_picture() -> None:
    def plant(job: Job) -> None:
        job.model.net = FromNothing(job.model.net)  # type: ignore[arg-type]

    job = with_fault(classifier(), plant)()
    assert check_inputs(job).status == "pass"
    raw = with_fault(classifier(preprocess="none"), plant)()
    assert check_inputs(raw).status == "fail"
    assert "pixel values 0..255" in check_inputs(raw).cause


def test_a_constant_channel_is_named() -> None:
    images = np.repeat(planted.pictures()[0][..., None], 3, axis=3)
    images[..., 2] = 7
    verdict = check_inputs(classifier((images, planted.pictures()[1]), model="tiny_conv")())
    assert verdict.status == "warn"
    assert "channel 2 is the same in every pixel" in verdict.cause
