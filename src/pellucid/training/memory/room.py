"""How much main memory is left, as far as the system tells (Linux)."""

import os
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = MEMINFO, group: Path = GROUP) -> int | None:
    """What may still be taken: of the machine's memory, or of a container's share if that is less; None if unknown."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        return None
    try:
        limit, used = ((group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        return free if limit == "max" else max(0, min(free, int(limit) - int(used)))
    except (OSError, ValueError):
        return free


def peak_bytes() -> int | None:
    """The most memory this process has held so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if os.uname().sysname == "Darwin" else peak * 1024


class Growth:
    """Foresees what the next batch, twice as large, will take: twice what the last one took more than before it."""

    def __init__(self) -> None:
        self._peaks = [peak_bytes()]

    def has_room(self) -> bool:
        """Whether the next doubling fits, as far as one can know. Call it once after every size."""
        self._peaks.append(peak_bytes())
        last, before, left = self._peaks[-1], self._peaks[-2], available_bytes()
        if last is None or before is None or left is None:
            return True
        return 2 * (last - before) <= left
