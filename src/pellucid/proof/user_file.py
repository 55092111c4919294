"""The same proofs over a file that somebody else wrote: every pair NAME_forward, NAME_backward in it.

A name that the course has (`affine_forward`, `svm_loss`, `adam`) is proven on our inputs and beside our twin. Any
other pair is proven on the inputs that `NAME_inputs(rng)` in the file draws, or, when forward needs one array and
nothing else, on random ones; beside `NAME_twin`, when the file has it or the command names one.
"""

import inspect
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from pellucid.core.choose import unknown
from pellucid.core.errors import ConfigError, DataError, PellucidError
from pellucid.proof.case import Case, Check, Inputs, Layer, Loss, Subject, Update

# Settings that the course's layers have. Inputs of ours that use others are left out: nobody's homework needs them.
COURSE_SETTINGS = frozenset(
    "stride pad pool_height pool_width mode p seed eps momentum running_mean running_var".split()
)
AFFINE = 1e-9  # what the second difference of an affine function may be, relative to its values

Functions = dict[str, Callable[..., Any]]


def cases_of_file(path: Path, subjects: Mapping[str, Subject], twins: Mapping[str, str]) -> list[Case]:
    """What can be proven of the functions in a file.

    Args:
        path: a Python file; it is executed.
        subjects: our own layers, by which a name of the course is recognised.
        twins: name of a layer -> PyTorch function such as `torch.nn.functional.gelu`.

    Raises:
        DataError: the file cannot be read or run, or has nothing to prove.
        ConfigError: a twin is not to be found, or an input cannot be guessed.
    """
    functions = run_file(path)
    cases = [case for subject in subjects.values() for case in _of_the_course(subject, functions)]
    proven = {name for case in cases for name in _used(case)}
    for name in _pairs(functions):
        if not {f"{name}_forward", f"{name}_backward"} & proven:
            cases.append(_of_its_own(name, functions, _find_twin(name, functions, twins)))
    wrong = [name for name in twins if name not in {case.name for case in cases}]
    if wrong:
        raise ConfigError(unknown(wrong[0], [case.name for case in cases], "layer of --twin"))
    if not cases:
        found = ", ".join(sorted(functions)) or "none"
        raise DataError(
            f"{path.name} has no pair of functions NAME_forward and NAME_backward, nor a loss or rule of the course. "
            f"Its functions: {found}."
        )
    return cases


def run_file(path: Path) -> Functions:
    """The functions that a Python file defines.

    Raises:
        DataError: it is not there, is no Python, or raises an error when it is run.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    try:
        names = runpy.run_path(str(path))
    except SyntaxError as error:
        raise DataError(f"{path.name} is not Python: {error.msg}, line {error.lineno}.") from error
    except (Exception, SystemExit) as error:
        raise DataError(f"{path.name} could not be run: {type(error).__name__}: {error}.") from error
    return {name: thing for name, thing in names.items() if inspect.isfunction(thing)}


def _pairs(functions: Functions) -> list[str]:
    """Names of the layers; a forward without its backward is an error, since it was probably meant to have one."""
    names = [name.removesuffix("_forward") for name in functions if name.endswith("_forward")]
    for name in names:
        if f"{name}_backward" not in functions:
            raise DataError(f"{name}_forward has no {name}_backward beside it: define it, (dout, cache) -> gradients.")
    return names


def _of_the_course(subject: Subject, functions: Functions) -> Iterator[Case]:
    """Our cases, with the functions of the file in the place of ours of the same name."""
    own = {name for name, thing in vars(subject.module).items() if inspect.isfunction(thing)}
    theirs = {name: functions[name] for name in own & functions.keys() if not name.startswith("_")}
    if not theirs:
        return
    mixed = ModuleType(subject.module.__name__)
    mixed.__dict__.update(vars(subject.module) | theirs)
    for case in subject.cases(mixed):
        if isinstance(case, Update):
            if case.rule in theirs.values():
                yield case
        elif isinstance(case, (Layer, Loss)):
            parts = (case.forward, case.backward) if isinstance(case, Layer) else (case.function,)
            beyond = case.beyond if isinstance(case, Layer) else ()
            inputs = {k: draw for k, draw in case.inputs.items() if k not in beyond and _is_plain(draw, parts[0])}
            if inputs and all(part in theirs.values() for part in parts):  # ours as loops would not know their cache
                yield _called_like_ours(replace(case, inputs=inputs, loops=None), vars(subject.module))


def _called_like_ours(case: Layer | Loss, ours: Mapping[str, Any]) -> Layer | Loss:
    """The case with our names of the parameters: whoever calls `prev_h` just `h` is no less right."""
    function = case.forward if isinstance(case, Layer) else case.function

    def renamed(*arguments: Any) -> Any:
        return function(*arguments)

    renamed.__signature__ = inspect.signature(ours[function.__name__])  # type: ignore[attr-defined]
    renamed.__name__ = function.__name__
    return replace(case, forward=renamed) if isinstance(case, Layer) else replace(case, function=renamed)


def _used(case: Case) -> list[str]:
    parts = (case.forward, case.backward) if isinstance(case, Layer) else ()
    return [part.__name__ for part in parts]


def _is_plain(draw: Inputs, function: Callable[..., Any]) -> bool:
    """Whether a function with the course's arguments and settings can take these inputs."""
    arguments = draw(np.random.default_rng(0))
    settings = [argument for argument in arguments if isinstance(argument, dict)]
    known = all(each.keys() <= COURSE_SETTINGS for each in settings)
    plain = not any(
        isinstance(value, (tuple, str)) for each in settings for name, value in each.items() if name != "mode"
    )
    return known and plain and len(arguments) <= len(inspect.signature(function).parameters)


