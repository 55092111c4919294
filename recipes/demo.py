"""The demo: from pictures to a tested model, a report and predictions, with one command.

    make demo

Trains `convnet` (0.29 M parameters) on 10,800 real pictures of clothes, picks the best epoch on 1,200
others, opens the 2,000 test pictures once, and predicts a few. Promise: at most 200 CPU seconds of
training, and a test accuracy of at least 0.90; the measured numbers are in `docs/demo.md`. The schedule
is fixed in epochs, so how fast the machine is never changes the result.
"""

import argparse
import time
from pathlib import Path

import pellucid

RECIPE = {
    "model": "convnet",
    "epochs": 22,
    "batch": 128,
    "optimiser": "sgd",
    "lr": 0.15,
    "weight_decay": 5e-4,
    "schedule": "linear",
    "warmup_epochs": 4.0,
    "label_smoothing": 0.1,
    "shift": 0.07,
    "cutout": 0.28,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--epochs", type=int, default=RECIPE["epochs"])
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--threads", type=int, default=0, help="0 takes the free cores")
    options.add_argument("--out", default=None)
    chosen = options.parse_args()

    started = time.process_time()
    settings = {**RECIPE, "epochs": chosen.epochs, "seed": chosen.seed, "threads": chosen.threads}
    settings["warmup_epochs"] = min(RECIPE["warmup_epochs"], chosen.epochs / 5)
    run = pellucid.train("fashion-mnist-mini", out=chosen.out, **settings)
    cpu_seconds = time.process_time() - started

    accuracy = run.evaluate()["accuracy"]
    report = run.report()
    pictures = sorted((run.folder / "examples").glob("*.png"))[:4]
    print("\nA few predictions:")
    for result in run.predict(*pictures):
        print(f"  {Path(result.name).name}: {result.label} ({result.probability:.1%})")
    print(f"\nTest accuracy {accuracy:.4f} ({cpu_seconds:.0f} CPU seconds of training and reporting)")
    print(f"Run folder    {run.folder}")
    print(f"Report        {report}   <- open it in a browser")


if __name__ == "__main__":
    main()
