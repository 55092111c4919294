"""A large picture takes no more memory than was said, however many classes there are."""

import subprocess
import sys

import pytest

PROBE = """
import resource, sys
import numpy as np, torch
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.from_batch import FromBatch
from pellucid.models.segment.fcn_small import fcn_small
from pellucid.tasks.segment.prediction.predict import predict
from pellucid.tasks.segment.prediction.wishes import SegmentWishes

torch.set_num_threads(1)
side, classes, tile = map(int, sys.argv[1:])
names = tuple(map(str, range(classes)))
facts = DataFacts("segment", "made", names, (1,) * classes, Preprocess((128, 128), mode="unit", fit="pad"))
model = FromBatch(fcn_small(classes, 3, (128, 128)), facts.preprocess).eval()
predict(model, [np.zeros((64, 64, 3), np.uint8)], facts, SegmentWishes(size="native"))
picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(result,) = predict(model, [picture], facts, SegmentWishes(size="native", tile=tile))
assert result.mask.shape == (side, side)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def megabytes(side: int, classes: int, tile: int) -> float:
    """By how much the peak of a process of its own rises when it predicts one picture."""
    command = [sys.executable, "-c", PROBE, str(side), str(classes), str(tile)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


def test_a_picture_of_1024_pixels_stays_below_150_megabytes() -> None:
    """Two rows of tiles of 21 classes are 22 MB, the picture 3; the rest is the network's, for 4 tiles at once."""
    assert megabytes(1024, 21, 0) < 150


@pytest.mark.slow
def test_memory_grows_with_classes_by_two_rows_of_tiles() -> None:
    """Of 150 classes 157 MB, where all logits would be 629; and in one piece the network takes far more by itself."""
    assert megabytes(1024, 150, 0) < 450
    assert megabytes(1024, 21, 1024) > 200
