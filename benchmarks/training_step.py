"""One training step, side by side with a plain loop and with a loop tuned by hand.

    python benchmarks/training_step.py [--quick] [--rounds 7]

The same network, batch, weights and optimiser for all; one thread on one core; a process for each variant. Ours is
what `pellucid train` does by itself, no flag given: pixels as uint8 go in, and it also normalises them, checks loss
and gradient, and measures the gradient's length. The others get float pictures that are normalised already.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing
import torch
import torch.nn.functional as F
from small_cnn import small_cnn
from torch import Tensor, nn
from workers import Turn, Worker, serve, take_turns

from pellucid.core.device import cpu_features, has_fast_bf16
from pellucid.core.progress import Quiet
from pellucid.core.seed import seed_everything
from pellucid.data.source import Source
from pellucid.models.classify import MODELS
from pellucid.models.from_batch import FromBatch
from pellucid.nn.geometry import describe
from pellucid.ops.memory import freed_memory_kept
from pellucid.ops.normalise import normalise
from pellucid.runs.setup.assemble import make_job, settle_device
from pellucid.tasks import get_task
from pellucid.tasks.classify.config import ClassifyConfig, ModelConfig
from pellucid.training.config import TrainConfig
from pellucid.training.job import Job
from pellucid.training.optim import resolve_lr
from pellucid.training.step import gradient_step

CLASSES, LR = 10, 1e-4
STEPS = 3  # steps whose losses are compared
TOLERANCE = 0.02  # between a loss in bf16 and in fp32
SIDE = 2048  # of the matrices whose product is the yardstick


@dataclass(frozen=True)
class Case:
    """A network with its pictures.

    Attributes:
        steps: of one turn.
        floor: how many times faster than plain ours has to be; 0 asks for nothing. The convnet has none: its
            plain loop is near the rate of a product in fp32 already.
        gemm_floor: which share of the rate of a bf16 matrix product it has to reach; 0 asks for none.
    """

    title: str
    build: Callable[[int, int, tuple[int, int]], nn.Module]
    size: int
    channels: int
    batch: int
    steps: int
    floor: float
    gemm_floor: float = 0.0


CASES = {
    "resnet18": Case("ResNet-18, 32x32 RGB, batch 64", MODELS["resnet18"], 32, 3, 64, 1, 2.1, 0.9),
    "small-cnn": Case("small CNN, 28x28 grey, batch 128", small_cnn, 28, 1, 128, 8, 2.5),
    "convnet": Case("convnet, 28x28 grey, batch 128", MODELS["convnet"], 28, 1, 128, 4, 0.0),
}


# -------------------------------------------------------------------------------------------------- the variants


def plain(job: Job, batch: dict[str, Tensor], build: Callable[[], nn.Module]) -> Callable[[], float]:
    """The loop a competent person writes first: eager, float32, NCHW, the optimiser as it comes."""
    net = build().train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=job.cfg.optim.weight_decay)
    x = _floats(job, batch, torch.contiguous_format)
    y = batch["label"]

    def step() -> float:
        optimiser.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def tuned(job: Job, batch: dict[str, Tensor], build: Callable[[], nn.Module]) -> Callable[[], float]:
    """The same with what torch's tuning guide advises: bf16 autocast, channels last, the fused optimiser."""
    net = build().train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=job.cfg.optim.weight_decay, fused=True)
    x = _floats(job, batch, torch.channels_last)
    y = batch["label"]

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16("cpu")):
            logits = net(x)
        loss = F.cross_entropy(logits.float(), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def ours(job: Job, batch: dict[str, Tensor], build: Callable[[], nn.Module]) -> Callable[[], float]:
    """The step of `pellucid train`."""
    job.model.train()
    return lambda: gradient_step(job, batch, LR).total


def ours_with_data(job: Job, batch: dict[str, Tensor], build: Callable[[], nn.Module]) -> Callable[[], float]:
    """The same, each time with a new batch from the loader, shifted and mirrored."""
    job.model.train()

    def batches() -> Iterator[dict[str, Tensor]]:
        for epoch in range(sys.maxsize):
            yield from job.train.epoch(epoch)

    endless = batches()
    return lambda: gradient_step(job, next(endless), LR).total


# name -> (how it steps, whether freed memory is kept)
VARIANTS = {
    "plain": (plain, False),
    "plain, freed memory kept": (plain, True),
    "tuned by hand": (tuned, False),
    "tuned by hand, freed memory kept": (tuned, True),
    "ours": (ours, True),
    "ours, with loader and augmentation": (ours_with_data, True),
}


def make_step(case: Case, variant: Callable[..., Callable[[], float]]) -> Callable[[], float]:
    """A step that returns its loss. All variants of a case begin with the same weights and the same batch."""
    job = case_job(case)
    batch = next(job.train.epoch(0))

    def build() -> nn.Module:
        seed_everything(job.cfg.train.seed)
        return case.build(CLASSES, case.channels, (case.size, case.size))

    return variant(job, batch, build)


def case_job(case: Case) -> Job:
    """What `pellucid train` makes of the case, on pictures of noise."""
    rng = np.random.default_rng(0)
    n = 4 * case.batch
    shape = (n, case.size, case.size, 3)[: 4 if case.channels == 3 else 3]
    pictures = rng.integers(0, 256, shape, dtype=np.uint8)
    names = [str(number) for number in range(n)]
    source = Source("noise", pictures, names, tuple("abcdefghij"), labels=np.arange(n) % CLASSES)
    made = get_task("classify")
    task = replace(made, make_model=lambda cfg, facts: FromBatch(_build(case, facts), facts.preprocess))
    cfg: Any = ClassifyConfig(ModelConfig("convnet"), train=TrainConfig(batch=case.batch, threads=1))
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, Quiet())
    cfg = task.resolve(cfg, splits.facts)
    cfg = replace(cfg, optim=replace(cfg.optim, lr=resolve_lr(cfg.optim, case.batch)[0]))
    return make_job(task, cfg, splits, Path(tempfile.gettempdir()), device, Quiet())


