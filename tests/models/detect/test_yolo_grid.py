"""The grid of the first YOLO: its numbers, there and back, and its quirks."""

import pytest
import torch

from pellucid.models.detect import build
from pellucid.models.detect.truth import Truth
from pellucid.models.detect.yolo_grid import cell_side, decode_grid, encode_grid

SIZE = (448, 448)


def truth_of(boxes: list[list[float]], labels: list[int], crowd: list[bool] | None = None) -> Truth:
    flags = torch.tensor([crowd or [False] * len(labels)], dtype=torch.bool)
    return Truth(torch.tensor([boxes]), torch.tensor([labels]), flags)


def test_the_paper_s_grid_has_1470_numbers() -> None:
    """7 x 7 cells, each 2 boxes of 5 numbers and 20 classes, for a picture of 448 px."""
    with torch.device("meta"):
        net = build("yolo_grid", 20, 3, SIZE)
        grid = net(torch.zeros(1, 3, *SIZE))["grid"]
    assert grid.shape == (1, 7, 7, 2 * 5 + 20)
    assert grid.numel() == 1470


def test_cells_of_a_picture() -> None:
    assert {side: side / cell_side((side, side)) for side in (32, 64, 96, 128, 192, 224, 448)} == {
        32: 8, 64: 8, 96: 6, 128: 8, 192: 6, 224: 7, 448: 7,
    }  # fmt: skip


def test_there_and_back() -> None:
    generator = torch.Generator().manual_seed(0)
    centre = torch.tensor([[40.0, 40.0], [100, 300], [447, 200], [250, 448]])  # one in each of four cells
    half = torch.rand(4, 2, generator=generator) * 100
    boxes, labels = torch.cat([centre - half, centre + half], 1), [3, 0, 19, 7]
    grid = encode_grid(truth_of(boxes.tolist(), labels), (7, 7), 64, SIZE, 2, 20)
    assert grid.shape == (1, 7, 7, 30)
    decoded, scores = decode_grid(grid, 64, SIZE, 2)
    assert decoded.shape == (1, 98, 4)
    assert scores.shape == (1, 98, 20)
    place, label = scores[0].nonzero(as_tuple=True)
    assert len(place) == 8, "both boxes of four cells"
    assert (scores[0, place, label] == 1).all()
    for k, box in enumerate(boxes):
        cells = 2 * (min(int(centre[k, 1]) // 64, 6) * 7 + int(centre[k, 0]) // 64)
        torch.testing.assert_close(decoded[0, [cells, cells + 1]], box.expand(2, 4), rtol=1e-5, atol=1e-3)
        assert label[place == cells].tolist() == [labels[k]]


def test_two_things_in_one_cell_and_only_the_first_is_learned() -> None:
    boxes = [[0.0, 0, 60, 60], [10.0, 10, 50, 50], [200.0, 200, 210, 210]]
    grid = encode_grid(truth_of(boxes, [1, 0, 2], [False, False, True]), (7, 7), 64, SIZE, 1, 3)
    assert grid[0, 0, 0].tolist() == pytest.approx([30 / 64, 30 / 64, (60 / 448) ** 0.5, (60 / 448) ** 0.5, 1, 0, 1, 0])
    assert grid.count_nonzero() == 6, "a crowd is not a thing"


def test_a_wide_picture_there_and_back() -> None:
    """Sides are shares of the width and of the height: half of 256 and a quarter of 128."""
    box = [32.0, 48, 160, 80]
    grid = encode_grid(truth_of([box], [0]), (8, 16), 16, (128, 256), 1, 1)
    assert grid[0, 4, 6, 2:4].tolist() == pytest.approx([0.5**0.5, 0.25**0.5])
    decoded, _ = decode_grid(grid, 16, (128, 256), 1)
    torch.testing.assert_close(decoded[0, 4 * 16 + 6], torch.tensor(box))


def test_where_no_box_overlaps_the_nearest_learns_and_other_cells_classes_do_not() -> None:
    """Both boxes of the cell have no size; the second is nearer, 0.1 off each way, and is asked for its IoU, 0."""
    with torch.device("meta"):
        net = build("yolo_grid", 2, 3, (128, 128))
    grid = torch.zeros(1, 8, 8, 12)
    root = (0.25**0.5, 0.5**0.5)
    grid[0, 3, 2] = torch.tensor([0.9, 0.9, 0.0, 0.0, 0.3, 0.1, 0.1, 0.0, 0.0, 0.6, 0.0, 1.0])
    grid[0, 5, 5, 10:] = 0.7  # nobody asks which class is where nothing is
    losses = net.losses({"grid": grid}, truth_of([[16.0, 16, 48, 80]], [1]))  # type: ignore[operator]
    assert losses["class"].item() == 0
    assert losses["box"].item() == pytest.approx(5 * (2 * 0.1**2 + root[0] ** 2 + root[1] ** 2), rel=1e-4)
    assert losses["objectness"].item() == pytest.approx(0.6**2 + 0.5 * 0.3**2, rel=1e-4)


def test_losses_by_hand() -> None:
    """One cell says it nearly right with its second box; another one is sure of a thing that is not there."""
    with torch.device("meta"):
        net = build("yolo_grid", 2, 3, (128, 128))  # 8 x 8 cells of 16 px
    truth = truth_of([[16.0, 16, 48, 80]], [1])  # centre 32, 48: cell 2, 3, its upper left corner
    grid = torch.zeros(1, 8, 8, 12)
    root = (0.25**0.5, 0.5**0.5)
    grid[0, 3, 2] = torch.tensor([0.9, 0.9, 0.1, 0.1, 0.3, 0.1, 0.0, *root, 0.6, 0.2, 0.7])
    grid[0, 0, 0, 4] = 0.5
    losses = net.losses({"grid": grid}, truth)  # type: ignore[operator]
    moved = 0.1 * 16  # px to the right of 32 px width
    overlap = (32 - moved) / (32 + moved)
    assert losses["class"].item() == pytest.approx(0.2**2 + 0.3**2)
    assert losses["box"].item() == pytest.approx(5 * 0.1**2, rel=1e-4)
    expected = (0.6 - overlap) ** 2 + 0.5 * (0.3**2 + 0.5**2)
    assert losses["objectness"].item() == pytest.approx(expected, rel=1e-4)
