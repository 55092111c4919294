"""`predict` takes whatever can be called a picture and says the same of the same pixels."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import QUICK, make_photos, make_scenes

import pellucid
from pellucid.core.errors import DataError, ImageError
from pellucid.core.task import TOGETHER
from pellucid.data.source import Problem
from pellucid.models.classify import MODELS
from pellucid.runs.predict import expand, predict_each, save_result
from pellucid.runs.run import Run


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenes = make_scenes(tmp_path_factory.mktemp("data") / "scenes")
    folder = tmp_path_factory.mktemp("runs") / "segmenter"
    settings = {"epochs": 1, "batch": 4, "threads": 1, "precision": "fp32", "device": "cpu"}
    return pellucid.train(scenes, out=folder, progress="quiet", **settings).folder


def test_kinds_of_pictures_agree(finished: Path, photos: Path) -> None:
    path = photos / "red" / "0.png"
    array = np.asarray(Image.open(path))
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1)  # (C, H, W)
    kinds = [path, str(path), Image.open(path), array, tensor]
    run = Run(finished)
    results = run.predict(*kinds)
    assert [result.name for result in results] == [str(path), str(path), "picture 3", "picture 4", "picture 5"]
    assert len({result.top for result in results}) == 1
    for kind in kinds:  # alone, in a list, and among others
        assert run.predict(kind)[0].top == results[0].top
    assert [result.top for result in run.predict(kinds)] == [result.top for result in results]
    probabilities = [p for _, p in results[0].top]
    assert sum(probabilities) == pytest.approx(1)
    assert probabilities == sorted(probabilities, reverse=True)
    assert results[0].label == results[0].top[0][0]


def test_batches_equal_singles(finished: Path, photos: Path) -> None:
    run = Run(finished)
    paths = expand([photos])
    paths = [*paths, *paths[: TOGETHER + 3 - len(paths)]] if len(paths) <= TOGETHER else paths
    assert len(paths) > TOGETHER
    together = [dict(result.top) for result in run.predict(*paths)]
    alone = [dict(run.predict(path)[0].top) for path in paths]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-6)


def test_folders_and_globs_are_their_files_sorted(finished: Path, photos: Path, tmp_path: Path) -> None:
    names = [str(photos / "red" / f"{k}.png") for k in range(10)]
    run = Run(finished)
    assert [result.name for result in run.predict(photos / "red")] == names
    assert [result.name for result in run.predict(str(photos / "red" / "*.png"))] == names
    assert [result.name for result in run.predict(str(photos / "**" / "3.png"))] == [
        str(photos / colour / "3.png") for colour in ("blue", "green", "red")
    ]
    assert len(run.predict(str(photos / "*"))) == 30  # a glob that matches folders
    odd = tmp_path / "a[1].png"
    Image.open(names[0]).save(odd)
    (tmp_path / ".hidden.png").write_bytes(b"not shown")
    (tmp_path / "notes.txt").write_text("no picture")
    assert [result.name for result in run.predict(odd)] == [str(odd)]  # a name, though it looks like a pattern
    assert [result.name for result in run.predict(tmp_path)] == [str(odd)]


def test_what_is_no_picture(finished: Path, photos: Path, tmp_path: Path) -> None:
    run = Run(finished)
    with pytest.raises(ImageError, match=r"No picture gone\.png: there is no such file, and it matches none\."):
        run.predict("gone.png")
    with pytest.raises(ImageError, match=r"No picture gone-\*\.png"):
        run.predict("gone-*.png")
    with pytest.raises(DataError, match=r"Folder .* holds no pictures \(\.bmp, .*\.webp\)\."):
        run.predict(tmp_path)
    with pytest.raises(
        DataError, match="Nothing to predict: give files, folders, globs, PIL images, arrays or tensors"
    ):
        run.predict()
    with pytest.raises(DataError, match="Nothing to predict"):
        run.predict([])
    (tmp_path / "text.jpg").write_text("I am no picture")
    with pytest.raises(ImageError, match=r"text\.jpg"):
        run.predict(photos / "red" / "0.png", tmp_path / "text.jpg")


def test_bad_pictures_can_be_passed_over(finished: Path, photos: Path, tmp_path: Path) -> None:
    """The others keep their places and their results."""
    good = expand([photos])
    bad = []
    for number, content in enumerate((b"", b"text", good[0].read_bytes()[:60])):
        bad.append(tmp_path / f"{number}.png")
        bad[-1].write_bytes(content)
    pictures = [bad[0], *good[:3], bad[1], *good[3:], bad[2]]
    problems: list[Problem] = []
    found = list(predict_each(Run(finished).trained, pictures, problems))
    assert [problem.record for problem in problems] == [str(path) for path in bad]
    assert [problem.kind for problem in problems] == ["empty", "not-an-image", "damaged"]
    assert [(pictures[place], picture) for place, picture, _ in found] == [(path, path) for path in good]
    expected = [dict(result.top) for result in Run(finished).predict(*good)]
    for (_, _, result), top in zip(found, expected, strict=True):
        assert dict(result.top) == pytest.approx(top, abs=1e-6)


# one of each kind; the others are tried with the slow tests, on pictures that are large enough for all
KINDS = ("linear", "mlp", "convnet", "all_conv", "vgg11", "googlenet", "resnet18", "densenet121", "squeezenet1_1")
KINDS += ("mobilenet_v3_small", "shufflenet_v2_x0_5", "efficientnet_lite0", "vit_small", "row_rnn", "glimpse_rnn")


@pytest.mark.parametrize(
    "name", [*KINDS, *(pytest.param(name, marks=pytest.mark.slow) for name in sorted(MODELS.keys() - set(KINDS)))]
)
def test_every_classifier_trains_and_predicts_by_the_same_pair(name: str, tmp_path: Path) -> None:
    """One pair of calls, whatever the network: `train(data, model=...)`, `run.predict(pictures)`."""
    photos = make_photos(tmp_path / "photos", n=6)
    size = QUICK["image_size"] if name in KINDS else "96"
    run = pellucid.train(
        photos, out="run", progress="quiet", **{**QUICK, "model": name, "epochs": 1, "image_size": size}
    )
    pictures = [photos / "red" / "0.png", photos / "blue" / "0.png"]
    results = run.predict(pictures)
    assert [set(dict(result.top)) for result in results] == [{"blue", "green", "red"}] * 2
    assert Run("run/model.safetensors").predict(pictures) == results
    assert not [verdict for verdict in run.verify() if verdict.status == "fail"]


def test_colours_are_learnt(photos: Path) -> None:
    """Not only does it run: ten epochs tell the colours of the test split apart."""
    run = pellucid.train(photos, out="run", progress="quiet", **{**QUICK, "epochs": 10, "lr": 0.01})
    assert run.evaluate()["accuracy"] == 1.0
    assert [result.label for result in run.predict(photos / "red" / "0.png", photos / "green" / "5.png")] == [
        "red",
        "green",
    ]


def test_masks_have_the_size_of_the_picture(segmenter: Path, tmp_path: Path) -> None:
    run = Run(segmenter)
    for height, width in ((20, 24), (7, 50), (90, 31)):
        (result,) = run.predict(np.zeros((height, width, 3), np.uint8))
        assert result.mask.shape == (height, width)
        assert set(np.unique(result.mask)) <= {0, 1}  # "pad" shows the whole picture
        assert sum(result.shares.values()) == pytest.approx(1)


def test_saved_drawings_and_masks(finished: Path, segmenter: Path, photos: Path, tmp_path: Path) -> None:
    picture = photos / "red" / "0.png"
    trained = Run(finished).trained
    (result,) = Run(finished).predict(picture)
    assert save_result(trained, picture, result, tmp_path / "out", 0) == [tmp_path / "out" / "0000-0.png"]
    run = Run(segmenter)
    image = Image.fromarray(np.full((20, 24, 3), 90, np.uint8))
    (result,) = run.predict(image)
    drawing, mask, classes = save_result(run.trained, image, result, tmp_path / "out", 7)
    assert [drawing.name, mask.name] == ["0007-picture.png", "0007-picture-mask.png"]
    assert classes == tmp_path / "out" / "classes.txt" and classes.read_text() == "class 0\nclass 1\n"
    with Image.open(mask) as written:
        assert np.array_equal(np.asarray(written), result.mask)  # class numbers, as a training mask has them


def test_names_that_are_no_text(finished: Path, photos: Path, tmp_path: Path) -> None:
    """Names from another system, in bytes that are no UTF-8."""
    odd = tmp_path / os.fsdecode(b"caf\xe9.png")
    odd.write_bytes((photos / "red" / "0.png").read_bytes())
    (result,) = Run(finished).predict(odd)
    assert result.name == str(odd)
