"""Measure what the demo promises, seed by seed, and write docs/demo.md.

make demo-table            # three seeds, about three minutes of one core each
"""

import argparse
import datetime
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "demo.md"


def processor() -> str:
    """Name of the processor, and whether it has fast bf16."""
    from pellucid.core.device import cpu_features, has_fast_bf16

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    kind = next((f for f in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if f in cpu_features()), "")
    return f"{name} ({kind or 'plain'}; trains in {'bf16' if has_fast_bf16('cpu') else 'fp32'})"


def measure(seed: int, threads: int) -> dict[str, float]:
    """Run the demo in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "recipes/demo.py", "--seed", str(seed), "--threads", str(threads), "--out", str(out)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
        timing = [json.loads(line) for line in (out / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
        opening = json.loads((out / "test_openings.jsonl").read_text(encoding="utf-8").splitlines()[0])
        assert (out / "report.html").stat().st_size > 10_000
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seed": seed,
        "accuracy": opening["value"],
        "training": sum(record["seconds"] for record in timing if record["kind"] == "train"),
        "cpu": cpu,
        "wall": wall,
    }


def page(rows: list[dict[str, float]], threads: int) -> str:
    """The table, with the command, the machine and the date it came from."""
    import torch

    lines = [f"| {r['seed']} | {r['accuracy']:.4f} | {r['cpu']:.0f} | {r['wall']:.0f} |" for r in rows]
    scores = [row["accuracy"] for row in rows]
    spread = f"{statistics.mean(scores):.4f} (lowest {min(scores):.4f}, highest {max(scores):.4f})"
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            "# What the demo reaches",
            "",
            f"`make demo-table`, {today}, {processor()}, {threads} thread(s), torch {torch.__version__.split('+')[0]}.",
            "",
            "| seed | test accuracy | CPU seconds, everything | wall seconds |",
            "| --- | --- | --- | --- |",
            *lines,
            "",
            f"Mean test accuracy {spread}, over {len(rows)} seeds. 2,000 test pictures, opened once; the epoch was",
            "picked on 1,200 validation pictures. *Everything* is the whole command: imports, training, validation,",
            "test, report and predictions. The schedule counts epochs, so the time never changes the result.",
            "",
        ]
    )


def main() -> None:
    """Run all seeds, one after another."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    PAGE.write_text(page([measure(seed, chosen.threads) for seed in chosen.seeds], chosen.threads), encoding="utf-8")


if __name__ == "__main__":
    main()
