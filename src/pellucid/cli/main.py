"""`pellucid VERB ...`: find the verb, run it, and turn every error a user can cause into one line."""

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType, ModuleType
from typing import NoReturn

from pellucid.cli import (
    augment,
    check,
    datasets,
    evaluate,
    gradcheck,
    ladder,
    models,
    predict,
    report,
    runs,
    summary,
    train,
    tune,
    verify,
)
from pellucid.core.choose import unknown
from pellucid.core.errors import PellucidError, Terminated, is_out_of_memory

VERBS: dict[str, ModuleType] = {
    "train": train,
    "check": check,
    "evaluate": evaluate,
    "predict": predict,
    "verify": verify,
    "report": report,
    "tune": tune,
    "runs": runs,
    "ladder": ladder,
    "models": models,
    "datasets": datasets,
    "augment": augment,
    "summary": summary,
    "gradcheck": gradcheck,
}
COLUMN = 42  # of the overview: where verbs are explained
MARGIN = " " * (COLUMN + 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    0: done. 1: something could not be done. 2: the command line does not make sense. 3: training met a
    NaN. 130 and 143: stopped by Ctrl-C or SIGTERM, with everything saved.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name that is no text must not stop us from telling it
            stream.reconfigure(errors="backslashreplace")
    try:
        with _ended_by_sigterm():
            code = _dispatch(words)
            sys.stdout.flush()
            return code
    except PellucidError as error:
        return _refuse(str(error), error.exit_code)
    except Terminated:
        return _refuse("stopped by SIGTERM.", 143)
    except KeyboardInterrupt:
        return _refuse("stopped by Ctrl-C.", 130)
    except BrokenPipeError:  # the reader of our output (head, less) went away: not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _refuse(f"the system refused{where}: {error.strerror or error}.", 1)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return _refuse("not enough memory. Use a smaller --batch or --image-size.", 1)


def _refuse(message: str, code: int) -> int:
    print("pellucid:", " ".join(message.split()), file=sys.stderr)
    return code


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM unwinds the stack as Ctrl-C does, so that half-written files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # None: it was not set from Python


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] in ("-V", "--version", "version"):
        from pellucid import __version__

        print(f"pellucid {__version__}")
        return 0
    if words[0] not in VERBS:
        return _refuse(unknown(words[0], VERBS, "command"), 2)
    code: int = VERBS[words[0]].run(words[1:])
    return code


def overview() -> str:
    """What `pellucid --help` prints."""
    lines = [
        f"  {verb.USAGE:<{COLUMN}}{verb.ABOUT}" if len(verb.USAGE) < COLUMN else f"  {verb.USAGE}\n{MARGIN}{verb.ABOUT}"
        for verb in VERBS.values()
    ]
    return "\n".join(
        [
            "pellucid: train, understand and trust models of images.",
            "",
            *lines,
            "",
            "`pellucid COMMAND --help` explains one. Try: pellucid train fashion-mnist-mini --epochs 3",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
