"""The test split is opened once, and every opening is logged; other data is measured whole."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_runs import QUICK, arrays, everything, make_photos, make_scenes

import pellucid
from pellucid.core.errors import ConfigError, DataError, RunError
from pellucid.core.files import read_json, read_lines
from pellucid.runs.listing import list_rows
from pellucid.runs.run import Run


def openings(folder: Path) -> list[dict[str, object]]:
    return read_lines(folder / "test_openings.jsonl")


def warnings(folder: Path) -> list[str]:
    return [v["evidence"] for v in read_json(folder / "doctor.json") if v["rule"] == "test-opened-again"]


def test_each_opening_is_logged_and_the_second_warns(
    run_copy: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_copy("run")
    assert not openings(folder)  # neither training nor its report opened it
    first = Run(folder).evaluate(progress="lines")
    assert capsys.readouterr().err == ""
    assert len(openings(folder)) == 1
    assert not warnings(folder)
    second = Run(folder).evaluate(progress="lines")
    assert repr(second) == repr(first)  # a NaN differs from itself
    record = openings(folder)[0]
    assert record["metric"] == "accuracy"
    assert record["value"] == pytest.approx(first["accuracy"], abs=1e-6)
    assert record["split"] == read_json(folder / "split.json")["digest"]
    said = f"the test split of {folder} was opened once before, first at {record['time']} (accuracy {record['value']})"
    assert warnings(folder) == [said]
    assert capsys.readouterr().err.startswith(f"WARN test-opened-again: {said}.")
    Run(folder).evaluate()
    assert len(openings(folder)) == 3
    assert warnings(folder) == [said.replace("once", "2 times")]  # one warning, kept up to date


def test_what_a_run_was_judged_by_is_logged_told_and_listed(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('metric = "accuracy"', 'metric = "brier"'))
    brier = Run(folder).evaluate(progress="quiet")["brier"]
    record = openings(folder)[0]
    assert (record["metric"], record["value"]) == ("brier", pytest.approx(brier, abs=1e-6))
    (listed,) = (each for each in list_rows(folder.parent) if each["run"] == str(folder))
    assert (listed["metric"], listed["test"]) == ("brier", record["value"])
    assert "Its Brier score is" in Run(folder).report().read_text()


def test_other_splits_are_not_logged(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    before = everything(folder)
    Run(folder).evaluate(split="val")
    Run(folder).evaluate(split="train")
    assert everything(folder) == before


def test_validation_numbers_are_those_of_training(finished: Path) -> None:
    summary = Run(finished).evaluate(split="val")
    best = next(record for record in reversed(Run(finished).history) if record["best"])
    for name in ("accuracy", "loss", "brier"):
        assert summary[name] == best[f"val_{name}"]


def test_reports_tell_what_the_first_opening_found_and_never_open_it(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    before = Run(folder).report().read_text()
    assert "The test split was opened" not in before
    Run(folder).evaluate()
    after = Run(folder).report().read_text()
    assert "The test split was opened once" in after
    assert "Measured on 3 pictures (test)" in after
    assert len(openings(folder)) == 1


def test_own_data_given_by_name_is_its_test_split(
    run_copy: Callable[[str], Path], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured whole it would be mostly training pictures, and its test split would be opened unseen."""
    folder = run_copy("run")
    own = Run(folder).evaluate(photos, progress="lines")
    assert capsys.readouterr().err == (f"photos is what {folder} was trained on: only its test split is measured.\n")
    assert len(openings(folder)) == 1
    moved = Path(shutil.copytree(photos, tmp_path / "elsewhere"))
    assert repr(Run(folder).evaluate(moved)) == repr(own)
    assert len(openings(folder)) == 2
    assert repr(Run(folder).evaluate(moved, split="val")) == repr(Run(folder).evaluate(split="val"))


def test_other_data_is_measured_whole(run_copy: Callable[[str], Path], tmp_path: Path) -> None:
    folder = run_copy("run")
    before = everything(folder)
    other = make_photos(tmp_path / "test", n=10, seed=5)  # the same names, other pictures; and the name of a split
    summary = Run(folder).evaluate(other)
    assert sum(map(sum, summary["confusion"])) == 30
    alone = Run(folder / "model.safetensors").evaluate(other)  # a weights file will do
    assert repr(alone) == repr(summary)
    assert everything(folder) == before
    with pytest.raises(ConfigError, match="--split is a part of the run's own data; other data is measured whole"):
        Run(folder).evaluate(other, split="val")


def test_labels_are_counted_in_the_order_of_the_model(finished: Path, tmp_path: Path) -> None:
    """Data without the first class must not shift the others."""
    other = make_photos(tmp_path / "other", seed=5)
    whole = np.array(Run(finished).evaluate(other)["confusion"])
    shutil.rmtree(other / "blue")
    part = np.array(Run(finished).evaluate(other)["confusion"])
    assert part.tolist() == [[0, 0, 0], *whole[1:].tolist()]


