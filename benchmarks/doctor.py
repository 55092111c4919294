"""Every planted fault and every healthy run, and what the doctor says of them; writes docs/doctor.md.

make doctor-table                       # goes on where it was stopped; about ten minutes
python benchmarks/doctor.py --again     # forgets what was kept
python benchmarks/doctor.py --only NAME # one case, nothing written

A fault counts as found when the rule that is named for it raises an alarm (`warn` or `fail`) and no other does. Where
two rules measure the same thing, the second is named beside the first, and its alarm is right too. A healthy case
counts as a false alarm when any rule raises one.
"""

import argparse
import datetime
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import planted_jobs as planted
import torch
from broken_data import BROKEN, SOUND
from healthy_runs import NETWORKS, healthy_run
from planted_faults import FAULTS
from short_runs import SETS, small_job, trained

import pellucid
from pellucid.core.files import write_text
from pellucid.core.progress import Quiet
from pellucid.core.verdict import Verdict
from pellucid.data.load import load
from pellucid.doctor.rules import RULES
from pellucid.training.health.preflight import preflight

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "runs" / "doctor" / "cases.json"
PAGE = ROOT / "docs" / "doctor.md"
CURVES = ROOT / "tests" / "training" / "health" / "curves" / "judged.json"
FIRST_CURVES = CURVES.with_name("judged_first.json")

SEED = 500  # of the healthy runs; those of the tests and of tuning are others


@dataclass(frozen=True)
class Case:
    """Something to examine, and the rule that must speak; "" when none may.

    Attributes:
        part: when the doctor looks: data, before, while, after.
        rule: id, or "".
        run: gives the verdicts, in an empty folder.
        also: rules whose alarm is right too.
    """

    part: str
    rule: str
    run: Callable[[Path], list[Verdict]]
    also: tuple[str, ...] = ()


def shuffled_labels(folder: Path) -> list[Verdict]:
    """Digits whose labels were dealt anew, long enough to learn them by heart."""
    digits: Any = load("digits")
    labels = np.random.default_rng(9).permutation(np.asarray(digits.labels))
    data = {"images": np.asarray(digits.images)[:500], "labels": labels[:500]}
    return trained(small_job(folder, data, model="mlp", epochs=40, batch=32, seed=5, augment=False, lr=2e-3))


def opened_twice(folder: Path) -> list[Verdict]:
    """The test split is measured a second time."""
    images, labels = planted.pictures(160)
    data = {"images": images, "labels": labels}
    run = pellucid.train(data, out=folder / "run", epochs=4, model="linear", progress="quiet", threads=1, device="cpu")
    for _ in range(2):
        run.evaluate(progress="quiet")
    return run.verdicts


def before(make: Callable[[], planted.Make]) -> Callable[[Path], list[Verdict]]:
    """The preflight of a job."""
    return lambda folder: preflight(make(), Quiet())


def with_fault(plant: Callable[[Any], object], **settings: Any) -> Callable[[Path], list[Verdict]]:
    """The preflight of a job with a fault."""
    return before(lambda: planted.with_fault(planted.classifier(**settings), plant))


def healthy(network: str, data: str, seed: int) -> Callable[[Path], list[Verdict]]:
    return lambda folder: healthy_run(network, data, folder, seed)


def cases() -> dict[str, Case]:
    """Everything, in the order of the page."""
    found = {name: Case("data", rule, lambda folder, run=run: run()) for name, (rule, run) in BROKEN.items()}
    found |= {
        "a frozen layer": Case("before", "gradients-reach-all", with_fault(planted.freeze_a_layer)),
        "softmax twice": Case("before", "double-softmax", with_fault(planted.then(lambda x: x.softmax(1)))),
        "pixels that are not normalised": Case(
            "before", "input-normalised", before(lambda: planted.classifier(preprocess="none"))
        ),
        "statistics of training in evaluation": Case(
            "before", "train-eval-slip", with_fault(planted.norms_stuck_in_training, model="convnet")
        ),
        "answers that depend on the batch": Case(
            "before", "batch-mixing", with_fault(planted.then(planted.minus_batch_mean))
        ),
        "rate x 1000, not yet trained": Case("before", "learning-rate", with_fault(planted.other_rate(1000))),
        "rate / 1000, not yet trained": Case("before", "learning-rate", with_fault(planted.other_rate(1 / 1000))),
    }
    found |= {name: Case("while", fault.rule, fault.run, fault.also) for name, fault in FAULTS.items()}
    found["shuffled labels"] = Case("while", "labels-unrelated", shuffled_labels)
    found["test split used twice"] = Case("after", "test-opened-again", opened_twice)
    found |= {name: Case("data", "", lambda folder, run=run: run()) for name, run in SOUND.items()}
    found |= {
        "a perceptron, not yet trained": Case("before", "", before(planted.classifier)),
        "a convnet, not yet trained": Case("before", "", before(lambda: planted.classifier(model="convnet"))),
        "a segmenter, not yet trained": Case("before", "", before(planted.segmenter)),
    }
    pairs = [(network, data) for network in NETWORKS for data in SETS]
    for number, (network, data) in enumerate(pairs):
        found[f"{network} on {data}"] = Case("while", "", healthy(network, data, SEED + number))
    return found


