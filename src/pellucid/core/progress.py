"""How long work shows itself: a bar in a terminal, plain lines elsewhere, JSON for programs, or nothing."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal, Protocol

Style = Literal["auto", "bar", "lines", "quiet", "json"]


class Advance(Protocol):
    """Told after each piece of work: how many pieces are done, and what to show beside the bar."""

    def __call__(self, done: int, note: str = "") -> None: ...


class Progress(Protocol):
    """What long work is given to speak through."""

    def say(self, text: str) -> None:
        """One line for people."""

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """One record for programs."""

    def bar(self, label: str, total: int) -> Any:
        """A context manager that yields an `Advance`."""


def make_progress(style: Style = "auto", stream: IO[str] | None = None) -> Progress:
    """`auto` is a bar when the stream is a terminal, else plain lines. People's text goes to stderr."""
    stream = stream or sys.stderr
    if style == "auto":
        style = "bar" if stream.isatty() else "lines"
    if style == "bar":
        return Bars(stream)
    return {"lines": Lines, "quiet": Quiet, "json": Json}[style](stream)


class Quiet:
    """Says nothing."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stderr

    def say(self, text: str) -> None:
        pass

    def event(self, kind: str, values: dict[str, Any]) -> None:
        pass

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        yield lambda done, note="": None


class Json(Quiet):
    """One JSON object a line on standard output, nothing else."""

    def event(self, kind: str, values: dict[str, Any]) -> None:
        print(json.dumps({"event": kind, **values}, ensure_ascii=False), file=sys.stdout, flush=True)


class Lines(Quiet):
    """Plain lines: what is said, and a line about long work every ten seconds."""

    every = 10.0

    def say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        start = last = time.monotonic()

        def advance(done: int, note: str = "") -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= self.every and done < total:
                last = now
                left = (now - start) / max(done, 1) * (total - done)
                self.say(f"{label}: {done}/{total}  {note}  about {left:.0f} s left")

        yield advance


class Bars(Quiet):
    """A live bar with elapsed and remaining time."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        from rich.console import Console

        super().__init__(stream)
        self.console = Console(file=self.stream)

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}  {task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        ]
        with Progress(*columns, console=self.console, transient=True) as live:
            task = live.add_task(label, total=total, note="")
            yield lambda done, note="": live.update(task, completed=done, note=note)
