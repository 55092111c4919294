"""How many regions are judged can be set, for networks that propose regions."""

import pytest

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.detect.two_stage import TwoStage
from pellucid.tasks.detect.config import DetectConfig, ModelConfig
from pellucid.tasks.detect.model import FromPictures, make_model, names

FACTS = DataFacts("detect", "nowhere", ("a", "b"), (3, 4), Preprocess((64, 64)))


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (17, 17), (700, 700)])
def test_it_reaches_the_network(asked: int, given: int) -> None:
    model = make_model(DetectConfig(model=ModelConfig("faster_rcnn", proposals=asked)), FACTS)
    assert isinstance(model, FromPictures) and isinstance(model.net, TwoStage) and model.net.rpn is not None
    settings = model.net.rpn.settings
    assert settings.after[1] == given and settings.before[1] >= given and settings.after[0] == 150


def test_it_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(ConfigError, match="--proposals 50 means nothing for model yolo.*--model faster_rcnn, "):
        names(DetectConfig(model=ModelConfig("yolo", proposals=50)))
    with pytest.raises(ConfigError, match="proposals must be 0 or positive, got -1"):
        ModelConfig("faster_rcnn", proposals=-1)
