"""`pellucid summary MODEL --activations`: what comes out of every layer."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from answer import Answer, Ask

from pellucid.data.single import as_batch
from pellucid.nn.activation_statistics import activation_statistics, lines
from pellucid.ops.normalise import normalise
from pellucid.runs.run import Run

LINE = re.compile(r"(input layer|hidden layer \d+) had mean -?\d+\.\d{6} and std \d+\.\d{6}")


def test_a_fresh_network(ask: Ask) -> None:
    words = ("summary", "convnet", "--activations", "--image-size", 16)
    answer = ask(*words)
    assert answer.code == 0
    above, below = answer.out.split("\n\n")
    assert above.splitlines()[0].split() == [*"layer kind hidden layer output mean std zeros saturated".split()]
    assert [line.split()[0] for line in above.splitlines()[1:3]] == ["input", "stem.0"]
    said = below.splitlines()
    assert len(said) == 8
    assert all(LINE.fullmatch(line) for line in said)
    assert ask(*words) == answer  # the same weights and noise every time
    assert ask(*words, "--quiet") == Answer(0, "", "")


def test_as_json(ask: Ask) -> None:
    found = json.loads(ask("summary", "mlp", "--activations", "--image-size", 8, "--channels", 1, "--json").out)
    rows = found["activations"]
    assert [row["layer"] for row in rows] == ["input", "hidden.0", "hidden.1", "hidden.2", "hidden.3", "fc"]
    assert [row["hidden layer"] for row in rows] == [None, None, 1, None, 2, None]
    assert rows[2]["zeros"] == pytest.approx(0.5, abs=0.05)
    assert found["lines"][1] == f"hidden layer 1 had mean {rows[2]['mean']:.6f} and std {rows[2]['std']:.6f}"


def test_a_fresh_network_on_data(ask: Ask, photos: Path) -> None:
    """Its pictures are standardised among themselves."""
    words = ("summary", "mlp", "--activations", "--image-size", 12, "--data", photos, "--json")
    found = json.loads(ask(*words).out)
    assert found["activations"][0]["output"] == "3x12x12"
    assert (found["activations"][0]["mean"], found["activations"][0]["std"]) == pytest.approx((0, 1), abs=1e-4)


def test_pictures_of_one_colour(ask: Ask) -> None:
    np.savez("grey.npz", images=np.full((3, 8, 8), 7, np.uint8), labels=np.array([0, 1, 0]))
    found = json.loads(
        ask("summary", "mlp", "--activations", "--image-size", 8, "--channels", 1, "--data", "grey.npz", "--json").out
    )
    assert all(row["mean"] == 0 for row in found["activations"])  # no bias is drawn, and nothing is divided by 0


def test_a_run_looks_with_its_own_weights_and_preprocessing(ask: Ask, finished: Path, photos: Path) -> None:
    found = json.loads(ask("summary", finished, "--activations", "--data", photos, "--json").out)
    trained = Run(finished).trained
    pictures = sorted(photos.rglob("*.png"))
    assert len(pictures) <= 32
    batch = as_batch(pictures, trained.facts.preprocess)["image"]
    own = lines(activation_statistics(trained.model.net, normalise(batch, trained.facts.preprocess)))
    assert found["lines"] == own
    noise = ask("summary", finished, "--activations")
    assert noise.code == 0
    assert LINE.search(noise.out)


def test_the_callers_random_numbers_stay(ask: Ask) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    ask("summary", "linear", "--activations", "--image-size", 8)
    assert torch.rand(1) == wanted


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["mlp", "--data", "x"], 2, "--data gives the pictures for --activations. Add --activations, or leave --data"),
        (["mlp", "--activations", "--data", "gone"], 1, "There is no folder or file gone."),
        (["mpl", "--activations"], 2, "Unknown model 'mpl'. Did you mean 'mlp'?"),
    ],
)
def test_what_is_refused(ask: Ask, words: list[str], code: int, said: str) -> None:
    answer = ask("summary", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_a_run_has_its_own_numbers(ask: Ask, finished: Path) -> None:
    answer = ask("summary", finished, "--activations", "--image-size", 8)
    assert answer.code == 2
    assert "is a run and has its own classes, channels and image size. Leave those options out." in answer.err
