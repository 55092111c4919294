"""The report of a segmenter: regions and necks by hand, the search for the largest against all, and what pages say."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.models.weights import write_weights
from pellucid.report.blocks import Note, Pictures, Section, Table
from pellucid.report.page import page
from pellucid.runs.evaluate import stored_test
from pellucid.runs.stored import folder as files
from pellucid.tasks.segment.metrics import score, summarise
from pellucid.tasks.segment.report.draw import around, side_by_side
from pellucid.tasks.segment.report.regions import largest_wrong_regions, share_of_errors, wrong_regions
from pellucid.tasks.segment.report.sections import sections
from pellucid.tasks.segment.report.seen import Seen, View
from pellucid.tasks.segment.report.touching import count_regions, necks
from pellucid.tasks.segment.report.words import called_instead, confusions, instead_of, percent
from pellucid.tasks.segment.task import TASK

FACTS = DataFacts("segment", "s", ("background", "shirt", "bag"), (4, 3, 2), Preprocess((24, 24), 3))


def view(true: Any, called: Any, index: int = 0) -> View:
    true, called = np.asarray(true), np.asarray(called)
    return View(index, np.zeros((*true.shape, 3), dtype=np.uint8), true, called)


def test_wrong_regions_by_hand() -> None:
    true = [[1, 1, 0, 0], [1, 1, 0, 2], [0, 0, 0, 2], [255, 0, 0, 2]]
    called = [[0, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 2, 0]]
    found = {(r.true, r.called): (r.patch.area, r.patch.mask.tolist()) for r in wrong_regions(view(true, called))}
    assert {pair: area for pair, (area, _) in found.items()} == {(1, 0): 2, (2, 1): 2, (2, 0): 1, (0, 2): 1}
    assert found[1, 0][1] == [[True, True, False, False]] + 3 * [[False] * 4]


def test_the_same_confusion_in_two_places_is_two_regions_and_corners_do_not_join() -> None:
    found = list(wrong_regions(view([[1, 0, 1], [0, 1, 0]], np.zeros((2, 3), dtype=int))))
    assert [region.patch.area for region in found] == [1, 1, 1]
    assert list(wrong_regions(view([[1, 0, 1], [0, 1, 0]], np.zeros((2, 3), dtype=int)), least=2)) == []


def blobs(n: int, seed: int, size: int = 24) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 3, (n, 1, 6, 6), generator=generator).float()
    return torch.nn.functional.interpolate(coarse, size=(size, size)).long()[:, 0]


def made(n: int = 40, sure: float = 0.9) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Pictures in which more and more pixels are wrong."""
    mask = blobs(n, 0)
    mask[:, -2:] = 255
    wrong = (
        torch.rand(mask.shape, generator=torch.Generator().manual_seed(1))
        < torch.linspace(0, 1 - sure, n)[:, None, None]
    )
    called = torch.where(wrong | (blobs(n, 2) == 0) & (torch.arange(n) % 7 == 0)[:, None, None], blobs(n, 3), mask)
    logits = torch.nn.functional.one_hot(called.clamp_max(2), 3).movedim(-1, 1).float()
    batch = {"image": torch.zeros(n, 3, 24, 24, dtype=torch.uint8), "mask": mask, "index": torch.arange(n)}
    return batch, {"logits": logits}


def looker(batch: dict[str, Tensor], outputs: dict[str, Tensor], asked: list[int]) -> Callable[[Sequence[int]], Any]:
    def look(indices: Sequence[int]) -> Any:
        asked.extend(indices)
        rows = list(indices)
        return {k: v[rows] for k, v in batch.items()}, {k: v[rows] for k, v in outputs.items()}

    return look


@pytest.mark.parametrize("count", [1, 5, 30])
def test_the_largest_of_all_pictures_are_found_without_looking_at_all(count: int) -> None:
    batch, outputs = made()
    records, asked = score(outputs, batch), []
    found = largest_wrong_regions(records["confusion"], records["index"], Seen(looker(batch, outputs, asked)), count)
    every = [r for v in Seen(looker(batch, outputs, []))(list(range(40))) for r in wrong_regions(v)]
    areas = sorted((r.patch.area for r in every), reverse=True)[:count]
    assert [r.patch.area for r in found] == areas
    assert len(set(asked)) == len(asked) and (count > 5 or len(asked) < 40)
    wrong = int((records["confusion"].sum((1, 2)) - records["confusion"].diagonal(dim1=1, dim2=2).sum(1)).sum())
    assert share_of_errors(every, wrong) == 1


