"""Planted bugs: what is planted, what is left alone, what is noticed."""

import sys
import textwrap
from types import ModuleType
from typing import Any

import pytest

from pellucid.core.errors import DataError
from pellucid.proof.case import Check, Subject
from pellucid.proof.mutation import plant, plant_and_prove


def names(source: str) -> list[str]:
    return [bug.name for bug in plant(textwrap.dedent(source))]


def test_each_kind_of_change() -> None:
    assert names("def f(a, b): return a - b") == [
        "f: return a - b -> return -(a - b)",
        "f: return a - b -> return 2.0 * (a - b)",
        "f: a - b -> a + b",
        "f: a - b -> b - a",
        "f: a - b -> a",
        "f: a - b -> b",
    ]
    assert "f: x > 0 -> x >= 0" in names("def f(x): return x > 0")
    assert "f: x > 0 -> x > 1" in names("def f(x): return x > 0")
    assert "f: axis=1 -> axis=0" in names("def f(x): return x.sum(axis=1)")
    assert "f: x.sum(axis=1) -> x.mean(axis=1)" in names("def f(x): return x.sum(axis=1)")
    assert "f: np.maximum(x, 0) -> np.minimum(x, 0)" in names("def f(x): return np.maximum(x, 0)")
    assert "f: np.where(a, b, c) -> np.where(a, c, b)" in names("def f(a, b, c): return np.where(a, b, c)")
    assert "f: w.T @ x -> w @ x" in names("def f(w, x): return w.T @ x")
    assert "f: total += x -> total -= x" in names("def f(x):\n total = 0\n total += x")
    assert "f: keepdims=True -> keepdims=False" in names("def f(x): return x.max(keepdims=True)")
    assert "f: -x -> x" in names("def f(x):\n y = -x")
    assert "f: 1 if a else 2 -> 2 if a else 1" in names("def f(a):\n y = 1 if a else 2")
    assert "f: g(a, b) -> g(b, a)" in names("def f(a, b): return g(a, b)")
    assert "f: g(a, b) -> g(a, a)" in names("def f(a, b): return g(a, b)")
    assert names("def f(a):\n b = g(a, a)") == []
    assert "module: ALPHA = 1.5 -> ALPHA = 3.0" in names("ALPHA = 1.5")
    assert "Net.f: x + 1 -> x - 1" in names("class Net:\n def f(self, x):\n  y = x + 1")


def test_what_computes_nothing_is_left_alone() -> None:
    source = '''
        """A docstring with 1 number."""
        import numpy as np
        def f(x: "Array[1]") -> "Array[2]":
            """Another, 3."""
            if x.ndim != 2:
                raise ValueError(f"two axes, got {x.ndim + 1}")
            _check_more(x, 2)
            if x.size == 0:
                wanted = 1 + 2
                raise ValueError(wanted)
            elif x.size == 1:
                raise ValueError(x)
            x.reshape(y, -1)
            return None
        def _check_shapes(x) -> None:
            y = x + 1
    '''
    assert names(source) == []


def test_names_are_unique_and_the_tree_is_put_back() -> None:
    source = "def f(x):\n a = x + 1\n b = x + 1\n return a * b"
    found = names(source)
    assert len(set(found)) == len(found)
    assert "f: x + 1 -> x - 1" in found and "f: x + 1 -> x - 1 (2)" in found
    assert found == names(source)


@pytest.fixture
def subject(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Subject:
    (tmp_path / "doubling.py").write_text("def double(x):\n    return x + x\n\n\ndef spare(x):\n    return x - 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import doubling  # type: ignore[import-not-found]

    monkeypatch.delitem(sys.modules, "doubling")

    def cases(layer: Any) -> list[Check]:
        return [Check("double", lambda: abs(layer.double(3.0) - 6.0))]

    assert isinstance(doubling, ModuleType)
    return Subject(doubling, cases)


def test_what_is_proven_is_noticed_and_what_is_not_survives(subject: Subject) -> None:
    outcome = plant_and_prove(subject)
    assert outcome.planted == 13
    assert outcome.caught == 5  # of double: sign, factor, minus, and either operand
    assert all(name.startswith("spare: ") for name in outcome.survivors)
    assert outcome.unexplained == outcome.survivors


def test_proofs_that_fail_anyway_catch_nothing(subject: Subject) -> None:
    failing = Subject(subject.module, lambda layer: [Check("never holds", lambda: 1.0)])
    with pytest.raises(DataError, match=r"The proofs of .*doubling\.py fail without any planted bug"):
        plant_and_prove(failing)


def test_reasons_have_to_belong_to_survivors(subject: Subject) -> None:
    reasons = {
        "spare: x - 1 -> x + 1": "nobody calls it",
        "double: x + x -> x - x": "it is caught",
        "double: x + y -> x": "it is not there",
    }
    outcome = plant_and_prove(Subject(subject.module, subject.cases, reasons))
    assert "spare: x - 1 -> x + 1" not in outcome.unexplained
    assert outcome.stale == ("double: x + x -> x - x", "double: x + y -> x")


def test_an_endless_loop_is_noticed(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.proof.mutation.SECONDS", 1)

    def cases(layer: Any) -> list[Check]:
        def wait() -> float:
            while layer.double(3.0) == 0:
                pass
            return abs(layer.double(3.0) - 6.0)

        return [Check("waits for a number", wait)]

    assert plant_and_prove(Subject(subject.module, cases), limit=6).caught >= 1
