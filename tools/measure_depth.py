"""Train plain and residual networks of 20 and 56 layers, and leave out their blocks; results beside docs/architectures.

make depth-runs                         # goes on where it was stopped; about nine CPU minutes for all of it
python tools/measure_depth.py --list    # what is done

Two pages show what is kept in docs/architectures/measured/depth.json: degradation and leave_a_block_out.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid
from pellucid.core.files import write_text
from pellucid.core.seed import seed_everything
from pellucid.models.classify.cifar_resnet import VARIANTS, CifarResNet
from pellucid.models.classify.leave_out import left_out, residual_blocks
from pellucid.nn.precision import place_model
from pellucid.ops.memory import freed_memory_kept
from pellucid.training.schedule import ONE_CYCLE_UP, factor

KEPT = Path(__file__).resolve().parents[1] / "docs" / "architectures" / "measured" / "depth.json"
NETWORKS, SEEDS = ("plain20", "resnet20", "plain56", "resnet56"), 3
WIDTHS = (4, 8, 16)  # a quarter of the paper's, so that 20 layers cannot learn all pictures by heart
SIDE, TRAIN, TEST = 14, 4000, 2000
EPOCHS, BATCH, RATE, MOMENTUM, DECAY = 12, 32, 0.03, 0.9, 1e-4


def pictures(role: str, n: int) -> tuple[Tensor, Tensor]:
    """The first n of a part of fashion-mnist-mini, halved and standardised: (n, 1, 14, 14), and their classes."""
    data = pellucid.load("fashion-mnist-mini")
    part = data.take(np.flatnonzero(np.asarray(data.roles) == role)[:n])
    images = torch.from_numpy(np.asarray(part.images, dtype=np.float32))[:, None]
    images = F.avg_pool2d(images, images.shape[-1] // SIDE)
    return (images - 73) / 84, torch.from_numpy(np.asarray(part.labels))  # rounded, of the training part


@torch.no_grad()
def error(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of pictures classified wrongly, in evaluation mode."""
    model.eval()
    wrong = [(model(x).argmax(1) != y).sum() for x, y in zip(images.split(250), labels.split(250), strict=True)]
    return float(sum(wrong)) / len(labels)


def run(
    name: str, seed: int, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], epochs: int = EPOCHS
) -> dict[str, Any]:
    """Train a network by SGD, then leave out each block in turn.

    Returns:
        train_error, after every epoch and before the first; test_error at the end; left_out: block -> test error
        without it; cpu_seconds.
    """
    began = time.process_time()
    seed_everything(seed)
    images, labels = train
    made_of, n = VARIANTS[name]
    model = place_model(CifarResNet(10, 1, n, WIDTHS, made_of), torch.device("cpu"))
    optimiser = torch.optim.SGD(model.parameters(), RATE, MOMENTUM, weight_decay=DECAY)
    steps = epochs * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: factor("one-cycle", step, steps, steps // ONE_CYCLE_UP)
    )
    curve = [error(model, images, labels)]
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(labels)).split(BATCH):
            optimiser.zero_grad()
            F.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimiser.step()
            schedule.step()
        curve.append(error(model, images, labels))
    without = {}
    for block in residual_blocks(model):
        with left_out(model, block):
            without[block] = error(model, *test)
    return {
        "train_error": curve,
        "test_error": error(model, *test),
        "left_out": without,
        "cpu_seconds": round(time.process_time() - began),
    }


def read() -> dict[str, Any]:
    """Runs by name and seed, as `plain20-0`; none if nothing was measured yet."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}


def keep(runs: dict[str, Any]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    lines = [f" {json.dumps(key)}: {json.dumps(runs[key])}" for key in sorted(runs)]
    write_text(KEPT, "{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--list", action="store_true", help="show what is done; train none")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    runs = read()
    train, test = pictures("train", TRAIN), pictures("test", TEST)
    for seed in range(SEEDS):
        for name in NETWORKS:
            key = f"{name}-{seed}"
            if key not in runs and not chosen.list:
                with freed_memory_kept():
                    runs[key] = run(name, seed, train, test)
                keep(runs)
            if key in runs:
                row = runs[key]
                curve = " ".join(f"{e:.1%}" for e in row["train_error"])
                print(
                    f"{key:12s} {row['cpu_seconds']:4d} CPU s  test {row['test_error']:.1%}  train {curve}", flush=True
                )


if __name__ == "__main__":
    main()
