"""The part of a matrix that is worth reading, and how dark each of its cells is."""

from dataclasses import dataclass

import numpy as np

from pellucid.plots.matrix import heat_map
from pellucid.report.blocks import Matrix, Picture

MOST = 20  # rows and columns that a reader can take in
WIDEST = 100_000  # counts from here on are shown as shares


@dataclass(frozen=True)
class Mark:
    """One cell: what stands in it (empty for 0), its `shade` in 0..1, and what it says in words."""

    text: str
    shade: float
    wrong: bool
    words: str


@dataclass(frozen=True)
class Shown:
    """A matrix made ready to be read.

    Attributes:
        columns: names of the columns that are shown.
        rows: name and cells of each row that is shown.
        remark: what to know when reading it; empty when nothing.
        whole: everything as a small picture, where something was left out.
    """

    columns: list[str]
    rows: list[tuple[str, list[Mark]]]
    remark: str = ""
    whole: Picture | None = None


def ready(matrix: Matrix) -> Shown:
    """Choose, shade and word the cells of a matrix."""
    values = np.asarray(matrix.values, dtype=np.int64)  # (R, C)
    paired = list(matrix.rows) == list(matrix.columns)
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1)
    across, down = _chosen(values, paired)
    wide = bool(values.max() >= WIDEST)

    def mark(r: int, c: int) -> Mark:
        """Shade by the square root of the share: rare confusions are what a reader looks for."""
        value, share = int(values[r, c]), float(shares[r, c])
        text = f"{100 * share:.1f}" if wide else f"{value:,}"
        words = f"{matrix.rows[r]} → {matrix.columns[c]}: {value:,} ({100 * share:.1f} % of the row)"
        return Mark(text if value else "", round(share**0.5, 3), paired and r != c, words)

    rows = [(matrix.rows[r], [mark(r, c) for c in down]) for r in across]
    remarks = ["Cells show the share of their row in %."] if wide else []
    whole = None
    if len(across) < values.shape[0] or len(down) < values.shape[1]:
        remarks.append(_left_out(values, across, down, paired))
        whole = Picture(heat_map(shares, paired), f"All {values.shape[0]} × {values.shape[1]} cells, one dot each.")
    return Shown([matrix.columns[c] for c in down], rows, " ".join(remarks), whole)


def most_confused(values: np.ndarray, most: int = MOST) -> list[int]:
    """The classes of the most frequent confusions, at most `most` of them, in rising order.

    Pairs are taken by how often one class was taken for the other, either way, as long as both fit.
    Places left when no confusion is left go to the largest classes.

    Args:
        values: (K, K) counts.
    """
    n = len(values)
    both = np.triu(values + values.T, 1)
    pairs = np.argsort(-both, axis=None, kind="stable")[: np.count_nonzero(both)]
    chosen: list[int] = []
    for pair in pairs:
        new = [k for k in divmod(int(pair), n) if k not in chosen]
        if len(chosen) + len(new) <= most:
            chosen += new
        if len(chosen) == most:
            break
    largest = np.argsort(-(values.sum(0) + values.sum(1)), kind="stable")
    chosen += [int(k) for k in largest if k not in chosen][: most - len(chosen)]
    return sorted(chosen)


def _chosen(values: np.ndarray, paired: bool) -> tuple[list[int], list[int]]:
    """Rows and columns to show."""
    if paired and len(values) > MOST:
        kept = most_confused(values)
        return kept, kept
    sums = (values.sum(axis=1), values.sum(axis=0))
    across, down = (sorted(np.argsort(-each, kind="stable")[:MOST].tolist()) for each in sums)
    return across, down


def _left_out(values: np.ndarray, across: list[int], down: list[int], paired: bool) -> str:
    if not paired:
        return (
            f"Shown: the {len(across)} largest of {values.shape[0]} rows "
            f"and the {len(down)} largest of {values.shape[1]} columns."
        )
    errors = values.sum() - np.trace(values)
    inside = values[np.ix_(across, down)]
    among = inside.sum() - np.trace(inside)
    part = f"; {100 * among / errors:.0f} % of all errors are among them" if errors else ""
    return f"Shown: the {len(across)} of {len(values)} classes that are most often confused{part}."
