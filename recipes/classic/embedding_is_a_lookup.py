"""Is the product of a one-hot code with a table more than a look-up?

No. A code has a single 1, so its product with the table of embeddings is one row of the table, plus zeros: the very
same numbers, to the last bit. The product multiplies and adds once for each entry of the table; the look-up copies one
row. Nobody builds the codes, then, but thinking of them explains the gradient: codes transposed times the gradient of
the outputs. Each row of the table gets the sum over the places where its word stood, and the words that did not occur
get exactly 0. (A sum in another order rounds differently, so here the last bits may differ.)

The operations are counted: N · V · D multiplications and additions against N · D numbers copied, whatever the machine.

    python recipes/classic/embedding_is_a_lookup.py
"""

import numpy as np

from pellucid.classic.preprocessing.one_hot import one_hot
from pellucid.plots.bars import bars
from pellucid.scratch.layers.embedding import word_embedding_backward, word_embedding_forward

CASES = (("10 classes", 500, 10, 16), ("256 bytes", 500, 256, 64), ("10,000 words", 100, 10_000, 64))  # N, V, D


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal in every bit, signs of zeros included."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Forward and backward, both ways, for three tables."""
    rows, shares = [], []
    for name, N, V, D in CASES:
        rng = np.random.default_rng(V)
        ids, table = rng.integers(0, V, N), rng.standard_normal((V, D)).astype(np.float32)
        dout = rng.standard_normal((N, D)).astype(np.float32)
        codes = one_hot(ids, V)
        out, cache = word_embedding_forward(ids, table)
        gradient = word_embedding_backward(dout, cache)
        apart = float(np.abs(gradient - codes.T @ dout).max())
        unused = np.setdiff1d(np.arange(V), ids)
        untouched = bool((gradient[unused] == 0).all())
        product, copied = N * V * D, N * D
        shares.append(np.log10(product / copied))
        cells = [str(same_bits(codes @ table, out)), f"{product:,}", f"{copied:,}", f"{product // copied}"]
        rows.append([name, *cells, f"{codes.nbytes / ids.nbytes:.0f}", f"{apart:.1e}", str(untouched)])
    picture = bars(
        {"log10 of the ratio": shares}, [case[0] for case in CASES], "Cost of the product / cost of the look-up, log10"
    )
    header = ["table", "same bits", "multiply-adds", "numbers copied", "ratio", "memory of codes / ids"]
    return [*header, "gradients apart", "others get 0"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(21) for cell in row))
