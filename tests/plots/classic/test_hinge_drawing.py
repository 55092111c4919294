"""Loss against the score of the right class: slopes, corner, drawing."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError
from pellucid.plots.classic.hinge import hinge, hinge_losses

NS = "{http://www.w3.org/2000/svg}"


def test_slope_is_minus_one_and_then_zero_at_the_margin() -> None:
    scores = np.linspace(-4, 4, 81)
    svm = hinge_losses(scores)["SVM"]
    slopes = np.diff(svm) / 0.1
    np.testing.assert_allclose(slopes[scores[1:] < 1.05], -1, atol=1e-9)
    np.testing.assert_allclose(slopes[scores[:-1] > 0.95], 0, atol=1e-12)
    assert svm[scores >= 1].max() < 1e-12


def test_the_margin_moves_the_corner_and_more_classes_make_it_steeper() -> None:
    np.testing.assert_allclose(hinge_losses(np.array([2.0, 2.5, 3.0]), delta=3)["SVM"], [1, 0.5, 0])
    np.testing.assert_allclose(hinge_losses(np.array([-1.0, 0.0]), others=(0, 0, 0))["SVM"], [6, 3])


def test_losses_are_those_of_torch() -> None:
    scores, others = np.linspace(-3, 5, 9), (0.5, -1.0)
    x = torch.tensor([[s, *others] for s in scores], dtype=torch.float64)
    y = torch.zeros(len(x), dtype=torch.long)
    found = hinge_losses(scores, others)
    entropy = torch.nn.functional.cross_entropy(x, y, reduction="none").numpy()
    np.testing.assert_allclose(found["softmax"], entropy, rtol=1e-10)
    margin = torch.nn.functional.multi_margin_loss(x, y, reduction="none").numpy() * 3  # torch divides by the classes
    np.testing.assert_allclose(found["SVM"], margin, atol=1e-12)


def test_the_drawing_has_both_curves_and_a_guide_at_the_margin() -> None:
    root = ET.fromstring(hinge(others=(0.0, 1.0), delta=2.0))
    words = {e.text for e in root.iter(f"{NS}text")}
    assert {"SVM, margin 2", "softmax", "margin kept from 3 on", "score of the right class →", "↑ loss"} <= words
    assert len(list(root.iter(f"{NS}path"))) == 2
    assert "falls to 0 at 3" in root.get("aria-label")


def test_the_corner_is_drawn_as_a_corner() -> None:
    root = ET.fromstring(hinge())
    (guide,) = (e for e in root.iter(f"{NS}line") if e.get("class") == "guide")
    svm = next(root.iter(f"{NS}path")).get("d").removeprefix("M").split("L")
    x, y = np.array([[float(part) for part in corner.split(",")] for corner in svm]).T
    flat = y == y.max()
    assert x[flat].min() == float(guide.get("x1"))


def test_wrong_settings() -> None:
    with pytest.raises(ConfigError, match="others must be the score of at least one wrong class"):
        hinge(others=())
    with pytest.raises(ConfigError, match="others must be the score of at least one wrong class"):
        hinge_losses(np.zeros(1), ())
    with pytest.raises(ConfigError, match="reach must be above 0, got 0"):
        hinge(reach=0)
