"""Boxes that are proposed before a network looks: kept, moved along, made anew for pictures that are shown later."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pellucid.classic.proposals.selective_search import selective_search
from pellucid.core.progress import Quiet
from pellucid.data.scenes import scenes
from pellucid.tasks.detect import proposals
from pellucid.tasks.detect.config import DetectConfig, ModelConfig
from pellucid.tasks.detect.data import make_data
from pellucid.tasks.detect.model import make_model, resolve

CFG = DetectConfig(model=ModelConfig(model="fast_rcnn"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    return tmp_path


def test_they_are_those_of_selective_search_padded_with_nothing() -> None:
    image = torch.from_numpy(np.asarray(scenes(train=2, val=0, test=0, size=48).images)).permute(0, 3, 1, 2)
    found = proposals.propose(image)
    assert found.shape == (2, proposals.MOST, 4)
    for row in range(2):
        by_hand = selective_search(image[row].numpy(), "single", most=proposals.MOST, smallest=proposals.SMALLEST)
        assert np.array_equal(found[row, : len(by_hand)].numpy(), by_hand)
        assert not found[row, len(by_hand) :].any()


def test_they_are_made_once_and_kept(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    source = scenes(train=4, val=2, test=0, size=48, purpose="detect")
    splits = make_data(CFG, source)
    first = splits.pack.targets["proposals_xyxy"]
    assert first.shape == (6, proposals.MOST, 4) and len(list(cache.rglob("proposals-*"))) == 1
    monkeypatch.setattr(proposals, "propose", None)  # would be called for new ones
    assert np.array_equal(proposals.packed_proposals(splits.pack, Quiet()), first)
    batch = next(iter(splits.loader("train", 2).epoch(0)))
    assert np.array_equal(batch["proposals_xyxy"].numpy(), first[:2])


def test_no_place_to_keep_them_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "cache_folder", lambda _: None)
    source = scenes(train=4, val=0, test=0, size=48, purpose="detect")
    assert make_data(CFG, source).pack.targets["proposals_xyxy"].any()


def test_later_pictures_get_the_same_proposals() -> None:
    """A batch that brings proposals and one that has none give the same things."""
    splits = make_data(CFG, scenes(train=4, val=0, test=0, size=48, purpose="detect"))
    model = make_model(resolve(CFG, splits.facts), splits.facts).eval()
    batch = next(iter(splits.loader("train", 2).epoch(0)))
    with torch.no_grad():
        told = model(batch)
        alone = model({"image": batch["image"]})
    assert torch.equal(told["found_boxes_xyxy"], alone["found_boxes_xyxy"]) and "loss_class" not in alone


def test_other_networks_do_not_pay_for_them() -> None:
    cfg = DetectConfig(model=ModelConfig(model="yolo"))
    splits = make_data(cfg, scenes(train=4, val=0, test=0, size=48, purpose="detect"))
    assert "proposals_xyxy" not in splits.pack.targets
