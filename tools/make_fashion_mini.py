"""Make the packaged part of Fashion-MNIST from the full set.

    python tools/make_fashion_mini.py [FOLDER]

FOLDER holds the four IDX files; without it, the place where Debian's package `dataset-fashion-mnist` puts them.

The rule: of each class take the pictures whose SHA-256 of (`SALT` + pixels) is smallest, 1,200 of the training
split and 200 of the test split, and keep them in the order of the full set. A hash instead of a random number
generator, so that the choice depends on no library and no version. Fashion-MNIST has no exact duplicates, within
a split or across; the tool stops if FOLDER has some.

The same pixels give the same bytes for the same liblzma; the digest printed is of the decoded content.
"""

import hashlib
import lzma
import sys
from pathlib import Path

import numpy as np

from pellucid.core.files import sha256, write_bytes
from pellucid.data.assets import fashion_mini
from pellucid.data.known import KNOWN
from pellucid.data.known.idx import read_idx_folder
from pellucid.data.known.record import content_digest

SALT = b"pellucid fashion-mnist-mini 1 "
MAX_BYTES = 6_000_000
# Columns first, and four bits of the byte before as context: the smallest of the chains that were tried.
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


def choose_rows(images: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Rows of the `n` chosen pictures, (classes, n / classes), ascending within a class."""
    ranks = np.array([hashlib.sha256(SALT + image.tobytes()).hexdigest() for image in images])
    if len(np.unique(ranks)) != len(ranks):
        sys.exit("The full set has exact duplicates: this is not the published Fashion-MNIST.")
    rows = []
    for label in range(len(fashion_mini.CLASSES)):
        of_class = np.flatnonzero(labels == label)
        smallest = np.argsort(ranks[of_class])[: n // len(fashion_mini.CLASSES)]
        rows.append(np.sort(of_class[smallest]))
    return np.stack(rows)


def main(folder: Path) -> None:
    full = read_idx_folder(folder)
    chosen = {role: choose_rows(*full[role], n) for role, n in fashion_mini.COUNTS.items()}
    columns = [full[role][0][rows].transpose(0, 1, 3, 2) for role, rows in chosen.items()]  # (K, n, W, H)
    raw = b"".join(part.tobytes() for part in columns)
    packed = lzma.compress(raw, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=FILTERS)
    if len(packed) > MAX_BYTES:
        sys.exit(f"The packed file has {len(packed)} bytes; {MAX_BYTES} are allowed.")
    write_bytes(fashion_mini.FILE, packed)
    for role, (images, labels) in fashion_mini.read().items():
        rows = chosen[role].T.ravel()
        same = np.array_equal(images, full[role][0][rows]) and np.array_equal(labels, full[role][1][rows])
        if not same:
            sys.exit(f"The {role} pictures did not survive the round trip.")
    print(f"{fashion_mini.FILE.name}: {len(packed)} bytes, sha256 {sha256(packed)}")
    known = KNOWN["fashion-mnist-mini"]
    print(f"decoded content, for its card: sha256 {content_digest(known.read(known, None))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else KNOWN["fashion-mnist"].places[0])
