"""Detection: a training step of Faster R-CNN on a ResNet-18 pyramid beside a plain fp32 loop of the same net.

    python benchmarks/detection_step.py [--quick] [--rounds 7]

The same network, batch, weights, losses and optimiser; one thread on one core; a process for each variant. Ours is what
`pellucid train` does by itself, no flag given. Which regions learn is drawn at random and hangs on the proposals, so
losses agree only as far as the draws do.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import timing
import torch
from torch import Tensor, nn
from workers import Turn, Worker, serve, take_turns

from pellucid.core.device import cpu_features, has_fast_bf16
from pellucid.core.progress import Quiet
from pellucid.core.seed import seed_everything
from pellucid.data.load import load
from pellucid.models.detect.truth import Truth
from pellucid.ops.memory import freed_memory_kept
from pellucid.ops.normalise import normalise
from pellucid.runs.setup.assemble import make_job, settle_device
from pellucid.tasks import get_task
from pellucid.tasks.detect.config import DetectConfig, ModelConfig
from pellucid.training.config import TrainConfig
from pellucid.training.job import Job
from pellucid.training.optim import resolve_lr
from pellucid.training.step import gradient_step

NET, BACKBONE, SIZE, BATCH, LR = "faster_rcnn", "resnet18", 320, 2, 1e-4
FLOOR = 2.0  # how many times faster than plain ours has to be
STEPS = 3  # whose losses are compared
TOLERANCE = 0.15  # between a sum of losses in bf16 and in fp32, of about 3


def detection_job() -> Job:
    """What `pellucid train` makes of the network, on scenes of geometric things."""
    source = load(f"scenes:size={SIZE},difficulty=medium,train={4 * BATCH},val=0,test=2,for=detect")
    task = get_task("detect")
    cfg: Any = DetectConfig(ModelConfig(NET, BACKBONE), train=TrainConfig(batch=BATCH, threads=1))
    cfg = replace(cfg, data=replace(cfg.data, image_size=str(SIZE)))
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, Quiet())
    cfg = task.resolve(cfg, splits.facts)
    cfg = replace(cfg, optim=replace(cfg.optim, lr=resolve_lr(cfg.optim, BATCH)[0]))
    return make_job(task, cfg, splits, Path(tempfile.gettempdir()), device, Quiet())


def plain(job: Job, batch: dict[str, Tensor]) -> Callable[[], float]:
    """The loop a competent person writes first: eager, float32, NCHW, the optimiser as it comes."""
    net: nn.Module = job.model.net.to(torch.float32, memory_format=torch.contiguous_format).train()  # type: ignore
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=job.cfg.optim.weight_decay)
    x = normalise(batch["image"], job.facts.preprocess).clone(memory_format=torch.contiguous_format)
    truth = Truth.of(batch)

    def step() -> float:
        optimiser.zero_grad()
        losses: dict[str, Tensor] = net.losses(net(x, truth), truth)  # type: ignore[operator]
        loss = torch.stack([each.mean() for each in losses.values()]).sum()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def ours(job: Job, batch: dict[str, Tensor]) -> Callable[[], float]:
    """The step of `pellucid train`."""
    job.model.train()
    return lambda: gradient_step(job, batch, LR).total


# name -> (how it steps, whether freed memory is kept)
VARIANTS = {"plain": (plain, False), "plain, freed memory kept": (plain, True), "ours": (ours, True)}


def make_step(variant: Callable[..., Callable[[], float]]) -> Callable[[], float]:
    """A step that returns its loss. All variants begin with the same weights, the same batch and the same draws."""
    job = detection_job()
    batch = next(job.train.epoch(0))
    step = variant(job, batch)
    seed_everything(job.cfg.train.seed)
    return step


def work(variant: str) -> None:
    """The process of one variant."""
    timing.use_one_core()
    step, kept = VARIANTS[variant]
    with ExitStack() as stack:
        if kept:
            stack.enter_context(freed_memory_kept())  # as the training loop does
        serve(make_step(step))


@dataclass(frozen=True)
class Steps:
    """Times of all variants, and the losses of their first steps."""

    times: dict[str, timing.Timed]
    losses: dict[str, list[float]]


def measure(rounds: int) -> Steps:
    """Let all variants take turns."""
    with ExitStack() as stack:
        script = str(Path(__file__))
        workers = {
            variant: stack.enter_context(Worker([script, "--work", variant], {"OMP_NUM_THREADS": "1"}))
            for variant in VARIANTS
        }
        losses = {variant: worker.ask(STEPS).output for variant, worker in workers.items()}
        turns: dict[str, Callable[[], Turn]] = {variant: partial(worker.ask, 1) for variant, worker in workers.items()}
        return Steps(take_turns(turns, rounds), losses)


def compare(result: Steps) -> str:
    """Whether all variants did the same; ends the program when they did not."""
    expected = result.losses["plain"]
    apart = [abs(a - b) for losses in result.losses.values() for a, b in zip(losses, expected, strict=True)]
    shown = ", ".join(f"{loss:.3f}" for loss in expected)
    if not all(each <= TOLERANCE for each in apart):  # NaN too
        sys.exit(f"losses differ from the plain loop's {shown}: {result.losses}")
    return (
        f"Sums of the losses in the first {STEPS} steps: plain {shown}; the others differ by at most {max(apart):.3f} "
        f"(allowed {TOLERANCE})."
    )


def judge(result: Steps) -> str:
    """The floor, and what was found."""
    if not has_fast_bf16("cpu"):
        return "The floor is for processors with fast bf16, which this one has not."
    fold = timing.ratio(result.times["plain"], result.times["ours"])
    verdict = "met" if fold >= FLOOR else "MISSED"
    return f"**Ours:** {fold:.2f} times as fast as plain, floor {FLOOR}: {verdict}."


def section(result: Steps) -> str:
    """Table, floor, check."""
    plain_times = result.times["plain"]
    rows = []
    for name, timed in result.times.items():
        cells = [f"{1e3 * timed.median():.0f}", f"{1e3 * timed.median('wall'):.0f}"]
        rows.append([name, *cells, f"{timing.ratio(plain_times, timed):.2f}"])
    header = ["variant", "CPU ms a step", "wall ms a step", "times plain (CPU)"]
    disturbed = sum(timed.disturbed for timed in result.times.values())
    about = (
        f"{NET} on {BACKBONE}, {SIZE}x{SIZE} RGB, batch {BATCH}. {len(plain_times.cpu)} rounds of 1 step; {disturbed} "
        f"of {len(plain_times.cpu) * len(result.times)} turns were disturbed (wall over CPU by more than 15 %)."
    )
    return "\n\n".join([about, timing.table(header, rows), judge(result), compare(result)])


ABOUT = """\
Medians over the rounds; ratios are medians of the rounds' ratios, by processor time. *Plain* is eager, float32, NCHW, \
AdamW as it comes, on the same network. *Freed memory kept* means that the C library was told not to hand large blocks \
back to the system after every step; `pellucid train` does so by itself. *Ours* also normalises the pixels, measures \
the gradient's length and checks that nothing is NaN. Operations on boxes and regions are the same in all variants."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds; no result file")
    parser.add_argument("--work", metavar="VARIANT", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.work)
        return
    timing.use_one_core()
    rounds = 2 if asked.quick else asked.rounds
    bf16 = sorted({"avx512_bf16", "amx_bf16", "bf16"} & cpu_features())
    parts = [f"Fast bf16 of this processor: {', '.join(bf16) or 'none, so ours runs in fp32'}.", ABOUT]
    parts.append(section(measure(rounds)))
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/detection_step.py --rounds {rounds}"
        timing.write_result("detection_step", "Detection: a training step", command, ["torch", "numpy"], parts)


if __name__ == "__main__":
    main()
