"""Wrong words and wrong data around boxes, at the terminal: one line, an exit code, and nothing changed on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from answer import Ask
from PIL import Image
from small_runs import everything, make_photos

Change = Callable[[dict[str, Any]], object]


def boxes(root: str, change: Change | None = None, n: int = 6) -> None:
    """`n` pictures of 20x16 with a box each, in COCO's form."""
    folder = Path(root)
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for i in range(n):
        Image.new("RGB", (20, 16), (40 * i, 90, 160)).save(folder / "images" / f"{i}.png")
    content: dict[str, Any] = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(n)],
        "annotations": [{"id": i + 1, "image_id": i, "category_id": 1 + i % 2, "bbox": [2, 3, 8, 9]} for i in range(n)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    if change is not None:
        change(content)
    (folder / "annotations" / "instances.json").write_text(json.dumps(content))


def refused(ask: Ask, *words: object, code: int) -> str:
    before = everything(Path())
    answer = ask(*words)
    assert (answer.code, answer.out) == (code, "") and everything(Path()) == before
    assert len(answer.err.splitlines()) == 1 and answer.err.startswith("pellucid: ")
    return answer.err.removeprefix("pellucid: ")


def test_models_and_settings_of_another_task(ask: Ask) -> None:
    boxes("boxes")
    make_photos(Path("photos"))
    assert refused(ask, "train", "photos", "--model", "yolo", code=2).startswith(
        "--model yolo is one of --task detect, and this data is for --task classify. Leave it out for the usual one"
    )
    assert refused(ask, "train", "boxes", "--model", "resnet18", code=2).startswith(
        "--model resnet18 is one of --task c"
    )
    assert refused(ask, "train", "boxes", "--label-smoothing", "0.1", code=2).startswith(
        "--label-smoothing is a setting of --task classify and --task segment, and this data is for --task detect. L"
    )
    assert refused(ask, "check", "photos", "--model", "yolo", "--proposals=7", code=2).startswith(
        "--proposals is a set"
    )


def test_every_task_is_named_in_the_help(ask: Ask) -> None:
    for verb in ("train", "check", "tune", "augment"):
        assert "classify, segment or detect; auto goes by the labels" in " ".join(ask(verb, "--help").out.split())
    assert "with --task segment and --task detect explains those of other tasks" in ask("train", "--help").out


def test_a_fitted_detector_without_features_is_refused_before_it_looks(ask: Ask) -> None:
    boxes("boxes")
    said = refused(ask, "train", "boxes", "--model", "rcnn", code=2)
    assert said.startswith("rcnn reads features of a network that was trained before, and none was named: say")


def test_boxes_that_all_lie_elsewhere(ask: Ask) -> None:
    def away(content: dict[str, Any]) -> None:
        for thing in content["annotations"]:
            thing["bbox"][0] += 500

    boxes("boxes", away)
    assert "boxes of its training pictures lie outside of them. Check that x comes" in refused(
        ask, "train", "boxes", code=1
    )


def test_a_folder_of_ones_own_is_no_named_set(ask: Ask) -> None:
    boxes("boxes")
    assert "`pellucid check boxes` looks at it" in refused(ask, "datasets", "boxes", code=2)


def test_exporting_tells_what_was_broken(ask: Ask) -> None:
    def broken(content: dict[str, Any]) -> None:
        content["annotations"][0]["bbox"][2] = -1
        content["annotations"][1]["category_id"] = 9

    boxes("boxes", broken)
    said = ask("datasets", "boxes", "--export", "voc", "--as", "voc").out
    assert (
        "2 records of boxes are broken, the first of them instances.json annotations[0] (id 1) (bad-box): its" in said
    )
    assert "broken" not in ask("datasets", "voc", "--export", "again", "--as", "yolo").out
