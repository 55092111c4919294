"""Mirror averaging: a picture and its mirror image get one answer, everywhere a run is asked."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.core.preprocess import Preprocess
from pellucid.models.from_batch import FromBatch

PREPROCESS = Preprocess((9, 12), channels=1, shift=(0.0,), scale=(1 / 255,))
SETTINGS = {"model": "mlp", "epochs": 1, "batch": 8, "threads": 1, "precision": "fp32", "device": "cpu"}


@pytest.fixture
def wrapped() -> FromBatch:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 7 * 10, 3))
    return FromBatch(net, PREPROCESS, mirror=True).eval()


@pytest.fixture
def pictures() -> Tensor:
    """(5, 1, 9, 12) uint8."""
    return torch.randint(0, 256, (5, 1, 9, 12), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def test_a_picture_and_its_mirror_image_get_the_same_answer(wrapped: FromBatch, pictures: Tensor) -> None:
    here, there = (wrapped({"image": view})["logits"] for view in (pictures, pictures.flip(3)))
    torch.testing.assert_close(here, there, rtol=0, atol=1e-6)
    wrapped.mirror = False
    here, there = (wrapped({"image": view})["logits"].softmax(1) for view in (pictures, pictures.flip(3)))
    assert not torch.allclose(here, there, atol=0.01)


def test_the_answer_is_the_mean_of_both_softmaxes(wrapped: FromBatch, pictures: Tensor) -> None:
    x = pictures / 255
    expected = (wrapped.net(x).softmax(1) + wrapped.net(x.flip(3)).softmax(1)) / 2
    torch.testing.assert_close(wrapped({"image": pictures})["logits"].exp(), expected)


def test_training_sees_the_picture_alone(wrapped: FromBatch, pictures: Tensor) -> None:
    torch.testing.assert_close(wrapped.train()({"image": pictures})["logits"], wrapped.net(pictures / 255))


def test_sure_answers_stay_finite(wrapped: FromBatch, pictures: Tensor) -> None:
    with torch.no_grad():
        wrapped.net[-1].weight.mul_(1e4)
    assert bool(wrapped({"image": pictures})["logits"].isfinite().all())


def test_a_run_remembers_it(tmp_path: Path) -> None:
    """Predicting, evaluating and verifying a stored run average too."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 120, (60, 8, 10), dtype=np.uint8)
    images[labels == 1, :, :5] += 130  # bright on the left: the mirror image says the opposite
    answers = {}
    for mirror in (False, True):
        run = pellucid.train(
            (images, labels), out=tmp_path / str(mirror), mirror=mirror, flip=0.0, progress="quiet", **SETTINGS
        )
        loaded = pellucid.Run(run.folder)
        assert all(verdict.status == "pass" for verdict in loaded.verify())
        views = [Image.fromarray(image) for image in (images[1], images[1][:, ::-1])]
        answers[mirror] = [dict(result.top) for result in loaded.predict(*views)]
    here, there = answers[True]
    assert here == pytest.approx(there, abs=1e-6)
    assert answers[False][0] != pytest.approx(answers[False][1], abs=0.01)


def test_fitted_models_refuse_it(tmp_path: Path) -> None:
    images = np.zeros((20, 8, 8), dtype=np.uint8)
    with pytest.raises(ConfigError, match="--mirror means nothing for model knn, only for networks. Leave it out."):
        pellucid.train((images, np.arange(20) % 2), out=tmp_path / "run", model="knn", mirror=True, progress="quiet")
