"""A lock on a journal that a killed process cannot keep, and that mends what such a process left behind.

A journal is lines of JSON, appended by several processes. A kill can leave half a line at its end; were another one
appended, nobody could read the journal any more. Whoever gets the lock cuts such a half line off first.
"""

import os
import time

SUFFIX = ".flock"
POLL_SECONDS = 0.002


class KernelLock:
    """Held through the kernel, which lets go of it when its process ends, however it ends.

    Has the methods of Optuna's `BaseJournalFileLock`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._held: list[int] = []

    def acquire(self) -> bool:
        """Wait for the lock, then cut off half a line."""
        file = os.open(self.path + SUFFIX, os.O_RDWR | os.O_CREAT, 0o666)
        while not _try_lock(file):
            time.sleep(POLL_SECONDS)
        self._held.append(file)
        cut_half_line(self.path)
        return True

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._held.pop())


def cut_half_line(path: str) -> None:
    """Shorten a file to its last whole line; nothing where it ends in one, or is not there."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def _try_lock(file: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
