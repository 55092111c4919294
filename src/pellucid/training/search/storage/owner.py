"""Who trains a trial, and whether it still does: a process that was killed cannot say so itself."""

import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

BEAT_SECONDS = 15.0  # a process that trains says so this often
SILENT_SECONDS = 120.0  # on another machine, silence for so long is the end


def this_process() -> str:
    """Machine, process and the moment it started, so that another process of the same number is not taken for it."""
    return f"{_machine()}|{os.getpid()}|{_started(os.getpid())}"


def is_alive(owner: str, beat: float, now: float | None = None) -> bool:
    """Whether the process still runs: looked up on this machine; on others, whether it was heard of lately.

    Args:
        owner: what `this_process` said there.
        beat: seconds since the epoch at which it was last heard of.
    """
    machine, _, rest = owner.partition("|")
    number, _, started = rest.partition("|")
    if machine != _machine() or not number.isdigit():
        return (time.time() if now is None else now) - beat < SILENT_SECONDS
    if int(number) == os.getpid():
        return started == _started(os.getpid())
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there and belongs to somebody else
        return True
    return _started(int(number)) == started


class Heart:
    """Within its block a thread calls `beat` every fifteen seconds."""

    def __init__(self, beat: Callable[[], None], every: float = BEAT_SECONDS) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(beat, every), daemon=True)

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self, beat: Callable[[], None], every: float) -> None:
        while not self._stop.wait(every):
            beat()


def _machine() -> str:
    """Its name and, where processes are numbered in several worlds (containers), which of them this is."""
    try:
        world = os.readlink("/proc/self/ns/pid")
    except OSError:
        world = ""
    return f"{socket.gethostname()}{world}".replace("|", "-")


def _started(number: int) -> str:
    """When a process started, as its system counts; "" where that cannot be asked, and for one that has ended.

    One that has ended and was not yet fetched by its parent counts as ended.
    """
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
