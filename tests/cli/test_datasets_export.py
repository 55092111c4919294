"""`pellucid datasets NAME --export FOLDER` and `--picture FILE`."""

import json

import numpy as np
import pytest
from PIL import Image

from pellucid.cli.main import main
from pellucid.data.images import read_image
from pellucid.data.load import load


def test_scenes_are_written_drawn_and_told(tmp_path, capsys):
    name = "scenes:size=24,train=3,test=2"
    out, picture = tmp_path / "out", tmp_path / "scenes.png"
    assert main(["datasets", name, "--export", str(out), "--picture", str(picture)]) == 0
    told = capsys.readouterr().out
    assert f"Wrote {name} to {out}" in told and "train/0" in told and str(picture) in told
    assert len(load(out, strict=True)) == 5
    with Image.open(picture) as image:
        assert image.format == "PNG"
    assert main(["datasets", name, "--export", str(tmp_path / "all"), "--as", "everything", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path / "all"), "picture": None}
    assert len((tmp_path / "all" / "objects.jsonl").read_text().splitlines()) == 5


def test_other_sets_are_written_by_their_labels(tmp_path):
    assert main(["datasets", "digits", "--export", str(tmp_path / "out"), "--quiet"]) == 0
    back, source = load(tmp_path / "out", strict=True), load("digits")
    assert back.classes == source.classes and len(back) == len(source)
    rows = [int(name.split("/")[1].removesuffix(".png")) for name in back.names]
    assert np.array_equal(back.labels, source.labels[rows])
    some = range(0, len(rows), 100)
    for i in some:
        assert np.array_equal(read_image(back.images[i], channels=1)[..., 0], source.images[rows[i]])


def test_a_set_with_options_is_told_with_its_digest(capsys):
    assert main(["datasets", "scenes:train=2,test=0,size=16", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["pictures"] == "2 train" and row["size"] == "16x16x3" and len(row["sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scenes", "--export", "."], " is not empty: name a folder that does not exist yet"),
        (["--export", "new"], "--export needs the NAME of a data set"),
        (["--picture", "a.png"], "--picture needs the NAME of a data set"),
        (["digits", "--as", "masks"], "add --export FOLDER"),
        (["digits", "--as", "masks", "--export", "new"], "digits can be written as classes only"),
        (["digits", "--as", "mask", "--export", "new"], "Unknown form 'mask'"),
        (["digits", "--picture", "a.png"], "which digits has not; write scenes"),
        (["scenes:trian=1", "--export", "new"], "Unknown option of scenes 'trian'"),
        (["scnes:train=1", "--export", "new"], "Unknown data set 'scnes'"),
    ],
)
def test_mistakes_are_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text("")
    assert main(["datasets", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert said in error and error.strip().count("\n") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_folders_with_boxes_are_converted(tmp_path, capsys):
    assert main(["datasets", "scenes:size=24,train=3,test=2", "--export", str(tmp_path / "a"), "--as", "coco"]) == 0
    assert "pellucid train" in capsys.readouterr().out
    assert main(["datasets", f"coco:{tmp_path}/a", "--export", str(tmp_path / "b"), "--as", "yolo", "--json"]) == 0
    notes = ["YOLO's boxes have no place for keypoints and masks."]
    assert json.loads(capsys.readouterr().out) == {"folder": str(tmp_path / "b"), "picture": None, "notes": notes}
    assert main(["datasets", str(tmp_path / "b"), "--export", str(tmp_path / "c"), "--as", "csv"]) == 0
    assert f"`pellucid train {tmp_path / 'c' / 'boxes.csv'}` reads it" in capsys.readouterr().out
    for folder in ("a", "b", "c/boxes.csv"):
        source = load(tmp_path / folder, strict=True)
        assert len(source) == 5 and source.kind == "detect" and sorted(set(source.roles)) == ["test", "train"]
    assert main(["datasets", str(tmp_path / "b"), "--export", str(tmp_path / "d"), "--as", "masks"]) == 2
    assert "b has boxes, so it can be written as coco, voc, yolo" in capsys.readouterr().err
    assert main(["datasets", "digits", "--export", str(tmp_path / "d"), "--as", "voc"]) == 1
    assert "digits does not say where its things are, so it cannot be written as Pascal VOC" in capsys.readouterr().err
    assert main(["datasets", str(tmp_path / "gone"), "--export", str(tmp_path / "d"), "--as", "voc"]) == 1
    assert "does not exist" in capsys.readouterr().err and not (tmp_path / "d").exists()
