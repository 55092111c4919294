"""Further processes of one search on this machine."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pellucid.core.errors import RunError

STOP_SECONDS = 20


@contextlib.contextmanager
def working(folder: Path, n: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Within the block `n` more processes go on with the search; at its end they are done, or are stopped.

    Each is an ordinary `pellucid tune --resume`, which ends when this process does.
    """
    argv = [
        sys.executable,
        "-m",
        "pellucid",
        "tune",
        "--resume",
        str(folder),
        "--quiet",
        "--worker-of",
        str(os.getpid()),
    ]
    started = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(n)]
    try:
        yield started
        for process in started:
            process.wait()
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
        for process in started:
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def require_parent(number: int) -> None:
    """Stop where the process that started this one is no more.

    Raises:
        RunError: it is so.
    """
    if number and os.getppid() != number:
        raise RunError("The search that started this process has ended.")