def examine(case: Case) -> dict[str, Any]:
    """Run a case: the rules that raised an alarm, and the seconds it took."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        alarms = [verdict for verdict in case.run(Path(folder) / "run") if verdict.status in ("warn", "fail")]
    return {
        "alarms": sorted({verdict.rule for verdict in alarms}),
        "said": [verdict.sentence() for verdict in alarms],
        "seconds": round(time.perf_counter() - began, 1),
    }


def is_right(case: Case, alarms: list[str]) -> bool:
    """The rule spoke and no other did; of a healthy case, none did."""
    return set(alarms) <= {case.rule, *case.also} and (not case.rule or case.rule in alarms)


def page(every: dict[str, Case], kept: dict[str, Any]) -> str:
    """docs/doctor.md."""
    faults = {name: case for name, case in every.items() if case.rule and name in kept}
    sound = {name: case for name, case in every.items() if not case.rule and name in kept}
    found = sum(is_right(case, kept[name]["alarms"]) for name, case in faults.items())
    false = [name for name, case in sound.items() if not is_right(case, kept[name]["alarms"])]
    runs = [name for name, case in sound.items() if case.part == "while"]
    lines = [
        "# What the doctor checks, and how well",
        "",
        "Written by `make doctor-table` (benchmarks/doctor.py); do not edit.",
        "",
        f"**{found} of {len(faults)} planted faults** are named by their own rule, or by one in brackets that "
        f"measures the same, and by no other. Of **{len(sound)}** "
        f"healthy cases, {len(runs)} of them whole training runs, **{len(false)} raise an alarm**"
        + (f" ({', '.join(false)})." if false else "."),
        "",
        *_curves(),
        "## Planted faults",
        "",
        "| fault | looked at | its rule | alarms raised | |",
        "|---|---|---|---|---|",
    ]
    times = {"data": "as data", "before": "before training", "while": "while training", "after": "after training"}
    for name, case in faults.items():
        alarms = kept[name]["alarms"]
        rule = f"`{case.rule}`" + "".join(f" (or `{other}`)" for other in case.also)
        raised = ", ".join(f"`{alarm}`" for alarm in alarms) or "none"
        verdict = "found" if is_right(case, alarms) else "**missed**"
        lines.append(f"| {name} | {times[case.part]} | {rule} | {raised} | {verdict} |")
    lines += ["", "## Healthy cases", "", "| case | looked at | alarms raised |", "|---|---|---|"]
    for name, case in sound.items():
        raised = ", ".join(f"`{alarm}`" for alarm in kept[name]["alarms"]) or "none"
        lines.append(f"| {name} | {times[case.part]} | {raised} |")
    lines += ["", "## Every rule", "", "| rule | what it looks for |", "|---|---|"]
    lines += [f"| `{rule}` | {text} |" for rule, text in RULES.items()]
    seconds = sum(result["seconds"] for result in kept.values())
    lines += [
        "",
        f"{datetime.date.today().isoformat()}; {platform.machine()}, {os.cpu_count()} processors, one thread; Python "
        f"{platform.python_version()}, torch {torch.__version__}; {seconds:,.0f} seconds of cases.",
        "",
    ]
    return "\n".join(lines)


def _curves() -> list[str]:
    """What came of the curves that were kept apart."""
    if not CURVES.exists():
        return []
    judged = json.loads(CURVES.read_text(encoding="utf-8"))
    rows = [f"| {name} | {right} of {every} |" for name, (right, every) in judged["by_name"].items()]
    return [
        "## Curves",
        "",
        f"Of {judged['curves']} recorded curves of real small runs, of data, networks and seeds that no rule was "
        f"tuned on, **{judged['right']} ({judged['right'] / judged['curves']:.1%})** are named right "
        f"(`{judged['command']}`, {judged['date']}).",
        "",
        "| curve | named right |",
        "|---|---|",
        *rows,
        "",
        *_first_curves(),
    ]


def _first_curves() -> list[str]:
    """What came of an earlier set, which the rules were changed after."""
    if not FIRST_CURVES.exists():
        return []
    judged = json.loads(FIRST_CURVES.read_text(encoding="utf-8"))
    return [
        f"Of a set that was held back before, {judged['right']} of {judged['curves']} "
        f"({judged['right'] / judged['curves']:.1%}) were named right at first sight ({judged['date']}). "
        "The rules were then changed, its curves joined those they are tuned on, and the set above was made anew.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="forget what was kept")
    parser.add_argument("--only", metavar="NAME", help="one case, nothing written")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    every = cases()
    if asked.only:
        print(json.dumps(examine(every[asked.only]), indent=1))
        return
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() and not asked.again else {}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    for name, case in every.items():
        if name not in kept:
            kept[name] = examine(case)
            write_text(KEPT, json.dumps(kept, indent=1))
        right = is_right(case, kept[name]["alarms"])
        print(f"{'right' if right else 'WRONG'}  {name}  {', '.join(kept[name]['alarms'])}", flush=True)
        for sentence in [] if right else kept[name]["said"]:
            print(f"       {sentence}")
    write_text(PAGE, page(every, kept))
    print(f"{PAGE.relative_to(ROOT)} is written.")


if __name__ == "__main__":
    main()