def test_each_picture_goes_through_the_model_once_and_comes_in_the_order_asked_for() -> None:
    batch, outputs = made(20)
    asked: list[int] = []
    seen = Seen(looker(batch, outputs, asked))
    assert [v.index for v in seen([17, 3, 17, 19])] == [17, 3, 17, 19]
    assert [v.index for v in seen([3, 4])] == [3, 4]
    assert asked == [17, 3, 19, 4]
    assert np.array_equal(seen([4])[0].true, batch["mask"][4].numpy())


def test_two_squares_on_a_bridge_have_a_neck_and_one_square_has_none() -> None:
    true = np.zeros((30, 30), dtype=int)
    true[4:14, 2:12] = true[4:14, 14:24] = true[8:10, 12:14] = 1
    true[18:28, 4:20] = 2
    (neck,) = necks(view(true, true))
    assert (neck.label, neck.parts, neck.patch.area, neck.evenness) == (1, 2, 204, 1.0)
    assert necks(view(true, true), left_out=[1]) == []
    assert count_regions(true, [0]) == 2 and count_regions(true) == 3
    assert count_regions(np.full((4, 4), 255)) == 0


def test_a_window_holds_what_it_is_around_and_stays_inside() -> None:
    for top, left, tall, wide in ((0, 0, 3, 4), (20, 30, 10, 10), (5, 0, 1, 40), (0, 0, 30, 40)):
        rows, columns = around((slice(top, top + tall), slice(left, left + wide)), (30, 40))
        assert 0 <= rows.start <= top and top + tall <= rows.stop <= 30
        assert 0 <= columns.start <= left and left + wide <= columns.stop <= 40


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 300, 1), (500, 40, 3)], ids=str)
def test_panels_fit_a_page_whatever_the_size(shape: tuple[int, int, int]) -> None:
    mask = np.full(shape[:2], 255)
    mask[:1] = 1
    drawn = side_by_side(View(0, np.zeros(shape, dtype=np.uint8), mask, np.zeros(shape[:2], dtype=int)), FACTS.classes)
    assert drawn.width <= 320


def test_words() -> None:
    matrix = np.array([[90, 10, 0], [31, 60, 9], [0, 0, 0]])
    assert called_instead(matrix, FACTS.classes, 1) == "31% background, 9.0% bag"
    assert instead_of(matrix, FACTS.classes, 1) == "14% background"
    assert called_instead(matrix, FACTS.classes, 2) == ""
    assert confusions(matrix, FACTS.classes, 2) == [
        "31% of the pixels of shirt are called background",
        "10% of the pixels of background are called shirt",
    ]
    assert [percent(share) for share in (0, 0.004, 0.0949, 0.0996, 1)] == ["0%", "0.4%", "9.5%", "10%", "100%"]


def found(batch: dict[str, Tensor], outputs: dict[str, Tensor], facts: DataFacts = FACTS) -> dict[str, Section]:
    records = score(outputs, batch)
    made = sections(
        summarise(records, facts), records, facts, lambda index: Image.new("L", (2, 2)), looker(batch, outputs, [])
    )
    assert page("t", "l", [], made).startswith("<!doctype html>")
    return {section.title: section for section in made}


def test_the_sections_say_what_is_wrong_and_where() -> None:
    batch, outputs = made()
    told = found(batch, outputs)
    records = score(outputs, batch)
    wrong = int(records["border_errors"][:, :, 1].sum())
    assert told["Where it is wrong"].lead.startswith(f"{wrong:,} of {40 * 22 * 24:,} pixels are wrong.")
    near = int(records["border_errors"][:, 0, 1].sum())
    assert told["Outlines"].lead.startswith(f"{percent(near / wrong)} of all wrong pixels lie within 2 px")
    (regions, lowest) = [block for block in told["Where it is wrong"].blocks if isinstance(block, Pictures)]
    areas = [int(item.detail.split()[0].replace(",", "")) for item in regions.items]
    assert areas == sorted(areas, reverse=True) and len(areas) == 9 and len(lowest.items) == 6
    assert "are called" in told["What is taken for what"].lead


