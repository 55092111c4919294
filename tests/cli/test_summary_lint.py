"""`pellucid summary MODEL`: traps, pictures, networks of one's own file, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from answer import Answer, Ask
from PIL import Image

OWN = """
import torch
from torch import nn

class Good(nn.Module):
    def __init__(self, n_classes, channels=3):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(channels, 4, 3, padding=1), nn.Linear(4, n_classes)

    def forward(self, x):
        return self.fc(self.conv(x).relu().mean((2, 3)))

def gridded():
    layers = [nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=2, dilation=2) for i in range(3)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3), nn.Softmax(1))

ready = nn.Sequential(nn.Conv2d(3, 2, 3))

def number():
    return 7

def needs(width):
    return nn.Linear(width, 1)

def broken():
    return nn.Linear(-1, 2)

if __name__ == "__main__":
    raise SystemExit("must not run")
"""


@pytest.fixture
def own() -> Path:
    file = Path("mine.py")
    file.write_text(OWN)
    return file


def test_totals_are_split(ask: Ask) -> None:
    totals = json.loads(ask("summary", "vgg16", "--json").out)["totals"]
    assert totals["layers (conv and FC on the longest path)"] == 16
    assert totals["of fully connected layers"] == 123_642_856
    assert totals["of convolutions"] == 14_714_688
    early, late = totals["of the first half of the layers"], totals["of the second half of the layers"]
    assert early > 10 * late
    assert early + late + 4 * 3 * 224**2 == totals["activations in training (bytes)"]


def test_notes_are_said(ask: Ask) -> None:
    answer = ask("summary", "resnet18", "--image-size", 32)
    assert "Small-image stem (3x3, stride 1, no pooling) because the short side is 32 px (64 or less)." in answer.out


def test_a_silent_network(ask: Ask) -> None:
    assert ask("summary", "resnet18", "--lint") == Answer(0, "10 of 10 checks passed.\n", "")


def test_warnings_do_not_fail(ask: Ask) -> None:
    answer = ask("summary", "vgg11_bn", "--lint", "--batch", 2)
    assert answer.code == 0
    assert [line.split(":")[0] for line in answer.out.splitlines()[:-1]] == [
        "WARN bias-before-norm",
        "WARN small-batch",
    ]
    assert answer.out.splitlines()[-1] == "8 of 10 checks passed."


def test_failures_do(ask: Ask, own: Path) -> None:
    words = ("summary", f"{own}:gridded", "--image-size", 32, "--lint")
    answer = ask(*words)
    assert answer.code == 1
    assert "FAIL gridding: rates [2, 2, 2] of 0 to 2 read 7 of 13 pixels along an axis, 53.8%" in answer.out
    assert "FAIL double-softmax" in answer.out
    found = json.loads(ask(*words, "--json").out)
    assert [v["rule"] for v in found if v["status"] == "fail"] == ["gridding", "double-softmax"]
    assert ask(*words, "--quiet") == Answer(1, "", "")


def test_a_network_of_ones_own(ask: Ask, own: Path) -> None:
    found = json.loads(ask("summary", f"{own}:Good", "--image-size", "8x9", "--n-classes", 5, "--json").out)
    assert found["totals"]["parameters"] == 3 * 9 * 4 + 4 + 4 * 5 + 5
    assert found["totals"]["picture"] == "3x8x9"
    assert ask("summary", f"{own}:ready", "--image-size", 8).code == 0


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_blocks(ask: Ask, ending: str) -> None:
    answer = ask("summary", "resnet18", "--save", f"net.{ending}")
    assert answer == Answer(0, f"net.{ending}: resnet18 as blocks\n", "")
    content = Path(f"net.{ending}").read_bytes()
    assert content.startswith(b"\x89PNG" if ending == "png" else b"<svg")
    if ending == "svg":
        assert b"512x7x7" in content and b"18 layers, 11.7 M parameters, 1.81 G multiply-adds" in content


def test_the_field_of_a_layer_on_a_photo(ask: Ask) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)).save("photo.png")
    words = ("summary", "resnet18", "--image-size", 96, "--field", "layer1", "--image", "photo.png")
    answer = ask(*words, "--save", "field.png")
    assert answer.out == "field.png: layer1, unit 12, 12: sees 43x43 of 96x96 px\n"
    with Image.open("field.png") as drawn:
        assert drawn.size == (640, 670)
    assert ask(*words, "--save", "field.svg").code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ["mine.py:Goood"],
            2,
            "Unknown network in mine.py 'Goood'. Did you mean 'Good'? Choose from: Good, broken, gridd",
        ),
        (["mine.py"], 2, "Which network of mine.py? Name its class or function behind a colon: mine.py:Net"),
        (["gone.py:Net"], 1, "There is no file gone.py."),
        (["mine.py:number"], 1, "number in mine.py must make an nn.Module, it made a int."),
        (["mine.py:needs"], 2, "needs in mine.py needs width, which nobody gives."),
        (["mine.py:broken"], 1, "broken in mine.py could not be built: RuntimeError: Trying to create tensor with neg"),
        (["mlp", "--batch", "2"], 2, "--batch is what --lint judges batch norm by. Add --lint, or leave --batch out."),
        (["mlp", "--lint", "--batch", "0"], 2, "batch must be 1 or more, got 0."),
        (["mlp", "--save", "net.pdf"], 2, "A picture is saved as .png or .svg, got net.pdf."),
        (["mlp", "--field", "fc", "--save", "f.png"], 2, "--field LAYER and --image PHOTO belong together"),
        (["mlp", "--field", "fc", "--image", "p.png"], 2, "--field draws a picture. Say where to: --save field.png"),
        (["mlp", "--lint", "--activations"], 2, "Choose one of --activations and --lint."),
        (
            ["resnet18", "--image-size", "32", "--field", "layer9", "--image", "p.png", "--save", "f.png"],
            2,
            "Unknown layer 'layer9'. Did you mean 'layer",
        ),
    ],
)
def test_what_is_refused(ask: Ask, own: Path, words: list[str], code: int, said: str) -> None:
    answer = ask("summary", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1
