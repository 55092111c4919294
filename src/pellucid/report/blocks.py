"""What a page is made of. Blocks hold text, numbers and pictures; they know no task and no HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL.Image import Image

from pellucid.core.shapes import require_shape
from pellucid.core.verdict import Verdict

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True)
class Bar:
    """A number in a table that is drawn as a bar too. `value` / `top` is the filled share; NaN shows as a dash."""

    value: float
    top: float = 1.0
    text: str = ""


Cell = str | int | float | None | Bar


@dataclass(frozen=True)
class Number:
    """One of the few numbers at the top of the page.

    Attributes:
        label: what it is.
        value: as it is to be read: "91.3 %".
        hint: where it comes from, in a few words.
        tone: whether it is good or bad news.
    """

    label: str
    value: str
    hint: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Figure:
    """A drawing made by `pellucid.plots`. The SVG goes into the page as it is, so it must come from there.

    Figures that follow each other stand side by side where there is room; a wide one has a row of its own.
    """

    svg: str
    caption: str = ""
    wide: bool = False

    @property
    def empty(self) -> bool:
        return not self.svg


@dataclass(frozen=True)
class Picture:
    """One picture and what to say about it.

    Attributes:
        image: any size; tiny ones are shown enlarged pixel by pixel, large ones are stored reduced.
        caption: the line below it.
        tone: `good` and `bad` are marked by colour and sign.
        detail: a quieter second line, such as the file name.
    """

    image: Image
    caption: str = ""
    tone: Tone = "plain"
    detail: str = ""


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side; `wide` ones, such as rows of panels, get twice the room each."""

    items: Sequence[Picture]
    title: str = ""
    wide: bool = False

    @property
    def empty(self) -> bool:
        return not self.items


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers. The first cell of a row names the row.

    Attributes:
        header: name of each column.
        rows: as many cells each. Floats show three decimals, None and NaN a dash.
        align: one letter a column, `l` or `r`; empty puts columns of numbers to the right.
        note: a sentence below.
        title: heading above.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    align: str = ""
    note: str = ""
    title: str = ""

    @property
    def empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True)
class Verdicts:
    """Findings of checks, the worst first."""

    items: Sequence[Verdict]
    title: str = ""

    @property
    def empty(self) -> bool:
        return not self.items


@dataclass(frozen=True)
class Facts:
    """Names and values, each with a hint that may be left out."""

    items: Sequence[tuple[str, Cell] | tuple[str, Cell, str]]
    title: str = ""

    @property
    def empty(self) -> bool:
        return not self.items


@dataclass(frozen=True)
class Legend:
    """Colours and what they stand for: (name, (red, green, blue) in 0..255)."""

    items: Sequence[tuple[str, Sequence[int]]]
    title: str = ""

    @property
    def empty(self) -> bool:
        return not self.items


@dataclass(frozen=True)
class Matrix:
    """Counts of pairs, such as a confusion matrix: shaded by their share of the row.

    Where rows and columns have the same names, the diagonal is what is right and the rest is errors.
    Only the part that says most is shown when there are more than 20 rows or columns.

    Attributes:
        values: (R, C) whole numbers.
        rows, columns: names.
        title: heading above.
        row_label, column_label: what rows and columns are.

    Raises:
        DataError: the names do not fit the shape of `values`.
    """

    values: Any
    rows: Sequence[str]
    columns: Sequence[str]
    title: str = ""
    row_label: str = "true"
    column_label: str = "predicted"

    def __post_init__(self) -> None:
        require_shape(np.asarray(self.values), "R C", f"matrix {self.title!r}", R=len(self.rows), C=len(self.columns))

    @property
    def empty(self) -> bool:
        return not np.asarray(self.values).any()


@dataclass(frozen=True)
class Code:
    """Commands or a file, letter by letter."""

    text: str
    title: str = ""

    @property
    def empty(self) -> bool:
        return not self.text.strip()


@dataclass(frozen=True)
class Note:
    """A paragraph set apart; blank lines start a new one."""

    text: str
    tone: Tone = "plain"

    @property
    def empty(self) -> bool:
        return not self.text.strip()


Block = Figure | Pictures | Table | Verdicts | Facts | Legend | Matrix | Code | Note


@dataclass(frozen=True)
class Section:
    """A chapter of the page.

    It is left out when it was given blocks and all of them are empty. A section of words alone is
    given no blocks at all.

    Attributes:
        title: heading and entry in the table of contents.
        lead: what the reader should know first; blank lines start a new paragraph.
        blocks: in order.
    """

    title: str
    lead: str = ""
    blocks: Sequence[Block] = ()

    @property
    def empty(self) -> bool:
        return all(block.empty for block in self.blocks) and (bool(self.blocks) or not self.lead.strip())
