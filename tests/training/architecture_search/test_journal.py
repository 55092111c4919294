"""A search that was stopped goes on to what the straight one finds, and pays for nothing twice."""

import json
from pathlib import Path

import numpy as np
import pytest

from pellucid.core.errors import RunError
from pellucid.data.source import Source
from pellucid.models.classify.genotype import Genotype, parse
from pellucid.training.architecture_search import journal as module
from pellucid.training.architecture_search.evaluate import Plan
from pellucid.training.architecture_search.evolution import regularised_evolution
from pellucid.training.architecture_search.history import History
from pellucid.training.architecture_search.journal import Journal
from pellucid.training.architecture_search.space import Space

PLAN = Plan(pictures=4, held_out=2, side=8, width=2, epochs=1, batch=2)
CELL = parse("conv3(0)+skip(0)")


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Evaluations that were made: what training would give is made up from the cell's text."""
    cells: list[tuple[str, int]] = []

    def made_up(cell: Genotype, train: object, held_out: object, plan: Plan, seed: int) -> float:
        cells.append((str(cell), seed))
        return sum(map(ord, f"{cell}{seed}")) % 97 / 97

    monkeypatch.setattr(module, "accuracy_of", made_up)
    return cells


def source() -> Source:
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
    roles = np.array(["train"] * 8 + ["test"] * 4)
    return Source("noise", images, [str(n) for n in range(12)], ("a", "b"), np.arange(12) % 2, roles=roles)


def search(path: Path, seed: int = 0) -> History:
    journal = Journal(path, source())
    return regularised_evolution(Space(), lambda cell: journal.accuracy(cell, PLAN, seed), 12, seed, 4, 2)


def test_each_evaluation_is_a_line(tmp_path: Path, paid: list[tuple[str, int]]) -> None:
    path = tmp_path / "journal.jsonl"
    history = search(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["cell"], line["accuracy"]) for line in lines] == [(str(o.cell), o.accuracy) for o in history.tried]
    assert lines[0].keys() == {"cell", "seed", "role", "accuracy", "cpu_seconds", *Plan.__dataclass_fields__}
    assert lines[0]["epochs"] == 1 and lines[0]["cpu_seconds"] >= 0 and len(paid) == 12


@pytest.mark.parametrize("kept", [0, 1, 5, 11, 12])
@pytest.mark.parametrize("tail", [b"", b'{"cell": "conv3(0)+sk', b"\xff\xfe damaged \x00\n"])
def test_stopped_anywhere_it_ends_as_the_straight_one(
    tmp_path: Path, paid: list[tuple[str, int]], kept: int, tail: bytes
) -> None:
    """A kill leaves whole lines and at most a part of one."""
    straight, resumed = tmp_path / "straight.jsonl", tmp_path / "resumed.jsonl"
    expected = search(straight)
    whole = straight.read_bytes().splitlines(keepends=True)
    resumed.write_bytes(b"".join(whole[:kept]) + tail)
    paid.clear()
    assert search(resumed) == expected
    assert len(paid) == 12 - kept
    paid.clear()
    assert search(resumed) == expected and paid == [], "what came after the cut line can be read again"
    assert [line["cell"] for line in Journal(resumed).lines] == [line["cell"] for line in Journal(straight).lines]


def test_searches_share_what_was_paid_for(tmp_path: Path, paid: list[tuple[str, int]]) -> None:
    """An evaluation is known by its cell, however written, its seed, its plan and the role of its pictures."""
    journal = Journal(tmp_path / "journal.jsonl", source())
    journal.accuracy(CELL, PLAN, 0)
    journal.accuracy(parse("skip(0)+conv3(0)"), PLAN, 0)
    assert len(paid) == 1
    journal.accuracy(CELL, PLAN, 1)
    journal.accuracy(CELL, Plan(**{**PLAN.__dict__, "epochs": 2}), 0)
    journal.accuracy(CELL, PLAN, 0, "test")
    assert len(paid) == 4
    again = Journal(tmp_path / "journal.jsonl")
    assert again.accuracy(CELL, PLAN, 1) == journal.accuracy(CELL, PLAN, 1) and len(paid) == 4


def test_lines_that_cannot_be_ours_are_left_out(tmp_path: Path, paid: list[tuple[str, int]]) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, source()).accuracy(CELL, PLAN, 0)
    good = json.loads(path.read_text(encoding="utf-8"))
    bad = [{**good, "accuracy": value} for value in ("high", None, 1.5, -0.1, float("nan"))]
    bad += [{**good, "cell": ["conv3"]}, {key: value for key, value in good.items() if key != "seed"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*bad, 3, good]), encoding="utf-8")
    journal = Journal(path)
    assert journal.lines == [good] and journal.accuracy(CELL, PLAN, 0) == good["accuracy"]


def test_without_pictures_it_only_reads(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none.jsonl")
    assert journal.lines == []
    with pytest.raises(RunError, match=r"none\.jsonl has no line for the cell conv3\(0\)\+skip\(0\), seed 0: finish"):
        journal.accuracy(CELL, PLAN, 0)
    with pytest.raises(RunError, match="open for reading alone"):
        journal.again(CELL, PLAN, 0)
    assert not (tmp_path / "none.jsonl").exists()
