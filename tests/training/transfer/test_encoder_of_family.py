"""Which network weights are loaded as, where they do not say it themselves: alike for segmenters and detectors."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.tasks.detect.config import DetectConfig
from pellucid.tasks.detect.transfer import FAMILY as DETECTORS
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.transfer import FAMILY as SEGMENTERS
from pellucid.training.transfer.encoder import USUAL_ENCODER, Family, place_of

CASES: dict[str, tuple[type, Family]] = {"detect": (DetectConfig, DETECTORS), "segment": (SegmentConfig, SEGMENTERS)}


def asked(task: str, **stated: Any) -> str | None:
    kind, family = CASES[task]
    return family.asked_for(settings.change(kind(), stated))


@pytest.mark.parametrize("task", CASES)
def test_imagenet_is_the_usual_encoder_unless_one_is_named_or_built_in(task: str) -> None:
    one_piece = {"detect": "fasterrcnn_resnet50_fpn", "segment": "fcn_resnet50"}[task]
    taking = {"detect": "rcnn", "segment": "fcn8s"}[task]  # on another network unless told
    assert asked(task, weights="imagenet") == asked(task, weights="imagenet", model=taking) == USUAL_ENCODER
    assert asked(task, weights="imagenet", model=taking, backbone="vgg11_bn") == "vgg11_bn"
    assert asked(task, weights="imagenet", model=one_piece) == "resnet50"
    family = CASES[task][1]
    assert place_of(family.on_meta(one_piece, 3, (64, 64)))[1] == "resnet50"
    with pytest.raises(ConfigError, match="Unknown backbone 'resnet17'"):
        family.require_known(settings.change(CASES[task][0](), {"backbone": "resnet17"}))


@pytest.mark.parametrize("task", CASES)
def test_a_file_that_says_nothing_is_told_by_its_names(task: str, tmp_path: Path) -> None:
    whole, alone = tmp_path / "whole.pt", tmp_path / "alone.pt"
    torch.save({"backbone.body.conv1.weight": torch.zeros(1)}, whole)
    torch.save({"conv1.weight": torch.zeros(1)}, alone)
    one_piece = {"detect": "fasterrcnn_resnet50_fpn", "segment": "fcn_resnet50"}[task]
    assert asked(task, weights=str(whole), model=one_piece) == one_piece
    assert asked(task, weights=str(alone), model=one_piece) == "resnet50"
    assert asked(task, weights=str(whole)) is None and asked(task, weights=str(alone)) is None
    assert asked(task, weights=str(alone), backbone="resnet18") == "resnet18"
