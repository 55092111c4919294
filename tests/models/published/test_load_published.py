"""Files of torchvision and timm: what is read, what is refused, and what is said of files that do not fit."""

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, WeightsError
from pellucid.models import create, load_published
from pellucid.models.classify import MODELS
from pellucid.models.published.read import read_foreign
from pellucid.models.published.torchvision import TORCHVISION, by_file

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def small() -> nn.Module:
    """SqueezeNet 1.1 for seven classes: the smallest that torchvision publishes."""
    torch.manual_seed(0)
    return create("squeezenet1_1", 7).eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def save(path: Path, content: Any, old: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


WRITERS: dict[str, Callable[[Path, State], Path]] = {
    "zip": lambda folder, state: save(folder / "a.pth", state),
    "old": lambda folder, state: save(folder / "a.pth", state, old=True),
    "state_dict": lambda folder, state: save(folder / "a.pth", {"state_dict": state, "epoch": 3, "arch": "x"}),
    "model": lambda folder, state: save(folder / "a.pth", {"model": {"state_dict": state}}),
    "module.": lambda folder, state: save(folder / "a.pth", {f"module.{k}": v for k, v in state.items()}),
    "model.module.": lambda folder, state: save(folder / "a.pth", {f"model.module.{k}": v for k, v in state.items()}),
    "parameters": lambda folder, state: save(folder / "a.pth", {k: nn.Parameter(v) for k, v in state.items()}),
    "half": lambda folder, state: save(
        folder / "a.pth", {k: v.bfloat16().float().bfloat16() for k, v in state.items()}
    ),
}


@pytest.mark.parametrize("form", WRITERS)
def test_every_form_of_file_gives_the_same_answers(form: str, small: nn.Module, x: Tensor, tmp_path: Path) -> None:
    state = {k: v.bfloat16().float() for k, v in small.state_dict().items()}  # so that halving it loses nothing
    small.load_state_dict(state)
    found = load_published("squeezenet1_1", WRITERS[form](tmp_path, state))
    with torch.no_grad():
        assert torch.equal(found.net(x), small(x))
    assert not found.net.training and found.n_classes == 7 and found.classes[6] == "class 6"
    assert found.fresh == () and found.network == "squeezenet1_1"
    assert all(parameter.dtype is torch.float32 for parameter in found.net.parameters())


def test_a_safetensors_file(small: nn.Module, x: Tensor, tmp_path: Path) -> None:
    save_file(small.state_dict(), tmp_path / "model.safetensors")
    found = load_published("squeezenet1_1", tmp_path / "model.safetensors")
    with torch.no_grad():
        assert torch.equal(found.net(x), small(x))


def test_loading_leaves_the_random_numbers_alone(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", small.state_dict())
    torch.manual_seed(5)
    load_published("squeezenet1_1", path)
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))


# ------------------------------------------------------------------------------------------------ what does not fit


def refused(error: type[Exception], words: str) -> Any:
    return pytest.raises(error, match=words)


def test_weights_of_another_architecture_name_the_one_they_fit(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", small.state_dict())
    with refused(WeightsError, "does not fit squeezenet1_0: .* It fits squeezenet1_1: load it as that") as caught:
        load_published("squeezenet1_0", path)
    message = str(caught.value)
    assert "features.0.weight is 64x3x3x3, wanted 96x3x7x7" in message and "\n" not in message
    counts = re.search(r"(\d+) of 52 names missing .*; (\d+) unexpected .*; (\d+) of another shape", message)
    assert counts is not None
    ours, theirs = create("squeezenet1_0", 7).state_dict(), small.state_dict()
    differing = sum(ours[k].shape != theirs[k].shape for k in ours.keys() & theirs.keys())
    assert [int(n) for n in counts.groups()] == [
        len(ours.keys() - theirs.keys()),
        len(theirs.keys() - ours.keys()),
        differing,
    ]


def test_weights_of_nothing_here(tmp_path: Path) -> None:
    with refused(WeightsError, "26 of 26 names missing .* 1 unexpected .*. No network here has such names"):
        load_published("vgg13", save(tmp_path / "a.pth", {"nothing.weight": torch.zeros(3)}))


def test_another_number_of_classes_is_refused_and_may_be_asked_away(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", small.state_dict())
    with refused(
        WeightsError, r"does not fit squeezenet1_1 for 3 classes: it has 7 \(classifier\.1\.weight is 7x512x1x1"
    ):
        load_published("squeezenet1_1", path, n_classes=3)
    found = load_published("squeezenet1_1", path, n_classes=3, new_head=True, classes=("a", "b", "c"))
    assert found.fresh == ("classifier.1.weight", "classifier.1.bias") and found.classes == ("a", "b", "c")
    assert any("starts afresh for 3 classes, the file has 7" in note for note in found.notes)
    theirs, ours = small.state_dict(), found.net.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours if key not in found.fresh)
    assert ours["classifier.1.weight"].shape == (3, 512, 1, 1)
    assert load_published("squeezenet1_1", path, n_classes=7, new_head=True).fresh == ()


def test_a_new_head_does_not_make_another_architecture_fit(small: nn.Module, tmp_path: Path) -> None:
    with refused(WeightsError, "does not fit squeezenet1_0"):
        load_published("squeezenet1_0", save(tmp_path / "a.pth", small.state_dict()), n_classes=3, new_head=True)


def test_unknown_names_and_numbers(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", small.state_dict())
    with refused(ConfigError, "Unknown model 'squeezenet'. Did you mean 'squeezenet1_"):
        load_published("squeezenet", path)
    with refused(ConfigError, "n_classes must be 1 or more, got 0"):
        load_published("squeezenet1_1", path, n_classes=0)
    with refused(WeightsError, "There must be 7 class names, all different; got 2"):
        load_published("squeezenet1_1", path, classes=("a", "b"))


# ------------------------------------------------------------------------------------------------ what is not opened


class Runs:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_code_in_a_pickle_is_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    for number, old in enumerate((False, True)):
        path = save(tmp_path / f"{number}.pth", {"state_dict": {"a": torch.zeros(1)}, "x": Runs(trap)}, old)
        with refused(WeightsError, "not opened. Save ") as caught:
            read_foreign(path)
        assert "\n" not in str(caught.value)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"x": Runs(trap)}))
    with refused(WeightsError, "plain.pth "):
        read_foreign(tmp_path / "plain.pth")
    assert not trap.exists()


