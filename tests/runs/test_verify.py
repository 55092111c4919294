"""`verify` passes on an untouched run and fails on each thing that can change its answers."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import QUICK, arrays

import pellucid
from pellucid.core.errors import RunError, WeightsError
from pellucid.data.images import read_size
from pellucid.models.weights import read_weights, write_weights
from pellucid.runs.run import Run

RULES = ["verify-weights", "verify-classes", "verify-preprocessing", "verify-examples", "verify-outputs"]


def failed(folder: Path) -> list[str]:
    return [verdict.rule for verdict in Run(folder).verify() if verdict.status == "fail"]


def test_an_untouched_run_passes(finished: Path) -> None:
    verdicts = Run(finished).verify()
    assert [(verdict.rule, verdict.status) for verdict in verdicts] == [(rule, "pass") for rule in RULES]
    assert verdicts[-1].evidence.endswith("largest difference 0.0e+00 of the largest output")


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor], dict[str, Any]], None]) -> None:
    """Change tensors and what is said of them, and write the file anew with a correct checksum."""
    path = folder / "model.safetensors"
    stored = read_weights(path)
    change(stored.tensors, stored.about)
    write_weights(path, stored.tensors, stored.about)


def test_one_changed_weight_fails(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    rewrite(folder, lambda tensors, about: tensors["head.weight"][0, 0].mul_(1.0001))
    assert failed(folder) == ["verify-weights"]  # too small a change for the outputs to tell
    rewrite(folder, lambda tensors, about: tensors["head.weight"][0, 0].add_(5))
    assert failed(folder) == ["verify-weights", "verify-outputs"]


def test_not_a_number_in_the_outputs_fails(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    rewrite(folder, lambda tensors, about: tensors["head.weight"][0, 0].fill_(float("nan")))
    assert "verify-outputs" in failed(folder)


def test_changed_order_of_classes_fails(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    rewrite(folder, lambda tensors, about: about["facts"]["classes"].reverse())
    assert failed(folder) == ["verify-classes"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("scale", lambda values: [value * 1.5 for value in values]),
        ("shift", lambda values: [value + 30 for value in values]),
        ("fit", lambda fit: "stretch"),
    ],
)
def test_changed_preprocessing_fails(run_copy: Callable[[str], Path], name: str, change: Callable[[Any], Any]) -> None:
    folder = run_copy("run")

    def edit(tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> None:
        about["facts"]["preprocess"][name] = change(about["facts"]["preprocess"][name])

    rewrite(folder, edit)
    assert failed(folder) == ["verify-preprocessing", "verify-outputs"]


def test_changed_mean_image_fails() -> None:
    settings = {**QUICK, "image_size": "auto", "model": "linear", "preprocess": "mean-image"}
    folder = pellucid.train(arrays(), out="run", progress="quiet", **settings).folder
    assert failed(folder) == []

    def edit(tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> None:
        text = about["facts"]["preprocess"]["mean_image"]
        about["facts"]["preprocess"]["mean_image"] = text[:8] + text[9:16] + text[8] + text[16:]

    rewrite(folder, edit)
    assert "verify-preprocessing" in failed(folder)


def test_changed_missing_and_damaged_examples_fail(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    first, second = (folder / "examples" / name for name in ("000.png", "001.png"))
    pixels = np.asarray(Image.open(first)).copy()
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(first)
    (verdict,) = [each for each in Run(folder).verify() if each.status == "fail"]
    assert verdict.rule == "verify-examples"
    assert verdict.evidence == "of 6 stored pictures 1 changed (000.png)"
    second.unlink()
    (verdict,) = [each for each in Run(folder).verify() if each.status == "fail"]
    assert verdict.evidence == "of 6 stored pictures 1 missing (001.png) and 1 changed (000.png)"
    shutil.copy(folder / "examples" / "003.png", second)
    first.write_bytes(first.read_bytes()[:50])
    assert failed(folder) == ["verify-examples"]


def test_damaged_weights_and_outputs_are_refused(run_copy: Callable[[str], Path]) -> None:
    for name in ("model.safetensors", "examples/outputs.safetensors"):
        for keep, said in ((200, "is no intact safetensors file"), (-1, "its checksum does not match")):
            folder = run_copy(f"{name[0]}{keep}")
            content = bytearray((folder / name).read_bytes())
            if keep > 0:
                content = content[:keep]
            else:
                content[-2] ^= 1
            (folder / name).write_bytes(content)
            with pytest.raises(WeightsError, match=f"{name}.* {said}"):
                Run(folder).verify()


def test_outputs_of_something_else_are_refused(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    shutil.copy(folder / "model.safetensors", folder / "examples" / "outputs.safetensors")
    with pytest.raises(WeightsError, match="does not hold what verify stores"):
        Run(folder).verify()


def test_without_examples_there_is_nothing_to_verify(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    shutil.rmtree(folder / "examples")
    with pytest.raises(RunError, match="has no stored examples: its training did not finish. Go on with --resume"):
        Run(folder).verify()


def test_weights_of_another_run_fail(run_copy: Callable[[str], Path], photos: Path) -> None:
    folder = run_copy("run")
    pellucid.train(photos, out="other", progress="quiet", **{**QUICK, "seed": 1})
    shutil.copy("other/model.safetensors", folder / "model.safetensors")
    assert "verify-weights" in failed(folder)


def test_large_photographs_are_stored_small(tmp_path: Path) -> None:
    """Eight photographs as PNG would outweigh all else; what is kept still has to be brought to the input's size."""
    for name, colour in (("dark", 40), ("light", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 40, (300, 400, 3)) + colour
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{number}.jpg")
    run = pellucid.train(tmp_path / "photos", out="run", progress="quiet", **{**QUICK, "epochs": 1})
    sizes = {read_size(path) for path in Path("run/examples").glob("*.png")}
    assert sizes == {(24, 32)}  # twice the canvas of 16
    assert failed(run.folder) == []