def test_unknown_classes_are_refused(finished: Path, tmp_path: Path) -> None:
    other = make_photos(tmp_path / "other", seed=5)
    (other / "red").rename(other / "crimson")
    with pytest.raises(DataError) as refused:
        Run(finished).evaluate(other)
    assert str(refused.value) == (
        "other has classes the model does not know (crimson); the model knows blue, green, red. "
        "Rename the classes, or train on this data."
    )


def test_masks_are_no_labels(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="scenes has no labels, which the model was trained on. Give data for --task classify"
    ):
        Run(finished).evaluate(make_scenes(tmp_path / "scenes"))


def test_changed_data_is_refused(photos: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    folder = pellucid.train(data, out="run", progress="quiet", **QUICK).folder
    (data / "red" / "0.png").rename(data / "red" / "new.png")
    with pytest.raises(DataError, match="The data of run has changed since it was trained: 1 records are new, 1 are"):
        Run(folder).evaluate()
    (data / "red" / "new.png").rename(data / "red" / "0.png")
    Run(folder).evaluate()
    shutil.rmtree(data)
    with pytest.raises(DataError, match=r"The data of run cannot be read: .* does not exist.* give it as DATA\."):
        Run(folder).evaluate()
    assert len(openings(folder)) == 1


def test_changed_labels_are_refused(photos: Path) -> None:
    """The same files, one of them called otherwise now."""
    table = Path("photos.csv")
    data = Path(shutil.copytree(photos, "photos"))
    rows = [f"{path.as_posix()},{path.parent.name}" for path in sorted(data.rglob("*.png"))]
    table.write_text("\n".join(["path,label", *rows]))
    pellucid.train(table, out="run", progress="quiet", **{**QUICK, "stratify": False})
    Run("run").evaluate(split="val")
    first = next(k for k, row in enumerate(rows) if row.endswith("red"))
    rows[first] = rows[first].replace(",red", ",blue")
    table.write_text("\n".join(["path,label", *rows]))
    with pytest.raises(DataError, match="has changed since it was trained: its records have other labels. Restore the"):
        Run("run").evaluate(split="val")


def test_splits_that_are_not_there(finished: Path, photos: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"Unknown split 'tset'\. Did you mean 'test'\? Choose from: test, train, val"
    ):
        Run(finished).evaluate(split="tset")
    run = pellucid.train(photos, out="run", progress="quiet", **{**QUICK, "val_fraction": 0.0, "test_fraction": 0.0})
    with pytest.raises(DataError, match=r"run has no test records\. Splits with records: train \(30\)\."):
        run.evaluate()
    assert "Nothing was held out, so nothing is known about how well it does" in Path("run/report.html").read_text()


def test_arrays_again(tmp_path: Path) -> None:
    """A run on arrays can be evaluated where it was made, and later when they are passed again."""
    settings = {**QUICK, "image_size": "auto", "model": "linear"}
    run = pellucid.train(arrays(), out="run", progress="quiet", **settings)
    here = run.evaluate()
    with pytest.raises(RunError, match="was trained on arrays in memory, which are not stored. Pass the data again"):
        Run("run").evaluate()
    assert repr(Run("run").evaluate(arrays())) == repr(here)
    assert sum(map(sum, Run("run").evaluate(arrays(seed=9))["confusion"])) == 30  # other pictures: all of them


def test_loaded_data_is_found_again(photos: Path) -> None:
    """`data = pellucid.load(...); pellucid.train(data)`, and another day `pellucid evaluate` on the command line."""
    run = pellucid.train(pellucid.load(photos), out="run", progress="quiet", **QUICK)
    assert repr(Run("run").evaluate()) == repr(run.evaluate())


def test_groups_of_loaded_data_are_kept(tmp_path: Path) -> None:
    for colour in ("blue", "red"):
        photos = make_photos(tmp_path / "made" / colour)
        for day in range(4):
            (tmp_path / "photos" / colour / f"day{day}").mkdir(parents=True)
            for number in range(3):
                shutil.move(
                    photos / colour / f"{day * 2 + number}.png" if number < 2 else photos / "green" / f"{day}.png",
                    tmp_path / "photos" / colour / f"day{day}" / f"{number}.png",
                )
    settings = {**QUICK, "val_fraction": 0.25, "test_fraction": 0.25, "allow_leaks": True}  # green ones are there twice
    run = pellucid.train(pellucid.load(tmp_path / "photos", group="folder"), out="run", progress="quiet", **settings)
    split = read_json(Path("run/split.json"))
    days = [{name.rsplit("/", 1)[0] for name in split[role]} for role in ("train", "val", "test")]
    assert not days[0] & days[1] and not days[0] & days[2] and not days[1] & days[2]
    assert repr(Run("run").evaluate()) == repr(run.evaluate())
