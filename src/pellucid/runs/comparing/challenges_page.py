"""The page of a challenges report: what was done to pictures, and what it cost."""

import math
from itertools import cycle
from typing import TYPE_CHECKING

import torch
from PIL import Image

from pellucid import __version__
from pellucid.core.seed import generator
from pellucid.data.loader import Loader
from pellucid.data.prepare import Splits
from pellucid.data.transforms import build
from pellucid.data.transforms.challenges.table import At
from pellucid.plots.sheets.rising import rising
from pellucid.report.blocks import Bar, Figure, Note, Number, Section, Table
from pellucid.report.embed import data_uri
from pellucid.report.page import page

if TYPE_CHECKING:
    from pellucid.runs.comparing.challenges import Borne, Challenged
    from pellucid.runs.stored.record import Record

SHOWN = 8  # pictures that are drawn from, for what happens to others to be seen


def page_of(found: "Challenged", run: "Record", splits: Splits) -> str:
    """The page: curves with examples, and the numbers."""
    ranked = sorted(found.curves, key=lambda each: each.kept if each.kept == each.kept else math.inf)
    if not found.higher_is_better:
        ranked.reverse()
    numbers = [Number("clean", f"{found.clean:.4g}", f"{found.metric}, {found.pictures:,} pictures ({found.split})")]
    if ranked:
        numbers += [_told("hurts most", ranked[0], found), _told("is borne best", ranked[-1], found)]
    sections = [
        Section(
            "Curves",
            "One picture at every strength, the clean one first, and below it what all of them come to. Dashed: clean.",
            figures(found, splits),
        ),
        Section("Numbers", "", [_table(found)]),
        Section(
            "How it was measured",
            "",
            [
                Note(
                    f"Every picture of the {found.split} split, changed after the canvas was cut; edge pixels fill "
                    f"what opens up; seed {found.seed}. Which way each picture is turned, tilted or hidden is the same "
                    "at every strength. Kept: the mean over all strengths but 0, as a share of the clean number."
                )
            ],
        ),
    ]
    footer = f"pellucid {__version__}; pellucid evaluate RUN --challenges --split {found.split}"
    return page("Challenges", f"What {run.config.title} bears on {splits.facts.source}.", numbers, sections, footer)


def figures(found: "Challenged", splits: Splits) -> list[Figure]:
    """A drawing for each challenge, all on one scale."""
    share = all(0 <= value <= 1 for each in found.curves for value in each.values)
    drawn = []
    for each, row in zip(found.curves, examples(found, splits), strict=True):
        shown = [(data_uri(example), example.width / example.height) for example in row]
        svg = rising(
            each.name,
            each.strengths,
            each.values,
            each.challenge.unit,
            found.metric,
            shown,
            (0.0, 1.0) if share else None,
        )
        drawn.append(Figure(svg, f"{each.challenge.factor}: {each.challenge.about}"))
    return drawn


def examples(found: "Challenged", splits: Splits) -> list[list[Image.Image]]:
    """One row a challenge: a picture of the split as it is and at every strength."""
    preprocess = splits.facts.preprocess
    middle = build(splits.augment, preprocess.size, preprocess.canvas_size, train=False)
    rows = splits.split.role(found.split)
    batch = next(iter(Loader(splits.pack, rows, min(SHOWN, len(rows)), transform=middle).epoch(0)))
    return [
        [
            as_picture(At(each.challenge, strength)(batch, generator(found.seed, "example"))["image"][k])
            for strength in each.strengths
        ]
        for each, k in zip(found.curves, cycle(range(len(batch["image"]))), strict=False)
    ]


def as_picture(pixels: torch.Tensor) -> Image.Image:
    """(C, H, W) uint8 as a picture."""
    array = pixels.permute(1, 2, 0).cpu().contiguous().numpy()
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def _told(name: str, each: "Borne", found: "Challenged") -> Number:
    value, strength = each.values[-1], each.strengths[-1]
    return Number(name, each.name, f"{found.metric} {value:.4g} at {strength:g} ({each.challenge.unit})")


def _table(found: "Challenged") -> Table:
    width = max((len(each.values) for each in found.curves), default=1)
    header = ("challenge", "kept", *(f"strength {k}" for k in range(1, width)))
    rows = []
    for each in found.curves:
        cells = [f"{v:.3g} ({s:g})" for s, v in zip(each.strengths[1:], each.values[1:], strict=True)]
        kept = Bar(min(each.kept, 1.0), 1.0, f"{each.kept:.0%}") if each.kept == each.kept else None
        rows.append([each.name, kept, *cells])
    return Table(header, rows, "ll" + "r" * (width - 1), note=f"{found.metric} (strength).")
