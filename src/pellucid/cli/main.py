"""`pellucid VERB ...`: find the verb, run it, and turn every error a user can cause into one line."""

import os
import sys
from collections.abc import Sequence
from types import ModuleType

from pellucid.cli import datasets, evaluate, models, predict, report, runs, summary, train, verify
from pellucid.core.choose import unknown
from pellucid.core.errors import PellucidError

VERBS: dict[str, ModuleType] = {
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "verify": verify,
    "report": report,
    "runs": runs,
    "models": models,
    "datasets": datasets,
    "summary": summary,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    0: done. 1: something could not be done. 2: the command line does not make sense. 3: training met a
    NaN. 130 and 143: stopped by Ctrl-C or SIGTERM, with everything saved.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except PellucidError as error:
        print(f"pellucid: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("pellucid: stopped by Ctrl-C.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) went away: not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] in ("-V", "--version", "version"):
        from pellucid import __version__

        print(f"pellucid {__version__}")
        return 0
    if words[0] not in VERBS:
        print(f"pellucid: {unknown(words[0], VERBS, 'command')}", file=sys.stderr)
        return 2
    code: int = VERBS[words[0]].run(words[1:])
    return code


def overview() -> str:
    """What `pellucid --help` prints."""
    lines = [f"  {verb.USAGE:<42}{verb.ABOUT}" for verb in VERBS.values()]
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
