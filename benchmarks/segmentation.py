"""Segmentation: a training step beside a plain fp32 loop of the same net, and a large picture's time and memory.

    python benchmarks/segmentation.py [--quick] [--rounds 7]

Steps: the same network, batch, weights, loss and optimiser; one thread on one core; a process for each variant. Ours
is what `pellucid train` does by itself, no flag given. Prediction: a picture of 1024 x 1024 pixels, 21 classes, by a
network of training size 128, in tiles and in one piece, each in a process of its own whose peak of memory is read.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from workers import Turn, Worker, run_once, serve, take_turns

from pellucid.core.device import cpu_features, has_fast_bf16
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Quiet
from pellucid.core.seed import seed_everything
from pellucid.data.source import Source
from pellucid.models.from_batch import FromBatch
from pellucid.models.segment import build
from pellucid.ops.memory import freed_memory_kept
from pellucid.ops.normalise import normalise
from pellucid.runs.setup.assemble import make_job, settle_device
from pellucid.tasks import get_task
from pellucid.tasks.segment.config import ModelConfig, SegmentConfig
from pellucid.tasks.segment.prediction.predict import predict
from pellucid.tasks.segment.prediction.wishes import SegmentWishes
from pellucid.training.config import TrainConfig
from pellucid.training.job import Job
from pellucid.training.optim import resolve_lr
from pellucid.training.step import gradient_step

CLASSES, SIZE, BATCH, LR = 11, 128, 16, 1e-4
FLOOR = 2.0  # how many times faster than plain ours has to be
STEPS = 3  # whose losses are compared
TOLERANCE = 0.02  # between a loss in bf16 and in fp32
NETS = ("fcn_small", "unet", "fcn8s")

LARGE, LARGE_CLASSES = 1024, 21
TILES = {"tiles of 128": 128, "tiles of 256": 256, "one piece": LARGE}  # how -> side of a tile
LESSONS, LESSON_LR = 60, 2e-3  # steps in which the networks of the large picture are taught something
BOUND = {"fcn_small": 150, "unet": 150, "fcn8s": 150}  # MB that tiles of 128 may take


# ------------------------------------------------------------------------------------------------ a training step


def segmentation_job(name: str) -> Job:
    """What `pellucid train` makes of a network, on pictures of noise with blocks of classes for masks."""
    rng = np.random.default_rng(0)
    n = 4 * BATCH
    pictures = rng.integers(0, 256, (n, SIZE, SIZE, 3), dtype=np.uint8)
    coarse = rng.integers(0, CLASSES, (n, SIZE // 16, SIZE // 16), dtype=np.uint8)
    masks = coarse.repeat(16, axis=1).repeat(16, axis=2)
    names = [str(number) for number in range(n)]
    source = Source("noise", pictures, names, tuple(f"class {k}" for k in range(CLASSES)), masks=masks)
    task = get_task("segment")
    cfg: Any = SegmentConfig(ModelConfig(name), train=TrainConfig(batch=BATCH, threads=1))
    device, cfg = settle_device(cfg)
    splits = task.make_data(cfg, source, Quiet())
    cfg = task.resolve(cfg, splits.facts)
    cfg = replace(cfg, optim=replace(cfg.optim, lr=resolve_lr(cfg.optim, BATCH)[0]))
    return make_job(task, cfg, splits, Path(tempfile.gettempdir()), device, Quiet())


def plain(job: Job, batch: dict[str, Tensor], net: nn.Module) -> Callable[[], float]:
    """The loop a competent person writes first: eager, float32, NCHW, the optimiser as it comes."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=job.cfg.optim.weight_decay)
    x = normalise(batch["image"], job.facts.preprocess).clone(memory_format=torch.contiguous_format)
    y = batch["mask"]

    def step() -> float:
        optimiser.zero_grad()
        loss = F.cross_entropy(net(x), y, ignore_index=255)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def ours(job: Job, batch: dict[str, Tensor], net: nn.Module) -> Callable[[], float]:
    """The step of `pellucid train`."""
    job.model.train()
    return lambda: gradient_step(job, batch, LR).total


# name -> (how it steps, whether freed memory is kept)
VARIANTS = {"plain": (plain, False), "plain, freed memory kept": (plain, True), "ours": (ours, True)}


def make_step(name: str, variant: Callable[..., Callable[[], float]]) -> Callable[[], float]:
    """A step that returns its loss. All variants of a network begin with the same weights and the same batch."""
    job = segmentation_job(name)
    batch = next(job.train.epoch(0))
    seed_everything(job.cfg.train.seed)
    net = build(name, CLASSES, 3, (SIZE, SIZE)).train()
    return variant(job, batch, net)


