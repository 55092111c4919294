"""What the report says of a detector."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL.Image import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.report.blocks import Bar, Section, Table


def sections(
    summary: Mapping[str, Any],
    records: Mapping[str, Tensor],
    facts: DataFacts,
    picture: Callable[[int], Image],
    look: Callable[[Sequence[int]], tuple[Any, Any]],
) -> list[Section]:
    """Every section, in the order in which a reader wants to know."""
    each = summary["per_class"]
    rows = [
        (name, Bar(ap), Bar(ap50), Bar(ap75), things, found)
        for name, ap, ap50, ap75, things, found in zip(
            each["class"], each["ap"], each["ap50"], each["ap75"], each["things"], each["found"], strict=True
        )
    ]
    table = Table(("class", "AP", "AP50", "AP75", "things", "found"), rows)
    return [Section("Class by class", f"AP {summary['ap']:.3f}, AP50 {summary['ap50']:.3f}.", [table])]
