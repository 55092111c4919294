"""A picture and its copy."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["equal", "nearly equal", "mirrored", "part"]


@dataclass(frozen=True)
class Copy:
    """Two rows of a pack that show the same picture.

    Attributes:
        first, second: the rows; of a part, the second is cut from the first.
        kind: `equal` to the bit; `nearly equal` after resizing, encoding or a change of contrast; `mirrored`; `part`.
        likeness: 1 for equal pictures, less for others.
    """

    first: int
    second: int
    kind: Kind
    likeness: float = 1.0
