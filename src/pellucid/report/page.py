"""One page, one file: everything inside, nothing fetched, no scripts."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pellucid.core.verdict import Status, Verdict
from pellucid.report.blocks import (
    Block,
    Code,
    Facts,
    Figure,
    Legend,
    Matrix,
    Note,
    Number,
    Pictures,
    Section,
    Table,
    Verdicts,
)
from pellucid.report.cells import alignment, percent, show
from pellucid.report.confusion import ready
from pellucid.report.embed import data_uri, is_tiny

TEMPLATES: dict[type, str] = {
    Code: "code.html",
    Facts: "facts.html",
    Figure: "figures.html",
    Legend: "legend.html",
    Matrix: "matrix.html",
    Note: "note.html",
    Pictures: "pictures.html",
    Table: "table.html",
    Verdicts: "verdicts.html",
}
GRAVITY: dict[Status, int] = {"fail": 0, "warn": 1, "info": 2, "pass": 3}
STATUS_WORDS: dict[Status, str] = {"fail": "Failed", "warn": "Warning", "info": "Note", "pass": "Passed"}
TYPED = re.compile(r"(?<![\w-])--[a-z][\w-]*(?: \d(?:[\d.e-]*\d)?)?")  # an option, and the number behind it
FOLDER = Path(__file__).parent / "template"

# What HTML does not allow: control characters, and the halves of characters that undecodable file names hold.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def page(title: str, lead: str, numbers: Sequence[Number], sections: Sequence[Section], footer: str = "") -> str:
    """A complete HTML page that opens without a network; the same content gives the same bytes.

    All text is escaped. Scripts and fetched content are forbidden to the browser by the page's own
    policy, on top of there being none. Sections whose blocks are all empty are left out.

    Args:
        title: heading, and name of the browser's tab.
        lead: what the page says, in a sentence or two; blank lines start a new paragraph.
        numbers: the few that count, shown large.
        sections: in order; they make up the table of contents.
        footer: where the page comes from.
    """
    filled = [section for section in sections if not section.empty]
    html = (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            lead=lead,
            numbers=numbers,
            sections=zip(_anchors(filled), filled, strict=True),
            contents=list(zip(_anchors(filled), [section.title for section in filled], strict=True)),
            footer=footer,
        )
    )
    return FORBIDDEN.sub("\ufffd", html)


@cache
def _environment() -> Environment:
    """Templates with escaping on; a name they do not know is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bar_percent": percent,
        "data_uri": data_uri,
        "is_tiny": is_tiny,
        "paragraphs": _paragraphs,
        "ready": ready,
        "render": _render,
        "show": show,
        "by_status": _by_status,
        "with_options": _with_options,
    }
    environment.globals |= {
        "alignment": alignment,
        "status_words": STATUS_WORDS,
        "style": Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
    }
    return environment


def _render(blocks: Sequence[Block]) -> Iterator[Markup]:
    """HTML of the blocks that are not empty; figures that follow each other share one frame."""
    present = [block for block in blocks if not block.empty]
    for kind, group in groupby(present, key=type):
        template = _environment().get_template(TEMPLATES[kind])
        if kind is Figure:
            yield Markup(template.render(figures=list(group)))
        else:
            for block in group:
                yield Markup(template.render(block=block))


def _anchors(sections: Sequence[Section]) -> list[str]:
    """A readable, unique fragment for each section: `#result-on-test`."""
    taken: list[str] = []
    for section in sections:
        plain = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section"
        anchor, k = plain, 2
        while anchor in taken:
            anchor, k = f"{plain}-{k}", k + 1
        taken.append(anchor)
    return taken


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _with_options(text: str) -> Markup:
    """Text in which what can be typed, such as --lr 0.1, stands as code and is not broken at its hyphens."""
    return Markup(TYPED.sub(lambda found: f"<code>{found[0]}</code>", str(escape(text))))


def _by_status(verdicts: Sequence[Verdict]) -> list[tuple[Status, list[Verdict]]]:
    """The worst status first; within one, in the order in which they were given."""
    statuses = sorted({verdict.status for verdict in verdicts}, key=GRAVITY.__getitem__)
    return [(status, [verdict for verdict in verdicts if verdict.status == status]) for status in statuses]
