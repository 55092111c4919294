"""The package from Python: data of every kind, words that are wrong, results that show themselves."""

import html
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from small_runs import QUICK, arrays, make_scenes, outcome

import pellucid
from pellucid.core.errors import ConfigError, DataError, PellucidError
from pellucid.data.source import Card, Problem, Source
from pellucid.runs.run import Run

ARRAYS = {**QUICK, "image_size": "auto", "model": "linear"}


def test_arrays_of_every_form_train_alike() -> None:
    images, labels = arrays()
    forms = {
        "tuple": (images, labels),
        "dict": {"images": images, "labels": labels},
        "channel": (images[..., None], labels),
        "loaded": pellucid.load((images, labels)),
    }
    for name, data in forms.items():
        run = pellucid.train(data, out=name, progress="quiet", **ARRAYS)
        assert run.facts.preprocess.channels == 1
        assert run.facts.preprocess.size == (8, 8)
    first, *others = (outcome(Path(name)) for name in forms)
    assert all(other == first for other in others)


def test_a_source_of_ones_own() -> None:
    images, labels = arrays()
    names = [f"picture-{k}" for k in range(len(images))]
    source = Source("mine", images, names, ("dark", "bright"), labels=labels, card=Card("My pictures"))
    run = pellucid.train(source, progress="quiet", **ARRAYS)
    assert run.folder == Path("runs/mine-linear")
    assert run.facts.classes == ("dark", "bright")
    assert set(run.predict(np.full((8, 8), 200, np.uint8))[0].top[0][0].split()) <= {"dark", "bright"}


def test_the_task_follows_from_the_data(tmp_path: Path) -> None:
    scenes = make_scenes(tmp_path / "scenes")
    run = pellucid.train(scenes, out="run", progress="quiet", epochs=1, threads=1, batch=4)
    assert run.story.task == "segment"
    assert run.evaluate().keys() >= {"miou", "pixel_accuracy"}


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"lerning_rate": 1}, "Unknown setting 'lerning_rate'."),
        ({"epoch": 1}, "Unknown setting 'epoch'. Did you mean 'epochs'"),
        ({"epochs": "3"}, "epochs must be int, got '3' (str)."),
        ({"epochs": 0}, "epochs must be 1 or more, got 0."),
        ({"lr": -1.0}, "lr must be 0 (automatic) or positive, got -1.0."),
        ({"fit": "cut"}, "Unknown value of fit 'cut'."),
        ({"model": "resnt18"}, "Unknown model of classify 'resnt18'. Did you mean 'resnet18' or 'se_resnet18'?"),
        ({"metric": "acc"}, "Unknown metric of classify 'acc'."),
        ({"optimiser": "adamw2"}, "Unknown optimiser 'adamw2'. Did you mean 'adamw'"),
        ({"task": "clasify"}, "Unknown task 'clasify'. Did you mean 'classify'?"),
        (
            {"task": "segment", "model": "fcn_small"},
            "arrays has no masks, so nothing can be segmented. It fits --task classify.",
        ),
        ({"config": "gone.toml"}, "No config file gone.toml. Every run folder holds one: config.toml."),
        ({"group": "folder"}, "arrays: Unknown array for group 'folder'. Choose from: images, labels."),
        ({"strict": "yes"}, "group is text and strict is true or false, got '' and 'yes'."),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(keywords: dict[str, object], said: str) -> None:
    with pytest.raises(PellucidError) as refused:
        pellucid.train(arrays(), progress="quiet", **{**ARRAYS, **keywords})
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
    assert not Path("runs").exists()


def test_without_data() -> None:
    with pytest.raises(ConfigError, match="train needs data: a folder, a file, the name of a known set, or arrays"):
        pellucid.train()
    with pytest.raises(DataError, match=r"Data is a folder, .* or a dict of arrays, got 7\."):
        pellucid.train(7)


def test_config_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nepochs = 1\nbatch = 4\n[optim]\nlr = 0.02\n")
    words = {"model": "linear", "threads": 1, "precision": "fp32", "device": "cpu"}
    run = pellucid.train(arrays(), out="run", config=file, batch=6, progress="quiet", **words)  # keywords win
    assert (run.config.train.epochs, run.config.train.batch, run.config.optim.lr) == (1, 6, 0.02)
    for text, said in (
        ("[train\n", r"mine\.toml is no valid TOML: .*line 1"),
        ("[trian]\nepochs = 1\n", r"mine\.toml: Unknown section 'trian'\. Did you mean 'train'"),
        ("[train]\nepoch = 1\n", r"mine\.toml: Unknown setting in \[train\] 'epoch'\. Did you mean 'epochs'"),
        ("[train]\nepochs = 'many'\n", r"mine\.toml: epochs must be int, got 'many'"),
        ("train = 3\n", r"mine\.toml: train must be a table of settings, got 3"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=said):
            pellucid.train(arrays(), config=file, progress="quiet")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PellucidError, match=r"mine\.toml is damaged: it is no text"):
        pellucid.train(arrays(), config=file, progress="quiet")


