"""What is said where no thing was found in any of many pictures."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from pellucid.core.facts import DataFacts
from pellucid.tasks.detect.prediction.predict import predict
from pellucid.tasks.detect.prediction.wishes import DetectWishes

LOOKED_AT = 8  # pictures that are looked at once more
LEAST = 0.01  # score below which a thing is no more than noise


def nothing_found(model: nn.Module, images: Sequence[Any], facts: DataFacts, wishes: DetectWishes) -> str:
    """One sentence on how sure the network is, in the first pictures, of what it was not asked for.

    Args:
        images: pictures that can be opened, in none of which a thing was found.
        wishes: with which that was.
    """
    told = f"Nothing was found in any of {len(images):,} pictures" if len(images) > 1 else "Nothing was found"
    if wishes.conf <= LEAST:
        return f"{told}, with a --conf of {wishes.conf:g}."
    lower = replace(wishes, conf=LEAST, top=1, masks="off")
    scores = [float(result.scores[0]) for result in predict(model, images[:LOOKED_AT], facts, lower) if len(result)]
    told += f" with a score of {wishes.conf:g} or more (--conf)"
    among = f" in the first {LOOKED_AT}" if len(images) > LOOKED_AT else ""
    if not scores:
        return f"{told}, and{among} nothing with a lower one."
    below = math.floor(100 * max(scores)) / 100  # so that it is shown where this is asked for
    return f"{told}. The surest thing{among} has {max(scores):.3f}: --conf {below:g} shows it."
