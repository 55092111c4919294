"""`--batch auto` and `--accumulate` on whole runs."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import QUICK, Tiny

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.core.progress import Quiet
from pellucid.data.load import load
from pellucid.models.classify import MODELS
from pellucid.runs.setup.batch import settle_batch
from pellucid.runs.setup.config import make_config
from pellucid.tasks import get_task
from pellucid.tasks.classify.config import ClassifyConfig

FILES = ("config.toml", "model.safetensors", "metrics.jsonl", "split.json")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "convnet", Tiny)


class Heard(Quiet):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_the_number_is_settled_and_the_run_is_that_of_the_number(photos: Path, tmp_path: Path) -> None:
    measured = pellucid.train(photos, out=tmp_path / "a", progress="quiet", **{**QUICK, "batch": "auto"})
    n = measured.config.train.batch
    assert n == 1  # 24 training pictures in 16 steps an epoch leave one picture a step
    stated = pellucid.train(photos, out=tmp_path / "b", progress="quiet", **{**QUICK, "batch": n})
    for name in FILES:
        assert (measured.folder / name).read_bytes() == (stated.folder / name).read_bytes()


def test_what_was_measured_is_said_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.runs.setup.batch.STEPS_AN_EPOCH", 1)
    task, cfg = get_task("classify"), make_config(ClassifyConfig, {}, {**QUICK, "batch": "auto", "val_fraction": 0.1})
    splits = task.make_data(cfg, load("digits"), None)
    cfg = task.resolve(cfg, splits.facts)
    torch.manual_seed(5)
    before, heard, ticks = torch.get_rng_state(), Heard(), count()
    settled = settle_batch(task, cfg, splits, torch.device("cpu"), heard, clock=lambda: float(next(ticks)))
    # by this clock every step takes 1 s, so a batch twice as large is twice as fast, to the end
    assert settled.train.batch == 1024
    (said,) = heard.said
    assert said.startswith("--batch auto: batch 8: 8 pictures/s; batch 16: 16 pictures/s; ")
    assert said.endswith("batch 1024: 1,024 pictures/s. Takes 1024.")
    assert torch.equal(torch.get_rng_state(), before)
    assert settle_batch(task, settled, splits, torch.device("cpu"), heard) is settled


def test_accumulated_runs_resume_and_say_what_differs(photos: Path, tmp_path: Path) -> None:
    run = pellucid.train(photos, out=tmp_path / "run", progress="quiet", accumulate=4, **QUICK)
    (verdict,) = [each for each in run.verdicts if each.rule == "batch-in-parts"]
    assert verdict.status == "info"
    assert verdict.evidence.endswith("in 4 parts of 2 but for this: the batch norm sees 2 pictures at a time")
    with pytest.raises(ConfigError, match="accumulate 4 -> 2"):
        pellucid.train(resume=run.folder, accumulate=2, progress="quiet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": "ten"}, "batch must be int or 'auto', got 'ten' (str)."),
        ({"batch": 2.5}, "batch must be int or 'auto', got 2.5 (float)."),
        ({"batch": -1}, "batch must be auto, 0 (the usual) or positive, got -1."),
        ({"accumulate": 0}, "accumulate must be 1 or more, got 0."),
        (
            {"batch": "auto", "model": "knn"},
            "--batch means nothing for model knn, which is fitted in one go, not trained by steps. Leave it out.",
        ),
        (
            {"accumulate": 2, "model": "svm"},
            "--accumulate means nothing for model svm, which is fitted in one go, not trained by steps. Leave it out.",
        ),
    ],
)
def test_wrong_batches_are_refused(photos: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        pellucid.train(photos, progress="quiet", **settings)
    assert str(caught.value) == message


def test_a_wrong_batch_on_the_command_line(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pellucid.cli.main import main

    assert main(["train", str(photos), "--batch", "ten"]) == 2
    assert capsys.readouterr().err == "pellucid: --batch needs a whole number or auto, got 'ten'.\n"
