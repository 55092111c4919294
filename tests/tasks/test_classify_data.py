"""What a classifier can learn from; measuring asks for less than training."""

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Preprocess
from pellucid.data.source import Source
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.tasks.classify.data import make_data


def source(labels: list[int], classes: tuple[str, ...]) -> Source:
    images = np.zeros((len(labels), 8, 8), np.uint8)
    return Source("pets", images, [str(k) for k in range(len(labels))], classes, labels=np.array(labels))


def test_one_class_is_refused_for_training_and_taken_for_measuring() -> None:
    only = source([0] * 6, ("cat",))
    with pytest.raises(DataError) as caught:
        make_data(ClassifyConfig(), only)
    assert str(caught.value) == "pets has only one class (cat): a classifier needs pictures of two classes or more."
    seen = Preprocess((8, 8), channels=1, shift=(0.0,), scale=(1.0,))
    assert make_data(ClassifyConfig(), only, preprocess=seen, whole=True).facts.n_test == 6


def test_a_class_with_a_single_picture_is_named() -> None:
    with pytest.raises(DataError) as caught:
        make_data(ClassifyConfig(), source([0] * 6 + [1] * 6 + [2], ("cat", "dog", "eel")))
    assert "1 class has a single picture (eel)" in str(caught.value)
    assert "add pictures or remove the class" in str(caught.value)


def test_masks_are_sent_to_the_other_task() -> None:
    masks = np.zeros((4, 8, 8), np.uint8)
    made = Source("fields", np.zeros((4, 8, 8), np.uint8), list("abcd"), ("sky", "road"), masks=masks)
    with pytest.raises(DataError, match=r"fields has no labels.*It fits --task segment\."):
        make_data(ClassifyConfig(), made)
