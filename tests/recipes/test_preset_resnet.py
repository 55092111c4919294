"""ResNet's preset is the paper's recipe, and the policy that is shipped is one."""

from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.core import config as settings
from pellucid.data.prepare import CROP_MARGIN
from pellucid.data.transforms import Flip, PcaColour, ScaleCrop, build
from pellucid.runs.setup.config import make_config, read_file
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.training.schedule import Schedule

RECIPES = Path(__file__).parents[2] / "recipes"


def preset() -> ClassifyConfig:
    return make_config(ClassifyConfig, read_file(RECIPES / "presets" / "resnet.toml"), {}, "resnet.toml")


def test_the_recipe_has_every_element() -> None:
    """Section 3.4: momentum 0.9, decay 0.0001, 256 pictures, rate 0.1; L from 256 to 480, 224 px, mirror, colour."""
    cfg = preset()
    assert (cfg.optim.optimiser, cfg.optim.momentum, cfg.optim.nesterov) == ("sgd", 0.9, False)
    assert (cfg.optim.weight_decay, cfg.optim.lr, cfg.train.batch) == (1e-4, 0.1, 256)
    assert (cfg.schedule.schedule, cfg.schedule.gamma, cfg.schedule.warmup_epochs) == ("plateau", 0.1, 0.0)
    assert (cfg.data.image_size, cfg.data.preprocess) == ("224", "mean-image")
    canvas = round(224 * CROP_MARGIN)
    steps = build(cfg.augment, (224, 224), (canvas, canvas), train=True)
    assert steps is not None
    assert steps.steps == (ScaleCrop((224, 224), (256, 480)), Flip(0.5), PcaColour(0.1))


def test_the_rate_falls_by_ten_when_validation_stalls() -> None:
    cfg = preset()
    schedule = Schedule(cfg.schedule, cfg.optim.lr, cfg.train.epochs, steps_per_epoch=1)
    rates = []
    for epoch in range(9):
        rates.append(schedule.lr(epoch))
        schedule.epoch_end(0.5)
    assert rates[0] == 0.1 and rates[-1] == pytest.approx(0.01)


def test_the_preset_trains(tmp_path: Path) -> None:
    """Its settings together, with a small network, on small pictures and so with shorter sides."""
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 3), dtype=np.uint8)
    run = pellucid.train(
        (images, np.arange(40) % 2),
        config=RECIPES / "presets" / "resnet.toml",
        model="convnet",
        image_size="28",
        short_side=(32, 60),
        epochs=1,
        threads=1,
        device="cpu",
        out=tmp_path / "run",
        progress="quiet",
    )
    assert run.config.augment.short_side == (32, 60) and len(run.history) == 1


def test_the_shipped_policy_is_one() -> None:
    path = RECIPES / "policies" / "photographs.toml"
    cfg = settings.change(ClassifyConfig(), {"policy": str(path)})
    steps = build(cfg.augment, (224, 224), (256, 256), train=True)
    assert steps is not None
    names = [type(step).__name__ for step in steps.steps]
    assert names == ["RandomCrop", "Flip", "Sometimes", "Sometimes", "Sometimes", "Sometimes", "Erase", "CutMix"]
