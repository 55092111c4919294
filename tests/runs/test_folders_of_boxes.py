"""Folders with boxes in train and evaluate: one folder for two tasks, classes in the model's order, other forms."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pellucid
from pellucid.core.errors import DataError
from pellucid.data.load import load
from pellucid.data.objects import Objects
from pellucid.data.source import Source
from pellucid.data.writers.export import export
from pellucid.runs.evaluate import with_classes
from pellucid.runs.setup.asked import read_asked


def boxes(classes: tuple[str, ...], *labels: int) -> Source:
    objects = [Objects(np.array([[0, 0, 2, 2]] * len(labels)), np.array(labels)), Objects.empty()]
    return Source("boxes", np.zeros((2, 4, 4), np.uint8), ["a", "b"], classes, objects=objects)


def test_boxes_are_counted_in_the_order_of_the_model() -> None:
    known = with_classes(boxes(("dog", "cat"), 0, 1, 1), ("ant", "cat", "dog"))
    assert known.classes == ("ant", "cat", "dog") and known.labels is None
    assert known.objects[0].labels.tolist() == [2, 1, 1] and len(known.objects[1]) == 0
    with pytest.raises(DataError, match=r"boxes has classes the model does not know \(cow\); the model knows ant, cat"):
        with_classes(boxes(("cat", "cow"), 0), ("ant", "cat"))


def test_a_folder_with_boxes_and_masks_serves_both_tasks(tmp_path: Path) -> None:
    year = tmp_path / "VOC2012"
    export("scenes:size=24,train=6,test=0", year, "voc")
    (year / "SegmentationClass").mkdir()
    for path in (year / "JPEGImages").iterdir():
        Image.fromarray(np.eye(24, dtype=np.uint8)).save(year / "SegmentationClass" / path.name)
    for task, spec in (("detect", f"voc:{year}"), ("segment", str(year)), ("auto", str(year))):
        asked = read_asked(str(year), task, None, {})
        assert asked.source.spec == spec and asked.task == ("segment" if task == "auto" else task)
        assert load(asked.source.spec).kind == asked.task


@pytest.mark.slow
def test_a_detector_of_a_coco_folder_is_measured_on_a_voc_folder(tmp_path: Path) -> None:
    export("scenes:size=48,train=8,val=4,test=4", tmp_path / "coco", "coco")
    export(str(tmp_path / "coco"), tmp_path / "voc", "voc")
    run = pellucid.train(
        str(tmp_path / "coco"), model="yolo", epochs=1, batch=4, out=tmp_path / "run", progress="quiet"
    )
    own = run.evaluate()
    other = run.evaluate(str(tmp_path / "voc"))
    assert set(own) == set(other)
