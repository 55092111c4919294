"""ONNX's own cases for its operators, each with its inputs, outputs and tolerances, run over `pellucid.scratch`.

They were written by other people for other implementations. Of each operator that stands in `ADAPTERS` every case
passes, or is named in `NOT_OFFERED` with the feature that is missing.
"""

import importlib
import pkgutil
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from adapters import ADAPTERS
from not_offered import NOT_OFFERED
from onnx.backend.test.case import node as onnx_cases
from onnx.helper import get_attribute_value

MODULES = {module.name.replace("_", ""): module.name for module in pkgutil.iter_modules(onnx_cases.__path__)}


@cache
def cases(operator: str) -> dict[str, Any]:
    """The cases of one operator by name, made when its module is imported; those of all would take a minute.

    Left out are those that repeat another with the operator written as a graph of others.
    """
    state = np.random.get_state()  # noqa: NPY002 - the modules seed it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # some make their infinities by dividing by zero
        importlib.import_module(f"{onnx_cases.__name__}.{MODULES[operator.lower()]}")
    np.random.set_state(state)  # noqa: NPY002
    found = (case for case in onnx_cases._NodeTestCases if case.model.graph.node[0].op_type == operator)
    return {case.name: case for case in found if "_expanded" not in case.name}


def run(case: Any) -> None:
    """As ONNX's own runner: types and shapes are the same, values within the case's tolerances."""
    (node,) = case.model.graph.node
    attributes = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
    attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}
    for inputs, outputs in case.data_sets:
        given, wanted = iter(inputs), iter(outputs)
        full = [np.array(next(given)) if name else None for name in node.input]
        before = [None if array is None else array.copy() for array in full]
        found = ADAPTERS[node.op_type](attributes, full, case.model.opset_import[0].version)
        for number, name in enumerate(node.output):
            if name:
                expected = next(wanted)
                assert found[number].dtype == expected.dtype
                np.testing.assert_allclose(found[number], expected, case.rtol, case.atol, strict=True)
        for array, kept in zip(full, before, strict=True):
            assert array is None or np.array_equal(array, kept, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("operator", ADAPTERS)
def test_every_case_of_an_operator_passes(operator: str) -> None:
    failed = {}
    for name, case in cases(operator).items():
        if name not in NOT_OFFERED:
            try:
                run(case)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
    assert failed == {}


def test_cases_not_offered_exist_and_are_not_all_of_an_operator() -> None:
    names = {operator: set(cases(operator)) for operator in ADAPTERS}
    assert sorted(NOT_OFFERED) == sorted(set(NOT_OFFERED) & set().union(*names.values()))
    assert [operator for operator, all_names in names.items() if not all_names - set(NOT_OFFERED)] == []
