"""A run whose data are broken on purpose: evaluating says why its number is near zero."""

from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.core.progress import Quiet
from pellucid.runs.evaluate import evaluate_run
from pellucid.runs.run import Run

SETTINGS = {"model": "linear", "epochs": 12, "batch": 16, "threads": 1, "device": "cpu", "precision": "fp32"}


def colours(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 8, 8, 3) pictures of four brightnesses, and which it is."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    pixels = (labels * 60 + 30)[:, None, None, None] + rng.integers(-20, 21, (n, 8, 8, 3))
    return pixels.clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    images, labels = colours(160, 0)
    folder = tmp_path_factory.mktemp("runs") / "run"
    data = {"images": images, "labels": labels, "classes": list("abcd")}
    return pellucid.train(data, out=folder, progress="quiet", lr=0.1, **SETTINGS)


def rules(run: Run, images: np.ndarray, labels: np.ndarray) -> list[str]:
    data = {"images": images, "labels": labels, "classes": list("abcd")}
    return [verdict.rule for verdict in evaluate_run(run, data, None, Quiet()).verdicts]


def test_nothing_is_said_of_good_answers(run: Run) -> None:
    assert rules(run, *colours(80, 1)) == []


def test_labels_counted_from_one_are_named(run: Run) -> None:
    images, labels = colours(80, 2)
    assert rules(run, images[labels < 3], labels[labels < 3] + 1) == ["zero-metric-label-offset"]


def test_another_order_of_classes_is_named(run: Run) -> None:
    images, labels = colours(80, 3)
    assert rules(run, images, np.array([2, 3, 1, 0])[labels]) == ["zero-metric-class-map"]


def test_pictures_of_zero_to_one_are_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = colours(80, 4)
    assert rules(run, (images / 255).astype(np.uint8), labels) == ["zero-metric-preprocessing"]


def test_evaluate_and_the_report_say_so(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = colours(80, 5)
    np.savez(tmp_path / "other.npz", images=images, labels=(3 - labels), classes=np.array(list("abcd")))
    from pellucid.cli.main import main

    assert main(["evaluate", str(run.folder), str(tmp_path / "other.npz"), "--device", "cpu"]) == 0
    assert "FAIL zero-metric-class-map" in capsys.readouterr().err