def test_nothing_is_wrong() -> None:
    batch, _ = made()
    known = batch["mask"].clamp_max(2)
    told = found(batch, {"logits": torch.nn.functional.one_hot(known, 3).movedim(-1, 1).float()})
    assert told["Where it is wrong"].lead == "No pixel is wrong." and told["Where it is wrong"].empty is False
    assert told["What is taken for what"].lead == "Nothing is taken for anything else."
    assert "Boundary F1 1.000" in told["Outlines"].lead


@pytest.mark.parametrize("value", [255, 1])
def test_masks_without_a_border(value: int) -> None:
    batch, outputs = made(3)
    told = found({**batch, "mask": torch.full_like(batch["mask"], value)}, outputs)
    assert told["Outlines"].lead.startswith("The masks show no border between two classes")


def test_no_pictures_at_all() -> None:
    batch, outputs = made(3)
    told = found({k: v[:0] for k, v in batch.items()}, {k: v[:0] for k, v in outputs.items()})
    assert "What masks cannot tell: how many" in told


def test_grey_pictures_and_two_classes() -> None:
    batch, outputs = made(4)
    batch = {**batch, "image": batch["image"][:, :1], "mask": batch["mask"].where(batch["mask"] != 2, 1)}
    found(batch, {"logits": outputs["logits"][:, :2]}, replace(FACTS, classes=("a", "b"), class_counts=(1, 1)))


def test_most_errors_inside_and_most_at_outlines_are_told_apart() -> None:
    mask = torch.zeros(1, 40, 40, dtype=torch.int64)
    mask[:, 10:30, 10:30] = 1
    batch = {
        "image": torch.zeros(1, 3, 40, 40, dtype=torch.uint8),
        "mask": mask,
        "index": torch.zeros(1, dtype=torch.long),
    }
    wider, gone = mask.clone(), torch.zeros_like(mask)
    wider[:, 9:31, 9:31] = 1
    for called, word in ((wider, "imprecise outlines"), (gone, "things are missed or made up")):
        logits = torch.nn.functional.one_hot(called, 3).movedim(-1, 1).float()
        assert word in found(batch, {"logits": logits})["Outlines"].lead


def test_where_things_are_told_apart_the_merged_are_counted() -> None:
    batch, outputs = made(4)
    mask = torch.zeros_like(batch["mask"])
    mask[:, 3:9, 3:9] = mask[2, 9:14, 3:9] = 1
    outputs = {"logits": torch.nn.functional.one_hot(mask, 3).movedim(-1, 1).float()}
    batch = {**batch, "mask": mask, "box_label": torch.tensor([[1, -1], [1, -1], [1, 1], [-1, -1]])}
    section = found(batch, outputs)["What masks cannot tell: how many"]
    assert "the masks show 4 unbroken regions" in section.lead and "there are 4." in section.lead
    note, pictures = section.blocks
    assert isinstance(note, Note) and isinstance(pictures, Pictures)
    assert [(item.caption, item.detail) for item in pictures.items] == [
        ("2 things, 1 region", "1 in the answer; picture 2")
    ]


def test_a_test_whose_records_lack_outlines_does_not_count(tmp_path: Path) -> None:
    """As versions wrote them that did not look at outlines."""
    batch, outputs = made(4)
    records = {name: score(outputs, batch)[name] for name in ("confusion", "index")}
    write_weights(tmp_path / files.TEST, records, {"losses": {}, "weights": "digest"})
    run: Any = SimpleNamespace(folder=tmp_path, facts=FACTS, trained=SimpleNamespace(digest="digest", task=TASK))
    assert stored_test(run, None) is None  # type: ignore[arg-type]


def test_shares_that_are_right_are_called_so() -> None:
    batch, _ = made(4)
    logits = torch.nn.functional.one_hot(batch["mask"].clamp_max(2), 3).movedim(-1, 1).float()
    lead = found(batch, {"logits": logits})["How much of each class"].lead
    assert lead == "Every class is called about as often as it is there."


def test_shares_name_what_is_called_too_seldom() -> None:
    batch, outputs = made(4)
    always = torch.zeros_like(outputs["logits"])
    always[:, 0] = 1
    section = found(batch, {"logits": always})["How much of each class"]
    assert "(0% of its true share); most: background" in section.lead
    (table,) = section.blocks
    assert isinstance(table, Table) and [row[0] for row in table.rows] == list(FACTS.classes)
