"""Command lines in processes of their own, quickly: one process loads torch once and forks for each of them.

The children are real processes: they get real signals, can be killed at any moment, and have limits of their own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

SERVER = """
import json, os, resource, signal, sys

import torch._dynamo  # optimisers load it when they are first made, which takes seconds
import pellucid.runs.train
from pellucid.cli.main import main
from pellucid.models.classify import MODELS

sys.path.insert(0, sys.argv[1])
from small_runs import Tiny

MODELS["tiny"] = Tiny


def child(order):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order["cwd"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    if order["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["largest_file"],) * 2)
    try:
        code = main(order["argv"])
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


for line in sys.stdin:
    order = json.loads(line)
    if "wait" in order:
        status = os.waitpid(order["wait"], 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)
        continue
    number = os.fork()
    if number == 0:
        child(order)
    print(number, flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a command line ended; the code is negative when a signal killed it, as in `subprocess`."""

    code: int
    out: str
    err: str


@dataclass
class Child:
    """A command line that is running."""

    zygote: "Zygote"
    pid: int
    out: Path
    err: Path

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> Done:
        code = int(self.zygote.ask({"wait": self.pid}))
        return Done(code, self.out.read_text(), self.err.read_text())

    def wait_for(self, path: Path, seconds: float = 30) -> None:
        """Until `path` is there."""
        end = time.monotonic() + seconds
        while not path.exists():
            assert time.monotonic() < end, f"{path} never came: {self.err.read_text()}"
            time.sleep(0.002)


class Zygote:
    """The process that forks."""

    def __enter__(self) -> "Zygote":
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C at the tests' terminal is not for it
        )
        self.count = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def ask(self, order: dict[str, Any]) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def start(self, argv: Sequence[str | Path], cwd: Path, largest_file: int = 0) -> Child:
        """Run `pellucid ARGV...` in `cwd`, with no file larger than `largest_file` bytes when that is not 0."""
        self.count += 1
        out, err = (cwd / f".{name}-{self.count}" for name in ("out", "err"))
        order = {"argv": [str(word) for word in argv], "cwd": str(cwd), "out": str(out), "err": str(err)}
        pid = int(self.ask({**order, "largest_file": largest_file}))
        return Child(self, pid, out, err)

    def run(self, argv: Sequence[str | Path], cwd: Path, largest_file: int = 0) -> Done:
        """Run it to its end."""
        return self.start(argv, cwd, largest_file).wait()


SIGNAL_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
