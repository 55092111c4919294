"""Training runs with one thing wrong each, and the rule that has to say so.

    python benchmarks/planted_faults.py [NAME ...]

Each fault is a run of seconds on a small set. What the checks in the loop say of it must be one alarm, of that rule.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from short_runs import small_job, trained
from torch import Tensor, nn

from pellucid.core.verdict import Verdict
from pellucid.training.job import Job


@dataclass(frozen=True)
class Fault:
    """A planted fault.

    Attributes:
        rule: id of the rule that must raise an alarm.
        cause: words that its cause must contain.
        run: makes a run with the fault in an empty folder; the verdicts of the run.
        also: rules of which an alarm is right too, since they measure the same thing in another way.
    """

    rule: str
    cause: str
    run: Callable[[Path], list[Verdict]]
    also: tuple[str, ...] = ()


def planted(plant: Callable[[Job], None] = lambda job: None, **settings: Any) -> Callable[[Path], list[Verdict]]:
    """A short run of a small network on digits, changed by `plant` before it starts."""

    def run(folder: Path) -> list[Verdict]:
        job = small_job(folder, "digits", **{"model": "mlp", "epochs": 3, "batch": 32, "seed": 7, **settings})
        plant(job)
        return trained(job)

    return run


# ------------------------------------------------------------------------------------------------ initialisation


def all_zero(job: Job) -> None:
    """Every weight starts at 0."""
    with torch.no_grad():
        for weight in weights(job):
            weight.zero_()


def too_large(job: Job) -> None:
    """Hidden weights start thirty times too large."""
    with torch.no_grad():
        for weight in weights(job):
            weight.mul_(30)


def dead_by_bias(job: Job) -> None:
    """A bias so far below 0 that no ReLU of the first layer ever opens."""
    first = next(module for module in job.model.modules() if isinstance(module, nn.Linear))
    nn.init.constant_(first.bias, -100.0)


def tanh_instead(job: Job) -> None:
    """The same network with tanh, which starts well."""
    for parent in list(job.model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(parent, name, nn.Tanh())


def saturated_tanh(job: Job) -> None:
    """Tanh behind weights that start twenty times too large."""
    tanh_instead(job)
    with torch.no_grad():
        for weight in list(weights(job))[:-1]:
            weight.mul_(20)


# -------------------------------------------------------------------------------------------------- not a number


class Spoiled:
    """Batches of which one is spoiled."""

    def __init__(self, batches: Any, at: int, spoil: Callable[[dict[str, Tensor]], None]) -> None:
        self.batches, self.at, self.spoil = batches, at, spoil

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        for step, batch in enumerate(self.batches.epoch(epoch, start), start):
            if (epoch, step) == (0, self.at):
                self.spoil(batch)
            yield batch


def nan_pixel(job: Job) -> None:
    """One pixel of the fourth picture of a batch is NaN."""

    def spoil(batch: dict[str, Tensor]) -> None:
        batch["image"] = batch["image"].float()
        batch["image"][3, 0, 2, 2] = float("nan")

    job.train = Spoiled(job.train, 9, spoil)


def nan_label(job: Job) -> None:
    """A target that is a number, not a class, is NaN."""
    soften(job)

    def spoil(batch: dict[str, Tensor]) -> None:
        batch["target"][5, 2] = float("nan")

    job.train = Spoiled(job.train, 9, spoil)


def soften(job: Job) -> None:
    """Learn from the shares of each class in place of the class."""

    class Soft:
        def __init__(self, batches: Any) -> None:
            self.batches = batches

        def __len__(self) -> int:
            return len(self.batches)

        def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
            for batch in self.batches.epoch(epoch, start):
                yield {**batch, "target": nn.functional.one_hot(batch["label"], 10).float()}

    def loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
        if "target" not in batch:  # validation
            return {"cross_entropy": nn.functional.cross_entropy(outputs["logits"], batch["label"])}
        return {"cross_entropy": -(outputs["logits"].log_softmax(1) * batch["target"]).sum(1).mean()}

    job.train = Soft(job.train)
    job.task = replace(job.task, compute_loss=loss)


def nan_weight(job: Job) -> None:
    """A weight of the file that the run starts from is NaN."""
    with torch.no_grad():
        list(weights(job))[1][0, 0] = float("nan")


def nan_loss(job: Job) -> None:
    """A loss of its own that takes the logarithm of a probability of 0."""

    def loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
        right = outputs["logits"].softmax(1).gather(1, batch["label"][:, None])[:, 0]  # (N,)
        return {"cross_entropy": -(right - right.detach().min()).log().mean()}

    job.task = replace(job.task, compute_loss=loss)


def nan_gradient(job: Job) -> None:
    """The root of a square that is 0: a finite number with an infinite slope."""
    usual = job.task.compute_loss

    def loss(outputs: Any, batch: Any, cfg: Any) -> dict[str, Tensor]:
        logits = outputs["logits"]
        return {**usual(outputs, batch, cfg), "length": (logits - logits).square().sum().sqrt()}

    job.task = replace(job.task, compute_loss=loss)


class Steep(nn.Module):
    """Finite in fp32, a division by 0 in bf16, which cannot tell 1.001 from 1."""

    def forward(self, x: Tensor) -> Tensor:
        one = torch.ones(1, 1) @ torch.full((1, 1), 1.001)  # a product, which autocast makes bf16
        return x + 1e-9 / (one - 1)


def bf16_overflow(job: Job) -> None:
    """An operation that only bf16 has no finite value for."""
    parent = job.model.get_submodule("net.hidden")
    parent.append(Steep())


def weights(job: Job) -> Iterator[Tensor]:
    """Weights of two or more dimensions, first layer first."""
    return (p for p in job.model.parameters() if p.ndim >= 2)


FAULTS: dict[str, Fault] = {
    "rate-x-1000": Fault("update-ratio", "too high", planted(model="convnet", lr=0.5, epochs=2)),
    "rate-/-1000": Fault("update-ratio", "too low", planted(lr=5e-7)),
    "all-zero-initialisation": Fault("vanishing-signal", "with zeros", planted(all_zero)),
    "too-large-initialisation": Fault("exploding-signal", "start too large", planted(too_large), ("initial-loss",)),
    "dead-relu-by-bias": Fault("dead-units", "initialisation", planted(dead_by_bias)),
    "dead-relu-by-rate": Fault("dead-units", "learning rate", planted(lr=0.05)),
    "saturated-tanh": Fault("saturated-units", "initialisation", planted(saturated_tanh)),
    "saturated-by-input": Fault("saturated-units", "not scaled", planted(tanh_instead, preprocess="none")),
    "nan-in-pixel": Fault("non-finite", "input", planted(nan_pixel)),
    "nan-in-label": Fault("non-finite", "target", planted(nan_label)),
    "nan-in-weight": Fault("non-finite", "weight", planted(nan_weight)),
    "nan-in-loss": Fault("non-finite", "loss", planted(nan_loss)),
    "nan-in-gradient": Fault("non-finite", "gradient", planted(nan_gradient)),
    "nan-by-rate": Fault("non-finite", "learning rate", planted(optimiser="sgd", lr=1e6)),
    "nan-by-bf16": Fault("non-finite", "bf16", planted(bf16_overflow, precision="bf16")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(FAULTS)}")
    asked = parser.parse_args()
    missed = 0
    for name in asked.names or FAULTS:
        fault = FAULTS[name]
        with tempfile.TemporaryDirectory() as folder:
            alarms = [verdict for verdict in fault.run(Path(folder)) if verdict.status in ("warn", "fail")]
        rules = [verdict.rule for verdict in alarms]
        told = [verdict.cause for verdict in alarms if verdict.rule == fault.rule]
        right = fault.rule in rules and set(rules) <= {fault.rule, *fault.also} and any(fault.cause in c for c in told)
        missed += not right
        print(f"{'right' if right else 'WRONG'}  {name}", *(f"    {alarm.sentence()}" for alarm in alarms), sep="\n")
    print(f"{missed} of {len(asked.names or FAULTS)} missed.")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
