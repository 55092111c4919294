"""Train a network of every family by one recipe on all of Fashion-MNIST, and write docs/zoo-accuracy.md.

make zoo-table                                 # goes on where it was stopped; hours of one core for all of it
python tools/measure_zoo.py --list             # what is done, what one epoch of the others costs
python tools/measure_zoo.py --only googlenet   # one network
python tools/measure_zoo.py --adopt resnet18 FOLDER   # take in a run that was made otherwise

What differs between networks is how many epochs fit into the budget of CPU seconds, and nothing else. A family is a
file of networks; its smallest network stands for it, unless PREFERRED says otherwise. Runs are kept in runs/zoo.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure_demo import processor

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "zoo-accuracy.md"
CACHE = ROOT / "runs" / "zoo"
SIDE, CLASSES, TRAIN, TEST = 28, 10, 57_000, 10_000  # Fashion-MNIST less its validation twentieth

RECIPE: dict[str, Any] = {
    "batch": 128,
    "optimiser": "adamw",
    "lr": 2e-3,
    "weight_decay": 0.05,
    "schedule": "one-cycle",
    "clip_norm": 1.0,
    "label_smoothing": 0.1,
    "shift": 0.07,
    "val_fraction": 0.05,
    "threads": 1,
}
MOST_EPOCHS = 12
PREFERRED = {"vgg": "vgg11_bn", "resnet": "resnet18", "densenet": "densenet121"}

# Published test accuracy of the same kind of network, in per cent, as the authors of the data list what was sent in to
# them (https://github.com/zalandoresearch/fashion-mnist, not checked by them). Depths, widths and recipes differ.
PUBLISHED = {
    "vgg11_bn": "93.5 (VGG16)",
    "googlenet": "93.7",
    "resnet18": "94.9",
    "mobilenet_v1": "95.0 (MobileNet)",
    "densenet121": "95.4 (DenseNet-BC, 0.77 M)",
    "wide_resnet50_2": "95.9 (WRN-28-10)",
    "mlp": "90.0 (256-128-64)",
    "convnet": "92.5 (2 convolutions, below 0.1 M)",
}

Row = dict[str, Any]


def families() -> list[str]:
    """One network of each file of the table."""
    import torch

    from pellucid.models.classify import MODELS

    files: dict[str, list[tuple[int, str]]] = {}
    with torch.device("meta"):
        for name, build in MODELS.items():
            size = next((s for s in (28, 64, 128, 224, 320) if _builds(build, s)), None)
            count = sum(p.numel() for p in build(CLASSES, 1, (size, size)).parameters()) if size else 0
            files.setdefault(build.__module__.rsplit(".", 1)[1], []).append((count, name))
    return [PREFERRED.get(file, min(networks)[1]) for file, networks in files.items()]


def _builds(build: Callable[..., Any], side: int) -> bool:
    from pellucid.core.errors import ConfigError

    try:
        build(CLASSES, 1, (side, side))
    except ConfigError:
        return False
    return True


def cost(name: str) -> Row:
    """Parameters, multiply-adds, and CPU seconds of an epoch from a few steps as the recipe takes them."""
    import torch

    from pellucid.core.device import choose_precision
    from pellucid.core.errors import ConfigError
    from pellucid.models import create
    from pellucid.nn.geometry import describe
    from pellucid.nn.precision import autocast, place_model
    from pellucid.ops.memory import freed_memory_kept

    try:
        net = create(name, CLASSES, 1, (SIDE, SIDE))
    except ConfigError as error:
        return {"refused": str(error)}
    parameters, macs = sum(p.numel() for p in net.parameters()), describe(net, 1, (SIDE, SIDE)).macs
    torch.set_num_threads(1)
    device = torch.device("cpu")
    precision = choose_precision("auto", device)
    net = place_model(net, device).train()
    optimiser = torch.optim.AdamW(net.parameters(), fused=True)
    pictures, labels = torch.randn(RECIPE["batch"], 1, SIDE, SIDE), torch.arange(RECIPE["batch"]) % CLASSES
    seconds = []
    with freed_memory_kept():
        for _ in range(4):
            before = time.process_time()
            with autocast(device, precision):
                logits = net(pictures)
            torch.nn.functional.cross_entropy(logits.float(), labels).backward()
            optimiser.step()
            optimiser.zero_grad()
            seconds.append(time.process_time() - before)
    epoch = min(seconds[1:]) * TRAIN / RECIPE["batch"]
    return {"parameters": parameters, "macs": macs, "epoch_seconds": round(epoch, 1)}


def read(name: str) -> Row:
    """What is known of a network, from the cache."""
    path = CACHE / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(name: str, row: Row) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / f"{name}.json").write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def planned(row: Row, budget: float) -> int:
    """Epochs that fit, a tenth of the budget left to validation and test; 0 when not one does."""
    return min(MOST_EPOCHS, int(0.9 * budget / row["epoch_seconds"])) if "epoch_seconds" in row else 0


def train(name: str, epochs: int) -> None:
    """Train in a process of its own, from where an earlier one was stopped."""
    folder = CACHE / name
    words = [sys.executable, "-m", "pellucid", "train"]
    if (folder / "config.toml").exists():
        words += ["--resume", str(folder)]
    else:
        shutil.rmtree(folder, ignore_errors=True)
        flags = {"model": name, "epochs": epochs, "out": folder, **RECIPE}
        words += ["fashion-mnist", *(w for k, v in flags.items() for w in (f"--{k.replace('_', '-')}", str(v)))]
    subprocess.run([*words, "--quiet"], check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def opened(folder: Path) -> float:
    """Test accuracy: what the first opening found, or an opening now."""
    log = folder / "test_openings.jsonl"
    if not log.exists():
        words = [sys.executable, "-m", "pellucid", "evaluate", str(folder), "--quiet"]
        subprocess.run(words, check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return float(json.loads(log.read_text(encoding="utf-8").splitlines()[0])["value"])


def spent(folder: Path) -> tuple[float, str]:
    """Seconds of training and validation, and which; runs from before CPU seconds were logged have wall seconds."""
    every = [json.loads(line) for line in (folder / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [line for line in every if "seconds" in line]  # others tell of a step that was slow
    kind = "cpu_seconds" if all("cpu_seconds" in line for line in lines) else "seconds"
    return sum(line[kind] for line in lines), "CPU" if kind == "cpu_seconds" else "wall"


def finish(name: str, folder: Path, seconds: float | None = None, how: str = "") -> None:
    """Write down what a finished run reached."""
    n_epochs = sum(
        json.loads(line)["kind"] == "epoch" for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    )
    taken, kind = spent(folder)
    row = read(name) or cost(name)
    found = {"epochs": n_epochs, "seconds": round(seconds or taken), "kind": "CPU" if seconds else kind, "how": how}
    keep(name, {**row, **found, "accuracy": opened(folder)})


def adopt(name: str, folder: Path, seconds: float | None) -> None:
    """Take in a finished run of other settings, which are named beside its row."""
    import tomllib

    stored = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    flat = {key: value for part in stored.values() if isinstance(part, dict) for key, value in part.items()}
    if flat["model"] != name or not (folder / "report.html").exists():
        raise SystemExit(f"{folder} holds no finished run of {name}: its model is {flat['model']}.")
    finish(name, folder, seconds, otherwise(flat))


def otherwise(flat: dict[str, Any]) -> str:
    """Where the settings of a run, by name, are not the recipe's."""
    from pellucid.data.config import AugmentConfig
    from pellucid.training.config import ScheduleConfig

    wanted = {**vars(AugmentConfig()), **vars(ScheduleConfig()), **RECIPE}
    return ", ".join(
        f"{key} {flat[key]}" for key, value in wanted.items() if key in flat and flat[key] != _plain(value)
    )