def work(name: str, variant: str) -> None:
    """The process of one variant."""
    timing.use_one_core()
    step, kept = VARIANTS[variant]
    with ExitStack() as stack:
        if kept:
            stack.enter_context(freed_memory_kept())  # as the training loop does
        serve(make_step(name, step))


@dataclass(frozen=True)
class Steps:
    """Times of all variants of a network, and the losses of their first steps."""

    name: str
    times: dict[str, timing.Timed]
    losses: dict[str, list[float]]


def measure_steps(name: str, rounds: int) -> Steps:
    """Let all variants of a network take turns."""
    print(name, file=sys.stderr)
    with ExitStack() as stack:
        script = str(Path(__file__))
        workers = {
            variant: stack.enter_context(Worker([script, "--work", name, variant], {"OMP_NUM_THREADS": "1"}))
            for variant in VARIANTS
        }
        losses = {variant: worker.ask(STEPS).output for variant, worker in workers.items()}
        turns: dict[str, Callable[[], Turn]] = {variant: partial(worker.ask, 1) for variant, worker in workers.items()}
        return Steps(name, take_turns(turns, rounds), losses)


def compare(result: Steps) -> str:
    """Whether all variants did the same; ends the program when they did not."""
    expected = result.losses["plain"]
    apart = [abs(a - b) for losses in result.losses.values() for a, b in zip(losses, expected, strict=True)]
    shown = ", ".join(f"{loss:.4f}" for loss in expected)
    if not all(each <= TOLERANCE for each in apart):  # NaN too
        sys.exit(f"{result.name}: losses differ from the plain loop's {shown}: {result.losses}")
    return (
        f"Losses of the first {STEPS} steps: plain {shown}; the others differ by at most {max(apart):.4f} "
        f"(allowed {TOLERANCE})."
    )


def judge(result: Steps) -> str:
    """The floor, and what was found."""
    if not has_fast_bf16("cpu"):
        return "The floor is for processors with fast bf16, which this one has not."
    fold = timing.ratio(result.times["plain"], result.times["ours"])
    verdict = "met" if fold >= FLOOR else "MISSED"
    return f"**Ours:** {fold:.2f} times as fast as plain, floor {FLOOR}: {verdict}."


def steps_section(result: Steps) -> str:
    """A network: table, floor, check."""
    plain_times = result.times["plain"]
    rows = []
    for name, timed in result.times.items():
        cells = [f"{1e3 * timed.median():.0f}", f"{1e3 * timed.median('wall'):.0f}"]
        rows.append([name, *cells, f"{timing.ratio(plain_times, timed):.2f}"])
    header = ["variant", "CPU ms a step", "wall ms a step", "times plain (CPU)"]
    disturbed = sum(timed.disturbed for timed in result.times.values())
    about = (
        f"{SIZE}x{SIZE} RGB, batch {BATCH}, {CLASSES} classes. {len(plain_times.cpu)} rounds of 1 step; {disturbed} of "
        f"{len(plain_times.cpu) * len(result.times)} turns were disturbed (wall over CPU by more than 15 %)."
    )
    title = f"## Training step of {result.name}"
    return "\n\n".join([title, about, timing.table(header, rows), judge(result), compare(result)])


# ---------------------------------------------------------------------------------------------- a large picture


def large_model(name: str) -> tuple[FromBatch, DataFacts]:
    """A fresh network of 21 classes, with what it knows of its data."""
    names = tuple(map(str, range(LARGE_CLASSES)))
    preprocess = Preprocess((SIZE, SIZE), mode="unit", fit="pad")
    seed_everything(0)
    model = FromBatch(build(name, LARGE_CLASSES, 3, (SIZE, SIZE)), preprocess)
    return model, DataFacts("segment", "blotches", names, (1,) * LARGE_CLASSES, preprocess)