def _of_its_own(name: str, functions: Functions, twin: Callable[..., Any] | None) -> Case:
    """A layer that the course does not know; one that breaks down is a case that raises what it raised."""
    try:
        return _examine(name, functions, twin)
    except PellucidError:
        raise
    except Exception as error:
        return Check(name, _raising(error))


def _raising(error: Exception) -> Callable[[], float]:
    def again() -> float:
        raise error

    return again


def _examine(name: str, functions: Functions, twin: Callable[..., Any] | None) -> Layer:
    forward, backward = functions[f"{name}_forward"], functions[f"{name}_backward"]
    inputs = _inputs(name, forward, functions)
    draw = next(iter(inputs.values()))
    arguments = draw(np.random.default_rng(0))
    result = forward(*arguments)
    if not isinstance(result, tuple) or len(result) < 2:
        raise DataError(f"{name}_forward must return (out, cache), got {type(result).__name__}.")
    gradients = backward(*(np.ones_like(out) for out in result[:-1]), result[-1])
    n_gradients = len(gradients) if isinstance(gradients, tuple) else 1
    parameters = list(inspect.signature(forward).parameters)
    floats = [parameter for parameter, value in zip(parameters, arguments, strict=False) if _is_float(value)]
    if n_gradients > len(floats):
        raise DataError(
            f"{name}_backward returns {n_gradients} gradients, but {name}_forward takes {len(floats)} float arrays: "
            f"{', '.join(floats) or 'none'}. Return one a float array, in their order."
        )
    compared = tuple(floats[:n_gradients])
    affine = tuple(each for each in compared if _is_affine(forward, arguments, parameters.index(each)))
    return Layer(name, forward, backward, inputs, compared, affine, twin)


def _inputs(name: str, forward: Callable[..., Any], functions: Functions) -> dict[str, Inputs]:
    if given := functions.get(f"{name}_inputs"):
        takes_rng = bool(inspect.signature(given).parameters)
        return {"its inputs": lambda rng: _tuple(given(rng) if takes_rng else given())}
    needed = [p.name for p in inspect.signature(forward).parameters.values() if p.default is p.empty]
    if len(needed) == 1:
        return {f"x {shape}": _one_array(shape) for shape in ((3, 4), (2, 3, 4, 5))}
    raise ConfigError(
        f"What are the inputs of {name}_forward({', '.join(needed)})? Say so beside it: "
        f"def {name}_inputs(rng): return ({', '.join(needed)}), float64 arrays drawn with rng.standard_normal(shape)."
    )


def _one_array(shape: tuple[int, ...]) -> Inputs:
    return lambda rng: (rng.standard_normal(shape),)


def _tuple(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else (given,)


def _find_twin(name: str, functions: Functions, twins: Mapping[str, str]) -> Callable[..., Any] | None:
    if name not in twins:
        return functions.get(f"{name}_twin")
    found: Any = torch
    path = twins[name].split(".")
    for part in path[1:] if path[0] == "torch" else path:
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigError(f"PyTorch has no function {twins[name]}. Name one such as torch.nn.functional.gelu.")
    return found if not isinstance(found, type) else found()


def _is_float(value: object) -> bool:
    return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)


def _is_affine(forward: Callable[..., Any], arguments: Sequence[Any], at: int) -> bool:
    """Whether f(x + u + v) - f(x + u) - f(x + v) + f(x) is 0 for two random steps."""
    rng = np.random.default_rng(1)
    u, v = (rng.standard_normal(np.shape(arguments[at])) for _ in range(2))

    def value(step: np.ndarray | float) -> np.ndarray:
        moved = list(arguments)
        moved[at] = arguments[at] + step
        return np.concatenate([np.ravel(out) for out in forward(*moved)[:-1]])

    second = value(u + v) - value(u) - value(v) + value(0.0)
    return bool(np.max(np.abs(second), initial=0.0) <= AFFINE * (1 + np.max(np.abs(value(u)), initial=0.0)))