def _build(case: Case, facts: Any) -> nn.Module:
    return case.build(facts.n_classes, facts.preprocess.channels, facts.preprocess.size)


def _floats(job: Job, batch: dict[str, Tensor], layout: torch.memory_format) -> Tensor:
    return normalise(batch["image"], job.facts.preprocess).clone(memory_format=layout)


def matrix_product(dtype: torch.dtype) -> Callable[[], None]:
    a, b, out = (torch.ones(SIDE, SIDE, dtype=dtype) for _ in range(3))

    def step() -> None:
        torch.mm(a, b, out=out)

    return step


def work(name: str, variant: str) -> None:
    """The process of one variant."""
    timing.use_one_core()
    with ExitStack() as stack:
        if variant in ("fp32", "bf16"):
            serve(matrix_product(torch.float32 if variant == "fp32" else torch.bfloat16))
            return
        step, kept = VARIANTS[variant]
        if kept:
            stack.enter_context(freed_memory_kept())  # as the training loop does
        serve(make_step(CASES[name], step))


# -------------------------------------------------------------------------------------------- turns and the table


@dataclass(frozen=True)
class Result:
    """Times of all variants of a case, and the losses of their first steps."""

    case: Case
    times: dict[str, timing.Timed]
    losses: dict[str, list[float]]

    @property
    def flop(self) -> int:
        """Of one step: two for each multiply-add, forward once, backward twice."""
        net = self.case.build(CLASSES, self.case.channels, (self.case.size, self.case.size))
        return describe(net, self.case.channels, (self.case.size, self.case.size)).macs * 2 * 3 * self.case.batch

    def share(self, variant: str) -> float:
        """Of the rate of a bf16 matrix product, round by round."""
        yardstick = 2 * SIDE**3 / self.flop
        pairs = zip(self.times["bf16"].cpu, self.times[variant].cpu, strict=True)
        return statistics.median(product / step for product, step in pairs) / yardstick


def measure(name: str, rounds: int) -> Result:
    """Let all variants of a case take turns."""
    case = CASES[name]
    print(case.title, file=sys.stderr)
    with ExitStack() as stack:
        script = str(Path(__file__))
        workers = {
            variant: stack.enter_context(Worker([script, "--work", name, variant], {"OMP_NUM_THREADS": "1"}))
            for variant in [*VARIANTS, "fp32", "bf16"]
        }
        losses = {variant: workers[variant].ask(STEPS).output for variant in VARIANTS}
        turns: dict[str, Callable[[], Turn]] = {
            variant: partial(worker.ask, case.steps if variant in VARIANTS else 1)
            for variant, worker in workers.items()
        }
        return Result(case, take_turns(turns, rounds), losses)


