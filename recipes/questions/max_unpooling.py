"""Why does max unpooling put values back where their maxima were?

Segmentation has to find borders again. Max pooling keeps that something was in a window and forgets where; the places
of the maxima are what it forgot, and they cost one small number each. Unpooling with them sets each value where it
came from. A bed of nails sets all of them in the first corner of their windows, which is right by chance only, and
copying to the whole window makes thin things thick.

The table sends a slanted line through pooling and back. With the places, whatever comes back lies on the line, but not
all of the line comes back: where two of its pixels share a window one is lost, and the gap is left for the next
convolution to fill.

    python recipes/questions/max_unpooling.py
"""

import numpy as np

from pellucid.plots import svg
from pellucid.scratch.pooling.max import max_pool_forward_fast, max_pool_positions
from pellucid.scratch.pooling.max_unpool import bed_of_nails_forward, max_unpool_forward

SIDE = 16
POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


def line() -> np.ndarray:
    """A picture (1, 1, 16, 16) with a slanted line."""
    x = np.zeros((1, 1, SIDE, SIDE))
    rows = np.arange(SIDE)
    x[0, 0, rows, np.round(2 + 0.75 * rows).astype(int)] = 1
    return x


def ways() -> dict[str, np.ndarray]:
    """The line, and what three ways of unpooling make of it after pooling."""
    x = line()
    small, _ = max_pool_forward_fast(x, POOL)
    return {
        "the line": x,
        "max unpooling": max_unpool_forward(small, max_pool_positions(x, POOL), (SIDE, SIDE))[0],
        "bed of nails": bed_of_nails_forward(small, 2)[0],
        "copying": small.repeat(2, axis=2).repeat(2, axis=3),
    }


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Pixels on and off the line."""
    found, rows, parts = ways(), [], [svg.text(0, 18, "A line, pooled and unpooled", "title")]
    truth = found["the line"] > 0
    for k, (name, x) in enumerate(found.items()):
        lit = x > 0
        on, off = int(np.sum(lit & truth)), int(np.sum(lit & ~truth))
        rows.append([name, str(on), str(off), f"{on / (on + off):.3f}", f"{on / truth.sum():.3f}"])
        left = 122 * k
        parts.append(svg.text(left, 44, name, "soft"))
        parts.append(svg.rect(left, 52, 112, 112, "f6 pale"))
        for i, j in np.argwhere(lit[0, 0]):
            kind = "f1" if truth[0, 0, i, j] else "f2"
            parts.append(svg.rect(left + 7 * j, 52 + 7 * i, 7, 7, kind))
    parts.append(svg.text(0, 186, "orange: not on the line", "soft"))
    picture = svg.document(
        480, 196, "Max unpooling puts pixels on the line only; the others put some beside it.", parts
    )
    return ["way", "pixels on the line", "beside it", "share on the line", "share of the line"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(20) for cell in row))
