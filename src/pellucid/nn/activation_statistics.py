"""What comes out of every layer of a network: mean, deviation, share of zeros and of saturated numbers.

A signal that shrinks from layer to layer, or sits at the ends of its activation, is why a deep network does not
start to learn. Modules without parts are seen by hooks; an activation that a larger module runs as a function
(`relu(x + y)`) is seen as the operation it is. The outputs of activations are the hidden layers, counted in the order
in which they ran.

Source: CS231n, lecture 6, where the lines come from; `pellucid.scratch.checks.activation_statistics` has the theory.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.core.errors import ConfigError, PellucidError
from pellucid.nn.geometry.field import aten
from pellucid.scratch.checks.activation_statistics import NEAR, line

Bounds = tuple[float, float]

# activations with two ends, and where those are; `in place` forms end in _
BOUNDED: dict[Any, Callable[[Sequence[Any]], Bounds]] = {
    aten.tanh: lambda arguments: (-1.0, 1.0),
    aten.sigmoid: lambda arguments: (0.0, 1.0),
    aten.hardsigmoid: lambda arguments: (0.0, 1.0),
    aten.hardtanh: lambda arguments: (float(arguments[1]), float(arguments[2])) if len(arguments) > 2 else (-1.0, 1.0),
}
UNBOUNDED = (
    aten.relu,
    aten.leaky_relu,
    aten._prelu_kernel,
    aten.rrelu_with_noise,
    aten.elu,
    aten.celu,
    aten.gelu,
    aten.silu,
    aten.hardswish,
    aten.mish,
    aten.softplus,
    aten.threshold,
    aten.log_sigmoid_forward,
)


@dataclass(frozen=True)
class ActivationRow:
    """The output of one layer, over the whole batch.

    Attributes:
        name: where it lies in the network; "input" for the batch itself.
        kind: class of the module, or name of the operation.
        shape: of the output, without the batch.
        mean, std: of all its numbers.
        zeros: share that is exactly 0.
        saturated: share within a twentieth of the range from either end; None for what has no two ends.
        hidden: 1, 2, ... for the outputs of activations, 0 for the input, None for everything else.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    mean: float
    std: float
    zeros: float
    saturated: float | None
    hidden: int | None


def activation_statistics(model: nn.Module, batch: Tensor, training: bool = False) -> list[ActivationRow]:
    """Run one batch through `model`, without gradients, and measure every layer's output.

    Args:
        model: its weights, buffers and training flags stay as they were.
        batch: (N, ...) what the model takes.
        training: run it as training would, with each batch's own statistics in batch norm; else as for prediction.

    Returns:
        The input first, then the layers in the order they ran; a layer that is used twice has two rows.

    Raises:
        ConfigError: the batch does not fit through a layer; the message names the layer.
    """
    watch = _Watch(model)
    watch.note("input", "", batch, None, hidden=0)
    with _watched(model, watch, training), torch.no_grad(), watch:
        try:
            model(batch)
        except PellucidError:
            raise
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            module = watch.running[-1].module
            layer = f"{watch.names[module]} ({type(module).__name__})"
            raise ConfigError(
                f"The batch {tuple(batch.shape)} does not fit through layer {layer}: {reason}."
            ) from error
    return watch.rows


def lines(rows: Sequence[ActivationRow]) -> list[str]:
    """Input and hidden layers as the course's notes print them: `hidden layer 3 had mean ... and std ...`."""
    return [
        line(f"hidden layer {row.hidden}" if row.hidden else "input layer", row.mean, row.std)
        for row in rows
        if row.hidden is not None
    ]


@dataclass
class _Running:
    """A module that is running, and the last activation inside of it."""

    module: nn.Module
    activation: Tensor | None = None
    bounds: Bounds | None = None


class _Watch(TorchDispatchMode):
    """Sees activations as operations, and by hooks which module runs them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.names = {module: name or type(model).__name__ for name, module in model.named_modules()}
        self.rows: list[ActivationRow] = []
        self.running: list[_Running] = [_Running(model)]
        self.n_hidden = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operation = out_of_place(func.overloadpacket)
        if operation in BOUNDED or operation in UNBOUNDED:
            out = result if isinstance(result, Tensor) else result[0]
            bounds = BOUNDED[operation](args) if operation in BOUNDED else None
            running = self.running[-1]
            if _has_parts(running.module):
                self.note(self.names[running.module], operation.__name__, out, bounds, self.next_hidden())
            else:
                running.activation, running.bounds = out, bounds
        return result

    def next_hidden(self) -> int:
        self.n_hidden += 1
        return self.n_hidden

    def enter(self, module: nn.Module, args: Any) -> None:
        self.running.append(_Running(module))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        done = self.running.pop()
        out = _first(output)
        if _has_parts(module) or out is None:
            return
        bounds, hidden = None, None
        if done.activation is not None:
            hidden = self.next_hidden()
            # x · sigmoid(x) has a sigmoid inside, but its output is not the sigmoid's
            bounds = done.bounds if done.activation.data_ptr() == out.data_ptr() else None
        self.note(self.names[module], type(module).__name__, out, bounds, hidden)

    def note(self, name: str, kind: str, out: Tensor, bounds: Bounds | None, hidden: int | None) -> None:
        numbers = out.detach().float()
        std, mean = torch.std_mean(numbers, correction=0)
        saturated = None
        if bounds:
            margin = NEAR * (bounds[1] - bounds[0])
            near = (numbers < bounds[0] + margin) | (numbers > bounds[1] - margin)
            saturated = float(near.float().mean())
        zeros = float((numbers == 0).float().mean())
        shape = tuple(out.shape[1:])
        self.rows.append(ActivationRow(name, kind, shape, float(mean), float(std), zeros, saturated, hidden))


@contextmanager
def _watched(model: nn.Module, watch: _Watch, training: bool) -> Iterator[None]:
    """Hooks on every module, and the mode asked for; both undone at the end, and buffers put back."""
    modules = list(model.modules())
    flags = [module.training for module in modules]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()] if training else []
    handles: list[Any] = []
    try:
        model.train(training)
        for module in modules:
            handles.append(module.register_forward_pre_hook(watch.enter))
            handles.append(module.register_forward_hook(watch.leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag
        for buffer, kept in buffers:
            buffer.copy_(kept)


def out_of_place(operation: Any) -> Any:
    """The operation that returns what this one does in place: `relu` for `relu_`."""
    name = operation.__name__
    return getattr(aten, name[:-1], operation) if name.endswith("_") and not name.endswith("__") else operation


def _has_parts(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _first(output: Any) -> Tensor | None:
    """The first tensor of floating-point numbers in an output."""
    if isinstance(output, Tensor):
        return output if output.is_floating_point() else None
    parts = output.values() if isinstance(output, dict) else output if isinstance(output, (list, tuple)) else ()
    return next((found for part in parts if (found := _first(part)) is not None), None)
