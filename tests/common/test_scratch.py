"""Every hand-written layer, from the table of subjects: its proofs hold, and it changes nothing behind one's back."""

import ast
import copy
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.proof.case import Case, Layer, Loss
from pellucid.proof.mutation import plant, plant_and_prove
from pellucid.proof.prove import prove
from pellucid.proof.subjects import SUBJECTS

CASES = [(name, case) for name, subject in SUBJECTS.items() for case in subject.cases(subject.module)]
CALLS = [
    pytest.param(case, draw, id=f"{name}, {case.name}, {label}")
    for name, case in CASES
    if isinstance(case, (Layer, Loss))
    for label, draw in case.inputs.items()
]
SCRATCH = Path(inspect.getfile(prove)).parents[1] / "scratch"
PLANTED_QUICKLY = 6  # of each file; all of them are planted by `make mutants`


def convert(argument: Any, dtype: type) -> Any:
    """Float arrays in another format, also those inside a dict of settings; everything else a copy."""
    if isinstance(argument, np.ndarray) and argument.dtype == np.float64:
        return argument.astype(dtype)
    if isinstance(argument, dict):
        return {key: convert(value, dtype) for key, value in argument.items()}
    return copy.deepcopy(argument)


def run(case: Layer | Loss, arguments: list[Any], douts: list[np.ndarray] | None) -> tuple[list[Any], list[Any]]:
    """Outputs and gradients."""
    if isinstance(case, Loss):
        value, *gradients = case.function(*arguments)
        return [np.asarray(value)], gradients
    *outputs, cache = case.forward(*arguments)
    douts = douts if douts is not None else [np.ones_like(out) for out in outputs]
    gradients = case.backward(*douts, cache)
    return outputs, list(gradients) if isinstance(gradients, tuple) else [gradients]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{name}, {case.name}") for name, case in CASES])
def test_all_proofs_hold(case: Case) -> None:
    assert prove(case, seed=1).failures == ()


@pytest.mark.parametrize("name", SUBJECTS)
def test_names_of_cases_are_unique(name: str) -> None:
    names = [case.name for case in SUBJECTS[name].cases(SUBJECTS[name].module)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("case", "draw"), CALLS)
def test_float32_stays_float32_and_close(case: Layer | Loss, draw: Callable[[np.random.Generator], Any]) -> None:
    exact = draw(np.random.default_rng(3))
    outputs, gradients = run(case, [convert(each, np.float64) for each in exact], None)
    short_outputs, short_gradients = run(case, [convert(each, np.float32) for each in exact], None)
    for long, short in zip([*outputs, *gradients], [*short_outputs, *short_gradients], strict=True):
        if not isinstance(long, np.ndarray) or long.dtype != np.float64:
            continue
        assert np.ndim(short) == 0 or short.dtype == np.float32
        largest = max(1.0, float(np.max(np.abs(long), initial=0.0)))
        assert float(np.max(np.abs(long - short), initial=0.0)) <= 1e-4 * largest


@pytest.mark.parametrize(("case", "draw"), CALLS)
def test_arguments_are_not_changed(case: Layer | Loss, draw: Callable[[np.random.Generator], Any]) -> None:
    arguments = list(draw(np.random.default_rng(3)))
    before = copy.deepcopy(arguments)
    rng = np.random.default_rng(4)
    outputs, _ = run(case, copy.deepcopy(arguments), None)
    douts = [rng.standard_normal(np.shape(out)) for out in outputs]
    kept = copy.deepcopy(douts)
    run(case, arguments, douts)
    arrays = [(a, b) for a, b in zip(before, arguments, strict=True) if isinstance(a, np.ndarray)]
    for first, second in [*arrays, *zip(kept, douts, strict=True)]:
        assert np.array_equal(first, second)


@pytest.mark.parametrize("name", SUBJECTS)
def test_planted_bugs_are_noticed(name: str) -> None:
    """A few of each file, and every reason given for a survivor belongs to a bug that can be planted."""
    outcome = plant_and_prove(SUBJECTS[name], PLANTED_QUICKLY)
    assert outcome.unexplained == ()
    assert outcome.stale == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_planted_bug_is_noticed(name: str) -> None:
    outcome = plant_and_prove(SUBJECTS[name])
    assert outcome.unexplained == ()
    assert outcome.stale == ()


@pytest.mark.parametrize("name", SUBJECTS)
def test_at_least_ten_bugs_can_be_planted(name: str) -> None:
    """But for three files that compute next to nothing: an order of nodes, a table, a format of files."""
    fewest = {"topological-order": 7, "activation-table": 5, "checkpoint": 5}.get(name, 10)
    assert len(list(plant(inspect.getsource(SUBJECTS[name].module)))) >= fewest


def test_every_file_with_a_gradient_is_a_subject() -> None:
    proven = {Path(str(subject.module.__file__)) for subject in SUBJECTS.values()}
    missing = []
    for path in sorted(SCRATCH.rglob("*.py")):
        functions = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "name")}
        pairs = [
            name
            for name in functions
            if name.endswith("_forward") and name.replace("_forward", "_backward") in functions
        ]
        if pairs and path not in proven:
            missing.append(f"{path.relative_to(SCRATCH)}: {', '.join(sorted(pairs))}")
    assert not missing, "\n".join(missing)


def test_every_file_says_formula_derivation_and_source() -> None:
    """The pages of docs/from-scratch are made of them."""
    silent = []
    for subject in SUBJECTS.values():
        said = inspect.getdoc(subject.module) or ""
        silent += [
            f"{subject.module.__name__}: {part}" for part in ("Formula:", "Derivation:", "Source:") if part not in said
        ]
    assert not silent, "\n".join(silent)