def test_group_and_strict_of_a_config_file_reach_the_reader(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[data]\ngroup = "owner"\n')
    with pytest.raises(ConfigError, match="got 'owner'; other groups need a CSV"):
        pellucid.train(photos, config=file, progress="quiet")
    file.write_text("[data]\nstrict = true\n")
    broken = tmp_path / "broken"
    (broken / "a").mkdir(parents=True)
    (broken / "a" / "notes.txt").write_text("no picture")
    for name in ("a", "b"):
        (broken / name).mkdir(exist_ok=True)
        for number in range(3):
            (broken / name / f"{number}.png").write_bytes((photos / "red" / f"{number}.png").read_bytes())
    with pytest.raises(DataError, match="strict, and 1 things had to be left out"):
        pellucid.train(broken, config=file, progress="quiet")


def test_settings_that_contradict_the_device() -> None:
    with pytest.raises(
        PellucidError, match=r"Device 'cuda:77' is not there \(.*\)\. Use --device auto or --device cpu"
    ):
        pellucid.train(arrays(), progress="quiet", **{**ARRAYS, "device": "cuda:77"})
    with pytest.raises(PellucidError, match="Unknown device 'gpu': use auto, cpu, cuda, cuda:N or mps"):
        Run("run", device="gpu").predict(np.zeros((8, 8), np.uint8))


class Tags(HTMLParser):
    """Every opened tag is closed, and what the text says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def test_a_run_shows_itself(finished: Path) -> None:
    cells = Tags(Run(finished)._repr_html_()).cells
    assert cells[:2] == ["run", str(finished)]
    assert {"task", "classify", "model", "convnet", "epochs", "2 of 2"} <= set(cells)
    value = Run(finished).history[-1]["val_accuracy"]
    assert any(cell.startswith(f"{value:.4f} (epoch ") for cell in cells)
    alone = finished / "model.safetensors"
    assert Tags(Run(alone)._repr_html_()).cells == ["run", str(alone)]  # and does not fail


def test_results_show_themselves(finished: Path, photos: Path) -> None:
    results = Run(finished).predict(photos / "red")
    cells = Tags(results._repr_html_()).cells  # type: ignore[attr-defined]
    assert cells[:4] == ["image", "label", "probability", "then"]
    assert str(photos / "red" / "0.png") in cells
    assert results == list(results)
    summary = Run(finished).evaluate(split="val")
    cells = Tags(summary._repr_html_()).cells  # type: ignore[attr-defined]
    assert cells[:3] == ["metric", "value", "accuracy"]
    assert "confusion" not in cells


def test_data_shows_itself(photos: Path) -> None:
    images, labels = arrays(6)
    roles = np.array(["train", "train", "val", "test", "", ""])
    source = Source(
        "mine",
        images,
        list("abcdef"),
        ("<dark>", "bright"),
        labels,
        roles=roles,
        problems=[Problem("x", "y", "z")],
        card=Card("My <pictures>", "CC0"),
    )
    text = source._repr_html_()
    assert html.escape("<dark>") in text and "<dark>" not in text
    cells = Tags(text).cells
    assert cells[0] == "My <pictures>; licence: CC0; 1 things were left out, see .problems"
    assert cells[1:6] == ["class", "train", "val", "test", "not yet split"]
    assert cells[6:11] == ["all", "2", "1", "1", "2"]
    assert cells[11:16] == ["<dark>", "1", "1", "0", "1"]
    assert cells[16:] == ["bright", "1", "0", "1", "1"]
    assert "30" in Tags(pellucid.load(photos)._repr_html_()).cells


def test_data_with_masks_shows_itself(tmp_path: Path) -> None:
    cells = Tags(pellucid.load(make_scenes(tmp_path / "scenes"))._repr_html_()).cells
    assert cells[1:5] == ["class", "not yet split", "all", "10"]
    assert cells[5:] == ["class 0", "class 1"]