def compare(result: Result) -> str:
    """Whether all variants did the same; ends the program when they did not."""
    own = {name: losses for name, losses in result.losses.items() if name != "ours, with loader and augmentation"}
    expected = own["plain"]
    apart = {name: [abs(a - b) for a, b in zip(losses, expected, strict=True)] for name, losses in own.items()}
    shown = ", ".join(f"{loss:.4f}" for loss in expected)
    if not all(each <= TOLERANCE for differences in apart.values() for each in differences):  # NaN too
        sys.exit(f"{result.case.title}: losses differ from the plain loop's {shown}: {own}")
    worst = {name: max(differences) for name, differences in apart.items()}
    return (
        f"Losses of the first {STEPS} steps: plain {shown}; the others differ by at most {max(worst.values()):.4f} "
        f"(allowed {TOLERANCE}), ours by {worst['ours']:.4f}."
    )


def judge(result: Result) -> str:
    """The floors, and what was found."""
    case, times = result.case, result.times
    if not has_fast_bf16("cpu"):
        return "The floors are for processors with fast bf16, which this one has not."
    fold, share = timing.ratio(times["plain"], times["ours"]), result.share("ours")
    wanted = f", floor {case.floor}: {_verdict(fold, case.floor)}" if case.floor else ""
    share_wanted = f", floor {case.gemm_floor}: {_verdict(share, case.gemm_floor)}" if case.gemm_floor else ""
    return (
        f"**Ours:** {fold:.2f} times as fast as plain{wanted}. It reaches {share:.2f} of the rate of the bf16 matrix "
        f"product{share_wanted}; at all of it, it would be {fold / share:.1f} times as fast as plain."
    )


def _verdict(found: float, floor: float) -> str:
    return "met" if found >= floor else "MISSED"


def section(result: Result) -> str:
    """A case: table, floors, check."""
    rows = []
    peer = result.times["plain"]
    for name in VARIANTS:
        timed = result.times[name]
        cells = [f"{1e3 * timed.median():.1f}", f"{1e3 * timed.median('wall'):.1f}"]
        rows.append([name, *cells, f"{timing.ratio(peer, timed):.2f}", f"{result.share(name):.2f}"])
    header = ["variant", "CPU ms a step", "wall ms a step", "times plain (CPU)", "share of the bf16 product"]
    disturbed = sum(timed.disturbed for timed in result.times.values())
    products = [2 * SIDE**3 / result.times[dtype].median() / 1e9 for dtype in ("fp32", "bf16")]
    about = (
        f"{result.flop / 1e9:.2f} GFLOP a step; matrix product {SIDE}: {products[0]:.0f} GFLOP/s in fp32, "
        f"{products[1]:.0f} in bf16. {len(peer.cpu)} rounds of {result.case.steps} step(s); {disturbed} of "
        f"{len(peer.cpu) * len(result.times)} turns were disturbed (wall over CPU by more than 15 %)."
    )
    return "\n\n".join([f"## {result.case.title}", about, timing.table(header, rows), judge(result), compare(result)])


ABOUT = """\
Medians over the rounds; ratios are medians of the rounds' ratios, by processor time. *Plain* is eager, float32, NCHW, \
AdamW as it comes. *Tuned by hand* is bf16 autocast, channels last, fused AdamW. *Freed memory kept* means that the C \
library was told not to hand large blocks back to the system after every step; `pellucid train` does so by itself, and \
hardly anyone else does. *Ours* also normalises the pixels, measures the gradient's length and checks that nothing is \
NaN."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of the small CNN; no result file")
    parser.add_argument("--work", nargs=2, metavar=("CASE", "VARIANT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    timing.use_one_core()
    names, rounds = (["small-cnn"], 2) if asked.quick else (list(CASES), asked.rounds)
    found = sorted({"avx512_bf16", "amx_bf16", "bf16"} & cpu_features())
    bf16 = f"Fast bf16 of this processor: {', '.join(found) or 'none, so ours runs in fp32'}."
    parts = [bf16, ABOUT, *(section(measure(name, rounds)) for name in names)]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/training_step.py --rounds {rounds}"
        timing.write_result("training_step", "Training steps", command, ["torch", "numpy"], parts)


if __name__ == "__main__":
    main()
