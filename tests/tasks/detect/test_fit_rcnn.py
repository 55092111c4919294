"""R-CNN fitted to squares of two colours, from a classifier's weights."""

from pathlib import Path

import numpy as np
import pytest

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.data.objects import Objects
from pellucid.data.source import Source

N, SIDE = 14, 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))


def squares(detect: bool) -> Source:
    """One red or green square on grey in each picture, another time none."""
    random = np.random.default_rng(0)
    images = np.full((N, SIDE, SIDE, 3), 128, dtype=np.uint8)
    things, labels = [], []
    for row in range(N):
        k, left, top = row % 2, int(random.integers(0, 20)), int(random.integers(0, 20))
        side = int(random.integers(12, 19))
        images[row, top : top + side, left : left + side] = (230, 20, 20) if k == 0 else (20, 200, 20)
        things.append(Objects(np.array([[left, top, left + side, top + side]]), np.array([k])))
        labels.append(k)
    images[-1], things[-1] = 128, Objects.empty()
    return Source(
        "squares",
        images,
        [str(row) for row in range(N)],
        ("red", "green"),
        labels=None if detect else np.array(labels),
        objects=things if detect else None,
        roles=np.array(["train"] * (N - 4) + ["val"] * 4),
    )


def test_machines_on_borrowed_features_find_squares(tmp_path: Path) -> None:
    common = {"allow_leaks": True, "threads": 1}
    pellucid.train(
        squares(False), model="convnet", image_size="40", epochs=1, batch=4, augment=False, out=tmp_path / "c", **common
    )
    run = pellucid.train(
        squares(True), model="rcnn", weights=str(tmp_path / "c"), image_size="40", out=tmp_path / "r", **common
    )
    source = squares(True)
    assert source.objects is not None
    right = 0
    for result, true in zip(run.predict(list(source.images), conf=0.4, top=1), source.objects, strict=True):
        if len(true) == len(result.labels) == 1:
            off = np.abs(np.asarray(result.boxes_xyxy)[0] - true.boxes_xyxy[0]).max()
            right += int(result.labels[0] == true.labels[0] and off < 6)
    assert right >= 11  # of 13
    assert "machines" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")


def test_features_of_nobody_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--weights imagenet"):
        pellucid.train(squares(True), model="rcnn", image_size="40", out=tmp_path / "r", allow_leaks=True)
