"""Files that torchvision published for segmenters: every tensor, VOC's names, and how pictures are prepared."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from pellucid.core.errors import WeightsError
from pellucid.data.readers import voc
from pellucid.models import load_published
from pellucid.models.published.classes import VOC
from pellucid.models.published.find import published
from pellucid.models.published.torchvision import SEGMENTERS, by_file, by_network
from pellucid.models.segment import AUXILIARY_HEADS, build
from pellucid.runs.stored.trained import load_trained


@pytest.fixture(scope="module")
def drawn() -> nn.Module:
    torch.manual_seed(0)
    return build("fcn_resnet50", 21, 3, (224, 224)).eval()


@pytest.fixture(scope="module")
def file(drawn: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "fcn_resnet50_coco-1167a1af.pth"
    torch.save(drawn.state_dict(), path)
    return path


def test_entries_are_of_networks_that_are_here() -> None:
    assert {entry.network for entry in SEGMENTERS.values()} == set(AUXILIARY_HEADS)
    for name, entry in SEGMENTERS.items():
        assert entry.name == name and entry.n_classes == 21 and entry.file in entry.source and entry.licence
        assert by_file(entry.file) is entry and by_network(entry.network) is entry
        assert re.fullmatch(rf"{entry.network}_coco-[0-9a-f]{{8}}\.pth", entry.file)
        made = entry.preprocess
        assert made.fit == "pad" and made.canvas_size == made.size == (520, 520)
        assert (200 - made.shift[0]) * made.scale[0] == pytest.approx((200 / 255 - 0.485) / 0.229)


def test_vocs_names_are_those_of_the_reader() -> None:
    assert voc.CLASSES == VOC


def test_a_published_file_says_all_that_is_needed(drawn: nn.Module, file: Path) -> None:
    found = published(file, segmenters=True)
    assert (found.network, found.task, found.classes, found.fresh) == ("fcn_resnet50", "segment", VOC, ())
    assert found.licence.startswith("BSD") and "520" not in "".join(found.notes)
    ours, theirs = found.net.state_dict(), drawn.state_dict()
    assert list(ours) == list(theirs) and all(torch.equal(ours[key], theirs[key]) for key in theirs)
    batch = {"image": torch.zeros(1, 3, 40, 50, dtype=torch.uint8)}
    with torch.no_grad():
        assert found.model(batch)["logits"].shape == (1, 21, 40, 50)


def test_such_a_file_predicts_as_it_is(file: Path) -> None:
    trained = load_trained(file)
    assert trained.task.name == "segment" and trained.facts.classes == VOC and trained.published


def test_classifiers_do_not_take_it(file: Path) -> None:
    with pytest.raises(
        WeightsError, match="holds a fcn_resnet50; weights are taken from networks that were trained to"
    ):
        published(file)


def test_a_file_without_the_auxiliary_head_loads_and_says_so(drawn: nn.Module, tmp_path: Path) -> None:
    without = {key: tensor for key, tensor in drawn.state_dict().items() if not key.startswith("aux_classifier.")}
    torch.save(without, tmp_path / "mine.pth")
    found = load_published("fcn_resnet50", tmp_path / "mine.pth")
    assert all(name.startswith("aux_classifier.") for name in found.fresh) and found.fresh
    assert any("no auxiliary heads (aux_classifier)" in note for note in found.notes)


def test_other_classes_start_the_last_layers_afresh(file: Path) -> None:
    found = load_published("fcn_resnet50", file, n_classes=3, new_head=True)
    assert set(found.fresh) == {
        f"{head}.4.{kind}" for head in ("classifier", "aux_classifier") for kind in ("weight", "bias")
    }
    assert found.classes == ("class 0", "class 1", "class 2")


def test_a_file_that_does_not_fit_is_told_where_it_does(file: Path) -> None:
    with pytest.raises(WeightsError, match="does not fit deeplabv3_resnet50: .*It fits fcn_resnet50: load it as that."):
        load_published("deeplabv3_resnet50", file)
