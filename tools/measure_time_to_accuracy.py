"""Measure what recipes/fast.py promises, and what the plain way costs, and write docs/time-to-accuracy.md.

make fast-table            # three seeds and the cost of a plain step; done parts are kept in runs/fast and not repeated

A seed that was interrupted starts anew, so that its seconds are those of one straight run. The plain way is an epoch
of ResNet-18 (small-image form) in eager mode, fp32, NCHW: its cost is measured on some real steps, which stands for
the epoch since every step does the same. How many epochs it needs is read from a real run (--run FOLDER: its first
epoch with a validation accuracy of 94.0 %), and assumed where there is none.
"""

import argparse
import datetime
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from measure_demo import processor

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "time-to-accuracy.md"
CACHE = ROOT / "runs" / "fast"
TARGET, ASSUMED_EPOCHS, PICTURES, BATCH = 0.94, 12, 60_000, 128

Row = dict[str, Any]


def keep(name: str, row: Row) -> Row:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / f"{name}.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return row


def read(name: str) -> Row:
    path = CACHE / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def measure(seed: int) -> Row:
    """One seed in a process of its own; its CPU seconds are those of the whole process."""
    if found := read(f"seed-{seed}"):
        return found
    out = CACHE / f"seed-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "recipes/fast.py", "--seed", str(seed), "--threads", "1", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    timing = [json.loads(line) for line in (out / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
    (opening,) = [json.loads(line) for line in (out / "test_openings.jsonl").read_text(encoding="utf-8").splitlines()]
    row = {
        "seed": seed,
        "accuracy": opening["value"],
        "training": sum(record["cpu_seconds"] for record in timing),
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": wall,
    }
    return keep(f"seed-{seed}", row)


def plain(steps: int) -> Row:
    """CPU seconds of an epoch the plain way, from the median of some steps on real pictures."""
    found = read("plain")
    if found.get("steps", 0) >= steps:
        return found
    import numpy as np
    import torch

    from pellucid.data.load import load
    from pellucid.models import create

    torch.set_num_threads(1)
    torch.manual_seed(0)
    source = load("fashion-mnist")
    pictures = torch.from_numpy(np.array(source.images[: steps * BATCH]))[:, None].float()  # (N, 1, 28, 28)
    pictures = (pictures - pictures.mean()) / pictures.std()
    labels = torch.from_numpy(np.array(source.labels)[: steps * BATCH])
    net = create("resnet18", 10, 1, (28, 28)).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    seconds = []
    for x, y in zip(pictures.split(BATCH), labels.split(BATCH), strict=True):
        before = time.process_time()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seconds.append(time.process_time() - before)
    return keep("plain", {"steps": steps, "step": statistics.median(seconds[1:] or seconds)})


def epochs_needed(folder: Path | None) -> Row:
    """The first epoch that reached the target in a real run, counted from 1, and the best there was."""
    if folder is None:
        return read("needed") or {"epochs": ASSUMED_EPOCHS, "real": False}
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    values = [line["val_accuracy"] for line in lines if line["kind"] == "epoch"]
    reached = next((epoch for epoch, value in enumerate(values, start=1) if value >= TARGET), None)
    if reached is None:
        raise SystemExit(f"{folder} has not reached {TARGET:.1%}: {max(values, default=0):.2%} so far.")
    return keep("needed", {"epochs": reached, "of": len(values), "real": True, "best": max(values)})


def page(rows: list[Row], base: Row, needed: Row) -> str:
    """The table, with the command, the machine and the date it came from."""
    import torch

    cpu = statistics.mean(row["cpu"] for row in rows)
    scores = [row["accuracy"] for row in rows]
    epoch = base["step"] * PICTURES / BATCH
    lines = [
        f"| {r['seed']} | {r['accuracy']:.2%} | {r['training']:.0f} | {r['cpu']:.0f} | {r['wall']:.0f} |" for r in rows
    ]
    verdict = "reaches" if statistics.mean(scores) >= TARGET else "**does not reach**"
    how = (
        f"in a real run of {needed['of']} epochs (bf16, the same arithmetic) validation first reached {TARGET:.1%} in "
        f"epoch {needed['epochs']}"
        if needed["real"]
        else f"**{needed['epochs']} epochs are assumed**, no run has shown it yet"
    )
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            "# Time to 94 % on Fashion-MNIST",
            "",
            f"`make fast-table`, {today}, {processor()}, 1 thread, torch {torch.__version__.split('+')[0]}.",
            "",
            "| seed | test accuracy | CPU s, training | CPU s, everything | wall s |",
            "| ---: | ---: | ---: | ---: | ---: |",
            *lines,
            "",
            f"`recipes/fast.py` {verdict} {TARGET:.1%}: mean {statistics.mean(scores):.2%} over {len(rows)} seed(s) "
            f"(lowest {min(scores):.2%}, highest {max(scores):.2%}), {cpu:.0f} CPU seconds each.",
            "*Everything* is the whole process: imports, reading and packing the pictures, training, report and test.",
            "It trains on all 60,000 pictures and nothing is picked; the 10,000 test pictures are opened once a seed.",
            "Wall seconds are of a machine that was busy with other work.",
            "",
            "| the plain way | |",
            "| --- | ---: |",
            f"| one step of ResNet-18, batch {BATCH}, eager, fp32, NCHW (median of {base['steps']}) "
            f"| {base['step']:.2f} CPU s |",
            f"| one epoch of {PICTURES:,} | {epoch:,.0f} CPU s |",
            f"| epochs to {TARGET:.1%} | {needed['epochs']} |",
            f"| all | {epoch * needed['epochs']:,.0f} CPU s |",
            f"| **ratio to the recipe** | **{epoch * needed['epochs'] / cpu:.0f}** |",
            "",
            f"Of the epochs: {how}.",
            "",
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--steps", type=int, default=20, help="steps of the plain way to time (about 4 CPU s each)")
    options.add_argument("--run", type=Path, help="a run of resnet18 that says how many epochs the plain way needs")
    chosen = options.parse_args()
    base, needed = plain(chosen.steps), epochs_needed(chosen.run)
    rows = []
    for seed in chosen.seeds:
        rows.append(measure(seed))
        PAGE.write_text(page(rows, base, needed), encoding="utf-8")
        print(f"seed {seed}: {rows[-1]['accuracy']:.2%}, {rows[-1]['cpu']:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
