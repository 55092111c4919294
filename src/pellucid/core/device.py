"""Where the arithmetic runs, what it can do, and with how many threads."""

import math
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import torch

from pellucid.core.errors import DeviceError

Precision = Literal["auto", "fp32", "bf16"]

LOOK = 0.2  # s; the kernel counts in hundredths of a second


def choose_device(name: str = "auto") -> torch.device:
    """The device for `auto` (cuda, then mps, then cpu) or for a name such as `cpu`, `cuda`, `cuda:1`.

    Raises:
        DeviceError: the device is not there, or the name means nothing.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"Unknown device {name!r}: use auto, cpu, cuda, cuda:N or mps.") from error
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    if device.type not in there:
        raise DeviceError(f"Unknown device {name!r}: use auto, cpu, cuda, cuda:N or mps.")
    if (device.index or 0) >= there[device.type]:
        found = f"{there[device.type]} of that kind found" if there[device.type] else "none found"
        raise DeviceError(f"Device {name!r} is not there ({found}). Use --device auto or --device cpu.")
    return device


@cache
def has_fast_bf16(device_type: str) -> bool:
    """Whether bf16 arithmetic is faster than fp32 there: AVX512_BF16 or AMX on a CPU, Ampere on a GPU."""
    if device_type == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    if device_type != "cpu":
        return False
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & cpu_features())


@cache
def cpu_features() -> frozenset[str]:
    """The processor's feature flags; empty where the system does not list them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = [line for line in text.splitlines() if line.startswith(("flags", "Features"))]
    return frozenset(lines[0].split(":", 1)[1].split()) if lines else frozenset()


def choose_precision(name: str, device: torch.device) -> Literal["fp32", "bf16"]:
    """`auto` becomes bf16 where the hardware has it, else fp32. A stated precision is kept."""
    if name == "auto":
        return "bf16" if has_fast_bf16(device.type) else "fp32"
    if name == "fp32":
        return "fp32"
    if name == "bf16":
        return "bf16"
    raise DeviceError(f"Unknown precision {name!r}: use auto, fp32 or bf16.")


@dataclass(frozen=True)
class ThreadPolicy:
    """How many threads torch uses, and why: recorded with the run, since it changes the last bits."""

    n_threads: int
    reason: str


def choose_threads(asked: int = 0) -> ThreadPolicy:
    """Decide the number of threads. `asked` > 0 wins; else one per free core, at least one.

    Two threads that wait for each other on a busy machine are slower than one: each step takes as long as
    the thread that was interrupted. So cores that other work keeps busy are not counted as free.
    """
    if asked > 0:
        return ThreadPolicy(asked, "asked for")
    cores, busy = usable_cores(), busy_cores()
    return ThreadPolicy(max(1, min(cores, round(cores - busy))), f"{cores} cores, others keep {busy:.1f} busy")


def usable_cores() -> int:
    """Cores this process may use: all of the machine's, less where it or its container is held to fewer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:  # a container's share: microseconds of processor time in each period, or "max"
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores


def busy_cores() -> float:
    """How many of the usable cores other processes keep busy right now.

    Looked at for a fifth of a second where the system tells (Linux). Elsewhere it is the load of the last
    minute, which knows little of what started or ended a moment ago.
    """
    before, own = _busy_seconds(), time.process_time()
    if before is None:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    start = time.perf_counter()
    time.sleep(LOOK)
    after, own, wall = _busy_seconds(), time.process_time() - own, time.perf_counter() - start
    return max(0.0, ((after or 0.0) - before - own) / wall)


def _busy_seconds() -> float | None:
    """Seconds that the usable cores have worked since the machine was started, for whomever; None if unknown."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        usable = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        counts = [[int(word) for word in words[1:9]] for words in map(str.split, lines) if words[0] in usable]
        return sum(sum(ticks) - ticks[3] - ticks[4] for ticks in counts) / os.sysconf("SC_CLK_TCK")  # less idle, iowait
    except (OSError, AttributeError, IndexError, ValueError):
        return None


def set_threads(policy: ThreadPolicy) -> None:
    """Apply the policy to torch's arithmetic."""
    torch.set_num_threads(policy.n_threads)