def test_a_whole_module_is_refused_by_its_class(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", nn.Sequential(nn.ReLU()))
    with refused(WeightsError, r"holds torch\.nn\.modules\.container\.Sequential, which is code and not only tensors"):
        read_foreign(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.zeros(2)], "holds a list, not tensors by name"),
        ({"epoch": 3, "lr": 0.1}, r"holds no tensors by name \(epoch, lr\)"),
        ({"a": torch.tensor([1.0, float("nan")])}, "holds NaN or infinity in a,"),
        (torch.zeros(3), "holds a Tensor, not tensors by name"),
    ],
)
def test_files_of_something_else(content: Any, words: str, tmp_path: Path) -> None:
    with refused(WeightsError, words):
        read_foreign(save(tmp_path / "a.pth", content))


def test_damaged_files_and_none(small: nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", small.state_dict())
    for name, content in {
        "half.pth": path.read_bytes()[:5000],
        "empty.pth": b"",
        "text.pth": b"hello",
        "zip.pth": b"PK\x03\x04" + bytes(100),
        "x.safetensors": b"hello there",
        "empty.safetensors": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        with refused(WeightsError, re.escape(name)) as caught:
            read_foreign(tmp_path / name)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    with refused(WeightsError, r"text\.pth is no intact weights file\. Use another copy of it"):
        read_foreign(tmp_path / "text.pth")
    with refused(WeightsError, r"gone\.pth does not exist: give a \.pth or \.safetensors file"):
        read_foreign(tmp_path / "gone.pth")
    with refused(WeightsError, "is a folder: give"):
        read_foreign(tmp_path)


# ------------------------------------------------------------------------------------------------ what files say


def test_every_entry_is_of_a_network_that_is_here_and_of_the_size_it_is_trained_for() -> None:
    assert {entry.network for entry in TORCHVISION.values()} <= MODELS.keys()
    for name, entry in TORCHVISION.items():
        made = entry.preprocess
        assert entry.name == name and entry.file in entry.source and entry.licence and entry.n_classes == 1000
        assert by_file(entry.file) is entry
        assert re.fullmatch(r"[\w.-]+-[0-9a-f]{8,10}\.pth", entry.file)
        assert made.fit == "short-side" and made.canvas_size >= made.size


def test_preprocessing_in_the_publishers_own_words() -> None:
    """`(p / 255 - mean) / std`, worked out by hand for one pixel of one channel."""
    usual = TORCHVISION["resnet18.imagenet1k_v1"].preprocess
    assert usual.size == (224, 224) and usual.canvas == (256, 256) and usual.interpolation == "bilinear"
    assert (200 - usual.shift[0]) * usual.scale[0] == pytest.approx((200 / 255 - 0.485) / 0.229)
    assert TORCHVISION["resnet50.imagenet1k_v2"].preprocess.canvas == (232, 232)
    inception = TORCHVISION["inception_v3.imagenet1k_v1"].preprocess
    assert (inception.size, inception.canvas) == ((299, 299), (342, 342))
    for channel, (mean, std) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)):
        normed = (77 / 255 - mean) / std
        transformed = normed * (std / 0.5) + (mean - 0.5) / 0.5
        assert (77 - inception.shift[channel]) * inception.scale[channel] == pytest.approx(transformed)


def test_the_name_of_a_file_says_its_preprocessing(tmp_path: Path) -> None:
    state = create("squeezenet1_1", 1000).state_dict()
    found = load_published("squeezenet1_1", save(tmp_path / "squeezenet1_1-b8a52dc0.pth", state))
    assert found.notes == () and found.licence.startswith("BSD-3-Clause") and "download.pytorch.org" in found.source
    renamed = load_published("squeezenet1_1", save(tmp_path / "mine.pth", state))
    assert renamed.preprocess == found.preprocess
    assert renamed.notes == (
        "the file does not say how to prepare pictures: it is done as for squeezenet1_1.imagenet1k_v1",
    )


def test_timms_config_says_more_than_the_name(tmp_path: Path) -> None:
    path = save(tmp_path / "squeezenet1_1-b8a52dc0.pth", create("squeezenet1_1", 5).state_dict())
    stated = {"input_size": [3, 96, 128], "crop_pct": 0.95, "interpolation": "bicubic", "mean": [0.5] * 3}
    about = {"architecture": "squeezenet1_1", "pretrained_cfg": {**stated, "std": [0.25] * 3, "license": "apache-2.0"}}
    (tmp_path / "config.json").write_text(json.dumps(about))
    found = load_published("squeezenet1_1", path)
    made = found.preprocess
    assert (made.size, made.canvas, made.interpolation) == ((96, 128), (101, 134), "bicubic")
    assert (255 - made.shift[0]) * made.scale[0] == pytest.approx(2.0) and found.licence == "apache-2.0"
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert load_published("squeezenet1_1", path).preprocess.size == (224, 224)
    (tmp_path / "config.json").write_text('{"pretrained_cfg": {"input_size": [1, 2]}}')
    with refused(WeightsError, r"config\.json does not say how pictures are prepared"):
        load_published("squeezenet1_1", path)