def _plain(value: Any) -> Any:
    """As TOML has it."""
    return list(value) if isinstance(value, tuple) else value


def page(names: list[str], budget: float) -> str:
    """The table as far as it goes."""
    import torch

    rows = {name: read(name) for name in names}
    done = sorted((n for n in names if "accuracy" in rows[n]), key=lambda n: -rows[n]["accuracy"])
    left = sorted((n for n in names if n not in done and "epoch_seconds" in rows[n]), key=lambda n: rows[n]["macs"])
    notes: dict[str, str] = {}
    lines = []
    for name in (*done, *left):
        row = rows[name]
        size = f"| {name} | {row['parameters']:,} | {row['macs'] / 1e6:.1f} M | {row['epoch_seconds']:.0f} |"
        published = PUBLISHED.get(name, "")
        if name in left:
            epochs = planned(row, budget)
            why = f"not run yet: {epochs} fit" if epochs else "not run: no epoch fits"
            lines.append(f"{size} | | {why} | {published} |")
            continue
        notes |= {name: row["how"]} if row["how"] else {}
        mark = "*" * bool(row["how"])
        lines.append(
            f"{size} {row['epochs']} | {row['seconds']:,}{' (wall)' * (row['kind'] == 'wall')}{mark} | "
            f"{row['accuracy']:.2%} | {published} |"
        )
    settings = ", ".join(f"{name} {value}" for name, value in RECIPE.items())
    refused = [f"`{name}`" for name in names if "refused" in rows[name]]
    about = (
        f"One recipe for all: {settings}; the epochs, at most {MOST_EPOCHS}, are those that fit into {budget:.0f} CPU "
        f"seconds on one core, by a few steps measured before. {TRAIN:,} pictures of {SIDE}x{SIDE} px are trained on, "
        f"the best epoch is picked on 3,000 others, and the {TEST:,} test pictures are opened once. One seed: an "
        "accuracy near 94 % on so many pictures is known to about a quarter of a point. So short a training says how "
        "much a network learns in that time, not what it could reach; the published figures are of other recipes, "
        "mostly longer, and come from a list that its keepers did not check."
    )
    unknown = [f"`{name}`" for name in names if not rows[name]]
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            "# What the networks of the zoo reach on Fashion-MNIST",
            "",
            f"`make zoo-table`, {today}, {processor()}, 1 thread, torch {torch.__version__.split('+')[0]}. {len(done)} "
            f"of {len(names) - len(refused)} networks are trained; the command goes on with the others.",
            "",
            "| network | parameters | multiply-adds | CPU s an epoch | epochs | CPU s | test accuracy | published, % |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            *lines,
            "",
            textwrap.fill(about, 118),
            *(["", *(f"*`{name}` was trained otherwise: {how}." for name, how in notes.items())] if notes else []),
            *(["", f"Not even measured yet: {', '.join(unknown)}."] if unknown else []),
            *(["", f"Not for pictures of {SIDE} px: {', '.join(refused)}."] if refused else []),
            "",
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", metavar="NAME", help="these networks, in this order")
    options.add_argument("--budget", type=float, default=700, help="CPU seconds each (default 700)")
    options.add_argument("--list", action="store_true", help="show what is done and what the others cost; train none")
    options.add_argument("--adopt", nargs=2, metavar=("NAME", "RUN"), help="take in a finished run of one network")
    options.add_argument("--seconds", type=float, help="CPU seconds of the adopted run, where its log has none")
    chosen = options.parse_args()
    names = families()
    if chosen.adopt:
        adopt(chosen.adopt[0], Path(chosen.adopt[1]), chosen.seconds)
    for name in chosen.only or names:
        if not read(name):
            keep(name, cost(name))
    if chosen.list:
        for name in chosen.only or names:
            print(f"{name:32s} {planned(read(name), chosen.budget):2d} epochs  {json.dumps(read(name))}")
    elif not chosen.adopt:
        usual = sorted(names, key=lambda name: read(name).get("epoch_seconds", 0))
        for name in chosen.only or usual:
            row = read(name)
            epochs = planned(row, chosen.budget)
            if epochs and "accuracy" not in row:
                print(f"{name}: {epochs} epochs of about {row['epoch_seconds']:.0f} CPU seconds", flush=True)
                train(name, epochs)
                finish(name, CACHE / name)
                PAGE.write_text(page(names, chosen.budget), encoding="utf-8")
    PAGE.write_text(page(names, chosen.budget), encoding="utf-8")


if __name__ == "__main__":
    main()
