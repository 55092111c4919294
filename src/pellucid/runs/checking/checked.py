"""What a check found: to print, to show in a notebook, and to keep in a folder with the pictures it is about."""

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.errors import WriteError
from pellucid.core.files import write_bytes, write_text
from pellucid.core.verdict import Status, Verdict
from pellucid.data.prepare import Splits
from pellucid.doctor.finding import Finding
from pellucid.plots.grid import grid
from pellucid.report.blocks import Block, Number, Picture, Pictures, Section, Verdicts
from pellucid.report.page import page

PAGE = "check.html"
RECORDS = "records.csv"
SHOWN = 24  # pictures of one rule on its sheet and on the page
GRAVITY: tuple[Status, ...] = ("fail", "warn", "info", "pass")


@dataclass(frozen=True)
class Checked:
    """The verdicts of a check, and the records they are about.

    Attributes:
        name: of the data set or run.
        findings: what was found in the data; its rows are those of the pack of `splits`.
        preflight: what was found of a model that is to be trained on it.
        other: verdicts that a run keeps.
        splits: the data; None for a run.
        seconds: how long each part took.
        notes: lines to be read below the verdicts, such as the layers that a NaN went through.
    """

    name: str
    findings: Sequence[Finding] = ()
    preflight: Sequence[Verdict] = ()
    other: Sequence[Verdict] = ()
    splits: Splits | None = field(default=None, repr=False)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def verdicts(self) -> list[Verdict]:
        """All of them, the worst first."""
        every = [*(finding.verdict for finding in self.findings), *self.preflight, *self.other]
        return sorted(every, key=lambda verdict: GRAVITY.index(verdict.status))

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings are no failures."""
        return all(verdict.status != "fail" for verdict in self.verdicts)

    def records(self) -> list[dict[str, str]]:
        """Rule, record and note of every record that a finding is about; copies are two rows after each other."""
        return [
            {"rule": finding.verdict.rule, "record": self._record(row), "note": note}
            for finding in self.findings
            for row, note in _rows(finding)
        ]

    def as_dict(self) -> dict[str, Any]:
        """All of it in plain JSON types."""
        return {
            "name": self.name,
            "ok": self.ok,
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "records": self.records(),
            "notes": list(self.notes),
            "seconds": {part: round(value, 2) for part, value in self.seconds.items()},
        }

    def save(self, folder: str | Path) -> Path:
        """Write the page, the table of records, and a sheet of pictures for each rule; returns the page's path.

        Raises:
            WriteError: the folder cannot be written, or holds files that no check wrote.
        """
        folder = Path(folder)
        require_own(folder)
        for old in folder.glob("sheet-*.png"):
            old.unlink()
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, ("rule", "record", "note"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records())
        write_bytes(folder / RECORDS, table.getvalue().encode("utf-8", "backslashreplace"))
        for finding in self.findings:
            pictures = self._pictures(finding)
            if pictures:
                file = io.BytesIO()
                grid([each.image for each in pictures], captions=[each.caption for each in pictures]).save(file, "PNG")
                write_bytes(folder / f"sheet-{finding.verdict.rule}.png", file.getvalue())
        write_text(folder / PAGE, self._page())
        return folder / PAGE

    def _page(self) -> str:
        verdicts = self.verdicts
        counts = {status: sum(verdict.status == status for verdict in verdicts) for status in GRAVITY}
        numbers = [
            Number("failed", str(counts["fail"]), tone="bad" if counts["fail"] else "good"),
            Number("warnings", str(counts["warn"]), tone="bad" if counts["warn"] else "good"),
            Number("notes", str(counts["info"])),
        ]
        blocks: list[Block] = [Verdicts(verdicts)]
        for finding in self.findings:
            blocks.append(Pictures(self._pictures(finding), finding.verdict.rule))
        lead = "What the checks of `pellucid check` found, and the pictures it is about."
        return page(f"Check of {self.name}", lead, numbers, [Section("Verdicts", "", blocks)])

    def _pictures(self, finding: Finding) -> list[Picture]:
        if self.splits is None:
            return []
        rows = _rows(finding)[:SHOWN]
        return [Picture(self._image(row), Path(self._record(row)).name, detail=note) for row, note in rows]

    def _image(self, row: int) -> Image.Image:
        assert self.splits is not None  # the caller has looked
        pixels = np.asarray(self.splits.pack.images[row])
        return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

    def _record(self, row: int) -> str:
        return self.splits.names[row] if self.splits else str(row)

    def _repr_html_(self) -> str:
        """A table of the verdicts, the worst first."""
        lines = "".join(
            f"<tr><td>{verdict.status}</td><td>{html.escape(verdict.rule)}</td><td>{html.escape(verdict.evidence)}</td>"
            f"<td>{html.escape(' '.join(filter(None, (verdict.cause, verdict.cure and f'Do: {verdict.cure}.'))))}</td>"
            "</tr>"
            for verdict in self.verdicts
        )
        head = "<tr><th>status</th><th>rule</th><th>evidence</th><th>cause and cure</th></tr>"
        return f"<table><caption>{html.escape(self.name)}</caption>{head}{lines}</table>"


def _rows(finding: Finding) -> list[tuple[int, str]]:
    """Each row a finding is about, with its note; both rows of a pair."""
    notes = dict(enumerate(finding.notes))
    single = [(row, notes.get(place, "")) for place, row in enumerate(finding.rows)]
    shift = len(finding.rows) if len(finding.notes) > len(finding.pairs) else 0
    double = [(row, notes.get(place + shift, "")) for place, pair in enumerate(finding.pairs) for row in pair]
    return single + double


def require_own(folder: Path) -> None:
    """Refuse to write a check among what no check wrote.

    Raises:
        WriteError: the folder is a file, or holds something else.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / PAGE).exists()):
        raise WriteError(f"{folder} holds something else. Choose a new or empty folder for the check.")
