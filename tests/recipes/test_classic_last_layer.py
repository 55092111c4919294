"""Neighbours in the last layer of a trained net: what the demonstration claims, and how it looks them up."""

from functools import cache

import numpy as np
import pytest
from write_questions import CLASSIC

SCRIPT = CLASSIC.load("neighbours_of_the_last_layer")


@cache
def shares() -> dict[str, tuple[float, float]]:
    """Space -> precision@5 and how often the nearest is right."""
    header, rows, picture = SCRIPT.experiment()
    assert all(len(row) == len(header) for row in rows) and picture.startswith("<svg")
    return {name: (float(five.strip("%")) / 100, float(one.strip("%")) / 100) for name, five, one in rows}


def test_no_piece_of_clothing_is_shown_twice() -> None:
    images, labels = SCRIPT.crops("test", 40)
    assert images.shape == (40, 3, 32, 32) and images.dtype == np.uint8
    np.testing.assert_array_equal(labels, SCRIPT.fashion_sprites("test").labels[:40])


def test_no_picture_is_its_own_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where others are equal to it, so that it is not the first found."""
    monkeypatch.setattr(SCRIPT, "QUERIES", 9)
    monkeypatch.setitem(SCRIPT.SPACES, "all equal", lambda x: np.zeros((len(x), 2), np.float32))
    monkeypatch.setitem(SCRIPT.SPACES, "on a line", lambda x: np.arange(len(x), dtype=np.float32)[:, None])
    for space in ("all equal", "on a line"):
        found = SCRIPT.found(space)
        assert found.shape == (9, 5)
        for query, row in enumerate(found):
            assert query not in row and len(set(row)) == 5
    assert SCRIPT.found("on a line")[0].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_last_layer_finds_the_same_kind_more_often_than_hog_and_pixels() -> None:
    found = shares()
    for column in range(2):
        pixels, hog, fresh, layer = (
            found[name][column] for name in ("pixels", "HOG", "last layer, untrained", "last layer")
        )
        assert layer > hog + 0.1 > pixels + 0.3
        assert layer > 0.6 and fresh < pixels + 0.02
    assert found["pixels"][0] < 0.2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_confusions_are_between_clothes_that_look_alike() -> None:
    """Of wrong neighbours in the last layer, most share what is worn where; by chance not half would."""
    shares()
    tops, shoes = {1, 3, 5, 7}, {6, 8, 10}  # of classes from 1: T-shirt, pullover, coat, shirt; sandal, sneaker, boot
    _, truth = SCRIPT.crops("test", SCRIPT.QUERIES)
    near = truth[SCRIPT.found("last layer")]
    own = np.broadcast_to(truth[:, None], near.shape)
    wrong = near != own
    alike = [
        (a in tops and b in tops) or (a in shoes and b in shoes) for a, b in zip(own[wrong], near[wrong], strict=True)
    ]
    assert np.mean(alike) > 0.5