def large_picture() -> Tensor:
    """(3, 1024, 1024) uint8: smooth blotches, since networks see little in noise."""
    coarse = torch.rand(1, 3, LARGE // 16, LARGE // 16, generator=torch.Generator().manual_seed(0)) * 255
    return F.interpolate(coarse, (LARGE, LARGE), mode="bicubic").clamp(0, 255).to(torch.uint8)[0]


def teach(name: str, path: str) -> None:
    """In a process of its own: train a while to name the brightest channel, and keep the weights.

    A fresh network's answer hangs by a thread: it would tell nothing of what tiles change.
    """
    timing.use_one_core()
    model, _ = large_model(name)
    optimiser = torch.optim.Adam(model.parameters(), lr=LESSON_LR)
    rows = torch.arange(0, LARGE - SIZE, SIZE)
    picture = large_picture()
    for number in range(LESSONS):
        top, left = int(rows[number % len(rows)]), int(rows[3 * number // len(rows) % len(rows)])
        crops = picture[:, top : top + SIZE, left : left + SIZE].unfold(1, 64, 64).unfold(2, 64, 64)
        image = crops.permute(1, 2, 0, 3, 4).reshape(-1, 3, 64, 64).contiguous()  # (4, 3, 64, 64)
        loss = F.cross_entropy(model({"image": image})["logits"], image.argmax(1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    torch.save(model.state_dict(), path)


def look(name: str, how: str, path: str) -> None:
    """In a process of its own: predict, and print seconds, the rise of the peak of memory, and what was said."""
    timing.use_one_core()
    model, facts = large_model(name)
    model.load_state_dict(torch.load(path, weights_only=True))
    image = large_picture()
    predict(model.eval(), [image[:, :64, :64]], facts, SegmentWishes(size="native"))  # what a first call loads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, wall = time.process_time(), time.perf_counter()
    (result,) = predict(model, [image], facts, SegmentWishes(size="native", tile=TILES[how]))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rise = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "mb": rise, "said": result.mask[::8, ::8].tolist()}))


def measure_looks(name: str, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """All ways in turn, each time in a new process."""
    found: dict[str, list[dict[str, Any]]] = {how: [] for how in TILES}
    with tempfile.TemporaryDirectory() as folder:
        script, weights = [sys.executable, str(Path(__file__))], f"{folder}/weights.pt"
        run_once([*script, "--teach", name, weights])
        for number in range(rounds):
            for how in TILES:
                found[how].append(json.loads(run_once([*script, "--look", name, how, weights]).output))
            print(f"{name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return found


def looks_section(name: str, found: dict[str, list[dict[str, Any]]]) -> str:
    """A network: seconds, memory, how far tiles and one piece agree, the bound."""
    whole = np.array(found["one piece"][0]["said"])
    rows = []
    for how, looks in found.items():
        cpu, wall = (statistics.median(look[clock] for look in looks) for clock in ("cpu", "wall"))
        said = np.array(looks[0]["said"])
        agreement = f"{np.mean(said == whole):.2%} ({len(np.unique(said))} classes)"
        rows.append([how, f"{cpu:.2f}", f"{wall:.2f}", f"{max(look['mb'] for look in looks):.0f}", agreement])
    header = ["how", "CPU s", "wall s", "peak memory, MB more", "pixels as in one piece"]
    most = max(look["mb"] for look in found["tiles of 128"])
    verdict = "met" if most <= BOUND[name] else "MISSED"
    bound = f"**Bound** of memory in tiles of 128: {BOUND[name]} MB, found {most:.0f}: {verdict}."
    return "\n\n".join(
        [f"## {LARGE}x{LARGE} pixels by {name}, {LARGE_CLASSES} classes", timing.table(header, rows), bound]
    )


ABOUT = """\
Medians over the rounds; ratios are medians of the rounds' ratios, by processor time. *Plain* is eager, float32, NCHW, \
AdamW as it comes. *Freed memory kept* means that the C library was told not to hand large blocks back to the system \
after every step; `pellucid train` does so by itself. *Ours* also normalises the pixels, measures the gradient's \
length and checks that nothing is NaN. Memory is by how much the peak of a process rises above where it stood with the \
network loaded and one small picture predicted, the largest of the rounds. The networks of the large picture were \
taught for a few steps which channel is the brightest, on crops of it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of fcn_small; no result file")
    parser.add_argument("--work", nargs=2, metavar=("NET", "VARIANT"), help=argparse.SUPPRESS)
    parser.add_argument("--look", nargs=3, metavar=("NET", "HOW", "WEIGHTS"), help=argparse.SUPPRESS)
    parser.add_argument("--teach", nargs=2, metavar=("NET", "WEIGHTS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    if asked.teach:
        teach(*asked.teach)
        return
    if asked.look:
        look(*asked.look)
        return
    timing.use_one_core()
    nets, rounds = (NETS[:1], 2) if asked.quick else (NETS, asked.rounds)
    bf16 = sorted({"avx512_bf16", "amx_bf16", "bf16"} & cpu_features())
    parts = [f"Fast bf16 of this processor: {', '.join(bf16) or 'none, so ours runs in fp32'}.", ABOUT]
    parts += [steps_section(measure_steps(name, rounds)) for name in nets]
    parts += [looks_section(name, measure_looks(name, 1 if asked.quick else 3)) for name in nets]
    print("\n\n".join(parts))
    if not asked.quick:
        command = f"python benchmarks/segmentation.py --rounds {rounds}"
        timing.write_result(
            "segmentation", "Segmentation: steps and large pictures", command, ["torch", "numpy"], parts
        )


if __name__ == "__main__":
    main()
