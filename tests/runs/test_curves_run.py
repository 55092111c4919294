"""The curve doctor at the end of a run: in doctor.json, on the page, and when the run is checked again."""

from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.cli.main import main
from pellucid.core.files import read_json

SETTINGS = {"model": "mlp", "batch": 16, "threads": 1, "device": "cpu", "precision": "fp32", "augment": False}


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on labels that were drawn at random."""
    rng = np.random.default_rng(0)
    data = {"images": rng.integers(0, 256, (240, 8, 8), dtype=np.uint8), "labels": np.arange(240) % 4}
    folder = tmp_path_factory.mktemp("noise") / "run"
    pellucid.train(data, out=folder, progress="quiet", epochs=25, lr=2e-3, schedule="constant", **SETTINGS)
    return folder


def test_unrelated_labels_are_told_at_the_end_and_in_the_report(noise: Path) -> None:
    (found,) = [each for each in read_json(noise / "doctor.json") if each["rule"] == "labels-unrelated"]
    assert found["status"] == "fail"
    assert "a model that knows nothing has 1.39" in found["evidence"]  # ln 4
    assert "labels-unrelated" in (noise / "report.html").read_text(encoding="utf-8")


def test_checking_the_run_repeats_it(noise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(noise)]) == 1
    said = capsys.readouterr().out
    assert said.count("FAIL  labels-unrelated") == 1
    assert "Next:" not in said  # no rate helps here


def sound() -> dict[str, np.ndarray]:
    """Four brightnesses."""
    rng = np.random.default_rng(1)
    labels = np.arange(160) % 4
    images = (60 * labels[:, None, None] + rng.integers(0, 40, (160, 8, 8))).astype(np.uint8)
    return {"images": images, "labels": labels}


def test_a_rate_that_is_too_low_leads_to_the_next_ranges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The monitor, which looks into the network, has said so already; the curve then only adds a note."""
    run = pellucid.train(sound(), out=tmp_path / "run", progress="quiet", epochs=15, lr=1e-6, **SETTINGS)
    found = {verdict.rule: verdict for verdict in run.verdicts}
    assert found["update-ratio"].status == "warn"
    assert found["curve-rate-too-low"].status == "info"
    main(["check", str(tmp_path / "run")])
    assert "Next: rates from 3e-06 to 0.0001, weight decay from" in capsys.readouterr().out


def test_a_short_sound_run_raises_nothing(tmp_path: Path) -> None:
    run = pellucid.train(sound(), out=tmp_path / "run", progress="quiet", epochs=3, **SETTINGS)
    assert [verdict for verdict in run.verdicts if verdict.rule.startswith(("curve-", "labels-"))] == []
