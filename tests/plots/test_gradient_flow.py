"""Lengths of gradients, drawn."""

import xml.etree.ElementTree as ET

from pellucid.plots.gradient_flow import gradient_flow

NS = "{http://www.w3.org/2000/svg}"


def words(drawing: str) -> set[str]:
    return {element.text for element in ET.fromstring(drawing).iter(f"{NS}text")}


def test_one_curve_a_layer_and_epochs_from_one():
    drawing = gradient_flow({"W1": [1e-4, 1e-3, 1e-2], "W2": [1.0, 0.5, 0.1]})
    assert {"Gradient flow", "W1", "W2", "epoch →", "↑ length of the gradient", "1", "3"} <= words(drawing)
    assert len(list(ET.fromstring(drawing).iter(f"{NS}path"))) == 2
    assert "W1 goes from 0.0001 to 0.01" in ET.fromstring(drawing).get("aria-label")


def test_of_many_layers_the_first_the_last_and_some_between_are_drawn():
    drawing = gradient_flow({f"W{k}": [2.0**-k, 2.0**-k] for k in range(1, 21)}, "Deep")
    shown = {word for word in words(drawing) if word.startswith("W")}
    assert len(shown) == 6 and {"W1", "W20"} <= shown


def test_a_gradient_of_zero_is_said():
    assert "W1 (0 in 2 of 3)" in words(gradient_flow({"W1": [0.0, 0.0, 1.0], "W2": [1.0, 1.0, 1.0]}))


def test_nothing_is_said_to_be_nothing():
    assert "nothing was recorded" in words(gradient_flow({}))
