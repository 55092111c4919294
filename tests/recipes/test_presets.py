"""Presets are what they say."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

import pellucid
from pellucid.cli.main import main
from pellucid.data.transforms import Flip, PcaColour, Window, build
from pellucid.models import create
from pellucid.runs.comparing.ensemble import evaluate_ensemble
from pellucid.runs.setup.config import make_config, read_file
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.training.optim import make_optimiser
from pellucid.training.schedule import Schedule

PRESETS = Path(__file__).parents[2] / "recipes" / "presets"


def preset() -> ClassifyConfig:
    return make_config(ClassifyConfig, read_file(PRESETS / "alexnet.toml"), {}, "alexnet.toml")


def test_alexnets_recipe_has_every_element() -> None:
    """Numbers of the paper's section 5: momentum 0.9, decay 0.0005, 128 pictures, 0.01, a tenth when it stalls."""
    cfg = preset()
    assert (cfg.optim.optimiser, cfg.optim.momentum, cfg.optim.nesterov) == ("sgd", 0.9, False)
    assert (cfg.optim.weight_decay, cfg.optim.lr, cfg.train.batch) == (5e-4, 0.01, 128)
    assert (cfg.schedule.schedule, cfg.schedule.gamma, cfg.schedule.warmup_epochs) == ("plateau", 0.1, 0.0)
    assert (cfg.model.model, cfg.data.image_size, cfg.data.preprocess) == ("alexnet_notes_groups2", "227", "mean-image")
    steps = build(cfg.augment, (227, 227), (259, 259), train=True)
    assert steps is not None and steps.steps == (Window((227, 227), 1.0), Flip(0.5), PcaColour(0.1))


def test_the_preset_trains(tmp_path: Path) -> None:
    """Its settings together, with a small network, on small pictures."""
    run = pellucid.train(
        "fashion-mnist-mini",
        config=PRESETS / "alexnet.toml",
        model="convnet",
        image_size="28",
        colour="rgb",
        fraction=0.02,
        epochs=1,
        threads=1,
        device="cpu",
        out=tmp_path / "run",
        progress="quiet",
    )
    assert run.config.augment.pca_colour == 0.1 and len(run.history) == 1


def test_the_optimiser_and_the_rate_are_the_papers() -> None:
    """v <- 0.9 v - 0.0005 e w - e g, w <- w + v, here with the decay inside the gradient: the same for one rate."""
    cfg = preset()
    layer = torch.nn.Linear(2, 2)
    before, biases = layer.weight.detach().clone(), layer.bias.detach().clone()
    optimiser = make_optimiser(layer, cfg.optim, cfg.optim.lr)
    velocity, weight, bias = torch.zeros(2, 2), before.clone(), biases.clone()
    for _ in range(3):
        optimiser.zero_grad()
        (3 * layer.weight.sum() + layer.bias.sum()).backward()
        optimiser.step()
        velocity = 0.9 * velocity - 5e-4 * 0.01 * weight - 0.01 * 3
        weight = weight + velocity
    torch.testing.assert_close(layer.weight.detach(), weight)
    # of the bias: no decay, so the steps are 1, 1.9 and 2.71 times the rate
    torch.testing.assert_close(layer.bias.detach(), bias - 0.01 * (1 + 1.9 + 2.71))


def test_the_rate_falls_to_a_tenth_when_validation_stalls() -> None:
    """By itself where it was done by hand: three epochs without a better value are forgiven, the fourth cuts."""
    cfg = preset()
    schedule = Schedule(cfg.schedule, cfg.optim.lr, cfg.train.epochs, steps_per_epoch=2)
    rates = []
    for epoch, accuracy in enumerate([0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.4]):
        rates.append(schedule.lr(2 * epoch))
        schedule.epoch_end(accuracy)
    assert rates == pytest.approx([0.01] * 6 + [0.001] * 2)


def test_the_network_is_the_papers_and_drops_half() -> None:
    """Two towers, local response norm before overlapping pools, and dropout in the first two dense layers."""
    with torch.device("meta"):
        model = create(preset().model.model, 1000, 3, (227, 227))
    assert sum(parameter.numel() for parameter in model.parameters()) == 60_965_224
    assert [module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)] == [0.5, 0.5]
    norms = [module for module in model.modules() if isinstance(module, torch.nn.LocalResponseNorm)]
    assert [(norm.size, norm.alpha, norm.beta, norm.k) for norm in norms] == [(5, 5e-4, 0.75, 2.0)] * 2


def test_runs_of_the_preset_answer_together(tmp_path: Path) -> None:
    """With a small network: the test pictures are named by the data, so that runs of other seeds may be averaged."""
    settings: dict[str, Any] = {
        "model": "convnet",
        "image_size": "28",
        "colour": "rgb",
        "fraction": 0.02,
        "epochs": 1,
        "threads": 1,
        "device": "cpu",
        "progress": "quiet",
    }
    config = PRESETS / "alexnet.toml"
    runs = [
        pellucid.train("fashion-mnist-mini", config=config, seed=seed, out=tmp_path / str(seed), **settings)
        for seed in (0, 1)
    ]
    found = evaluate_ensemble(runs, progress="quiet")
    assert len(found.members) == 2 and found.members[0] != found.members[1]
    assert found.summary["brier"] <= sum(member["brier"] for member in found.members) / 2 + 1e-6


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_preset_as_it_is_trains_on_photographs(tmp_path: Path) -> None:
    """61 million parameters, 227 px, through the command; parts of scikit-learn's two photographs are the classes."""
    for name, photo in zip(("temple", "flower"), load_sample_images().images, strict=True):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            top, left = 50 * (number // 4), 100 * (number % 4)
            Image.fromarray(photo[top : top + 300, left : left + 300]).save(
                tmp_path / "photos" / name / f"{number}.png"
            )
    flags = ["--epochs", "1", "--threads", "1", "--device", "cpu", "--val-fraction", "0.25", "--test-fraction", "0.25"]
    out = tmp_path / "run"
    words = ["train", str(tmp_path / "photos"), "--config", str(PRESETS / "alexnet.toml"), *flags, "--out", str(out)]
    assert main([*words, "--quiet"]) == 0
    run = pellucid.Run(out)
    assert run.config.model.model == "alexnet_notes_groups2" and run.trained.facts.preprocess.size == (227, 227)
    assert len(run.history) == 1 and 0 < run.history[0]["train_loss"] < 2
