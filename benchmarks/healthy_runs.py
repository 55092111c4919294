"""Twenty runs with nothing wrong: five networks on four small sets. No check may say more than `info` of them.

python benchmarks/healthy_runs.py [--seed 100] [--quick]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from short_runs import SETS, small_job, trained

from pellucid.core.verdict import Verdict

# network -> settings beside the usual ones: those that its own recipe has
NETWORKS: dict[str, dict[str, object]] = {
    "mlp": {},
    "convnet": {},
    "resnet20": {"optimiser": "sgd"},
    "vit_small": {},
    "squeezenet1_1": {"lr": 3e-4},
}
SIZES = {"squeezenet1_1": "32", "vit_small": "16", "resnet20": "16"}  # to which pictures are scaled


def healthy_run(network: str, data: str, folder: Path, seed: int, epochs: int = 4) -> list[Verdict]:
    """Train `network` on the set for a few epochs; what the checks of the loop say."""
    settings = {"model": network, "epochs": epochs, "batch": 32, "seed": seed, **NETWORKS[network]}
    if data == "fashion":
        settings["fraction"] = 0.08
    if network in SIZES:
        settings["image_size"] = SIZES[network]
    return trained(small_job(folder, SETS[data](), **settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="one network of each kind on one set")
    asked = parser.parse_args()
    wrong = 0
    for number, network in enumerate(NETWORKS):
        for place, data in enumerate(SETS):
            if asked.quick and place != number % len(SETS):
                continue
            with tempfile.TemporaryDirectory() as folder:
                verdicts = healthy_run(network, data, Path(folder), asked.seed + 10 * number + place)
            alarms = [verdict for verdict in verdicts if verdict.status in ("warn", "fail")]
            wrong += bool(alarms)
            print(f"{network:14} {data:9} {'; '.join(map(Verdict.sentence, alarms)) or 'nothing'}", flush=True)
    print(f"{wrong} runs with false alarms.")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
