"""The benchmark of neighbours: all searches find the same, and the verdicts follow from the times."""

import importlib.util

import neighbours
import numpy as np
import pytest
import timing
from neighbours import FAISS, FLOATS, OURS, PRODUCT, SKLEARN, TOPK, agreement, measure, noise, variants, verdicts

from pellucid.core.errors import DataError


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def test_all_searches_find_the_same() -> None:
    data = noise(300, 40, 16)
    times, found = measure(data, 20, 1)
    peers = {SKLEARN, TOPK} | ({FAISS} if importlib.util.find_spec("faiss") else set())
    assert set(times) == {OURS, FLOATS, PRODUCT, *peers}
    assert len(found[OURS]) == len(found[FLOATS]) == 40 and all(len(found[peer]) == 20 for peer in peers)
    for name, rows, _, differ, equally in agreement(data, found):
        assert differ == equally, f"{name} of {rows}"


def test_a_wrong_neighbour_is_not_called_a_tie() -> None:
    data = noise(50, 3, 8)
    right = variants(data, 3)[OURS].search(data.queries)
    wrong = right.copy()
    wrong[1] = np.setdiff1d(np.arange(50), right[1])[:5]
    assert agreement(data, {OURS: right, FAISS: wrong}) == [[FAISS, "3", "66.67%", "1", "0"]]


def test_times_are_of_a_thousand_queries() -> None:
    times, _ = measure(noise(64, 10, 8), 5, 2)
    assert all(len(timed.cpu) == 2 and timed.median("wall") > 0 for timed in times.values())


def test_verdicts() -> None:
    times = {OURS: timed(1.0), FLOATS: timed(4.0), FAISS: timed(3.0), SKLEARN: timed(5.5), PRODUCT: timed(0.8)}
    said = verdicts(times)
    assert "ours, bytes: 3.00 times faiss IndexFlatL2; floor 2.5: met; aim 4.0: not reached." in said
    assert "ours, bytes: 5.50 times scikit-learn brute; floor 5.0: met." in said
    assert "ours, float32: 0.75 times faiss IndexFlatL2; floor 1.0: MISSED" in said
    assert "80% of the rate of the int8 product alone" in said
    assert "faiss" not in verdicts({OURS: timed(1.0), FLOATS: timed(1.0), PRODUCT: timed(1.0)})


def test_the_forms_of_the_course_agree() -> None:
    text = neighbours.loops(noise(60, 200, 12))
    assert "| two loops | 2 |" in text and "They differ by at most 0e+00" in text.replace("e-16", "e+00")


def test_without_the_data_set_noise_of_its_size_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise DataError("not installed")

    monkeypatch.setattr(neighbours.pellucid, "load", refuse)
    monkeypatch.setattr(neighbours, "noise", lambda m, n, d: (m, n, d))
    assert neighbours.load() == (60_000, 10_000, 784)
