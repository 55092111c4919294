"""Presets are what they say."""

from pathlib import Path

import pellucid
from pellucid.data.transforms import Flip, PcaColour, Window, build
from pellucid.runs.setup.config import make_config, read_file
from pellucid.tasks.classify.config import ClassifyConfig

PRESETS = Path(__file__).parents[2] / "recipes" / "presets"


def test_alexnets_recipe_has_every_element() -> None:
    """Numbers of the paper's section 5: momentum 0.9, decay 0.0005, 128 pictures, 0.01, a tenth when it stalls."""
    cfg = make_config(ClassifyConfig, read_file(PRESETS / "alexnet.toml"), {}, "alexnet.toml")
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
