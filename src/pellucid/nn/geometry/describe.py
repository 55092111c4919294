"""Sizes, costs and receptive fields of every layer of a network, from one forward pass of an empty picture.

Nothing is read off the layers' settings: the operations torch really runs are watched, so that functions
(`relu`, `+`, `interpolate`) are seen like modules. A module without parts is one row; an operation that a
larger module runs itself is a row of its own.

What is counted: one multiply-add (MAC) a weight and output of convolutions, transposed convolutions,
linear layers and matrix products, the usual convention; nothing for norms, activations, pools, resizing
and additions. Twice the MACs are the floating-point operations. Activations are counted as float32 and for
one picture.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.core.errors import ConfigError, PellucidError
from pellucid.nn.geometry.field import Field, Pair, aten, step


@dataclass(frozen=True)
class LayerRow:
    """One layer, as it ran.

    Attributes:
        name: where it lies in the network, such as `layer1.0.conv1`.
        kind: class of the module, or name of the operation.
        output_shape: of its output, without the batch.
        parameters: those not counted in a row above; a layer that is used twice has them once.
        macs: multiply-adds for one picture.
        activation_bytes: new memory for its results; 0 for views and for what works in place.
        receptive_field: (height, width) in pixels of the picture; more than the picture has means all of it.
        stride: pixels of the picture between neighbouring units, (height, width).
        dropped: rows and columns of its input at the far border that no window reaches: sizes that do not fit.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int = 0
    macs: int = 0
    activation_bytes: int = 0
    receptive_field: tuple[int, int] = (1, 1)
    stride: Pair = (1.0, 1.0)
    dropped: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Geometry:
    """A network, layer by layer, and in all.

    Attributes:
        rows: layers in the order they ran.
        input_shape: (C, H, W) of the picture.
        parameters, trainable: every parameter once.
        macs: multiply-adds for one picture.
        training_bytes: memory of the activations of one picture when all are kept for the way back.
        inference_bytes: the most that was alive at one time without keeping them, the picture included.
        unused: names of modules whose own parameters were not used.
    """

    rows: tuple[LayerRow, ...]
    input_shape: tuple[int, int, int]
    parameters: int
    trainable: int
    macs: int
    training_bytes: int
    inference_bytes: int
    unused: tuple[str, ...] = ()


def describe(model: nn.Module, channels: int, image_size: tuple[int, int]) -> Geometry:
    """Run one empty picture through `model` and write down what happens.

    The pass is made in evaluation mode without gradients; the model, its training flags and its statistics
    stay as they were.

    Args:
        model: takes (1, C, H, W) of the type and on the device of its parameters.
        channels: C.
        image_size: H and W in pixels.

    Raises:
        ConfigError: the picture does not fit through a layer; the message names the layer.
    """
    like = next(chain(model.parameters(), model.buffers()), torch.empty(0))
    image = torch.zeros(1, channels, *image_size, dtype=like.dtype, device=like.device)
    trace = _Trace(model, image)
    with _watched(model, trace), torch.no_grad(), trace:
        try:
            model(image)
        except PellucidError:
            raise
        except (RuntimeError, ValueError) as error:
            raise ConfigError(trace.explain(error)) from error
    rows = tuple(trace.rows)
    return Geometry(
        rows=rows,
        input_shape=(channels, *image_size),
        parameters=sum(p.numel() for p in model.parameters()),
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=sum(row.macs for row in rows),
        training_bytes=_bytes(image) + sum(row.activation_bytes for row in rows),
        inference_bytes=trace.peak,
        unused=tuple(name for name, module in model.named_modules() if trace.own_parameters(module)),
    )


class _Trace(TorchDispatchMode):
    """Sees every operation, and by hooks which module runs it."""

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.names = {module: name or type(model).__name__ for name, module in model.named_modules()}
        self.rows: list[LayerRow] = []
        self.peak = _bytes(image)
        self.counted: set[Tensor] = set()  # parameters; a tensor's hash is its identity
        self.fields = WeakTensorKeyDictionary()
        self.fields[image] = Field((image.shape[-2], image.shape[-1]))
        self.alive: WeakKeyDictionary[Any, int] = WeakKeyDictionary({image.untyped_storage(): _bytes(image)})
        self.running: list[tuple[nn.Module, list[LayerRow], tuple[int, ...]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs = list(_tensors([*args, *(kwargs or {}).values()]))
        outputs = [out for out in _tensors([result]) if out.is_floating_point()]
        if not outputs:
            return result
        shared = [tensor.untyped_storage() for tensor in inputs]
        new = [out for out in outputs if not any(out.untyped_storage() is storage for storage in shared)]
        for out in new:
            self.alive[out.untyped_storage()] = _bytes(out)
        self.peak = max(self.peak, sum(self.alive.values()))
        operation = func.overloadpacket
        seen = [self.fields[tensor] for tensor in inputs if tensor in self.fields]
        field = step(operation, args, seen, outputs[0]) if seen else None
        if field:
            for out in outputs:
                self.fields[out] = field
        cost = _macs(operation, args, outputs[0])
        row = _row("", operation.__name__, outputs[0], field)
        self._note(replace(row, macs=cost, activation_bytes=sum(map(_bytes, new))))
        return result

    def _note(self, row: LayerRow) -> None:
        """Give an operation to the module that runs it: its own row in a module of parts, else a share of one."""
        module, inside, _ = self.running[-1]
        if not _has_parts(module):
            inside.append(row)
        elif row.macs or row.activation_bytes:
            self.rows.append(replace(row, name=self.names[module]))

    def enter(self, module: nn.Module, args: Any) -> None:
        first = next(_tensors(args), None)
        self.running.append((module, [], () if first is None else tuple(first.shape)))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        _, inside, _ = self.running.pop()
        own = self.own_parameters(module)
        self.counted.update(own)
        out = next(_tensors([output]), None)
        if out is None or (_has_parts(module) and not own):
            return
        row = _row(self.names[module], type(module).__name__, out, self.fields.get(out))
        self.rows.append(
            replace(
                row,
                parameters=sum(parameter.numel() for parameter in own),
                macs=sum(part.macs for part in inside),
                activation_bytes=sum(part.activation_bytes for part in inside),
                dropped=(
                    max((p.dropped[0] for p in inside), default=0),
                    max((p.dropped[1] for p in inside), default=0),
                ),
            )
        )

    def own_parameters(self, module: nn.Module) -> list[Tensor]:
        """Parameters of the module itself that no row has counted so far."""
        return [parameter for parameter in module.parameters(recurse=False) if parameter not in self.counted]

    def explain(self, error: Exception) -> str:
        """One line about the layer that could not take its input."""
        module, _, shape = self.running[-1]
        reason = str(error).strip().splitlines()[0].rstrip(".")
        sizes = "x".join(str(number) for number in shape[1:])
        layer = f"{self.names[module]} ({type(module).__name__})"
        return (
            f"The picture does not fit through layer {layer}, which got {sizes}: {reason}. "
            "Choose another image size or number of channels."
        )


@contextmanager
def _watched(model: nn.Module, trace: _Trace) -> Iterator[None]:
    """Hooks on every module, and evaluation mode; both undone at the end."""
    modules = list(model.modules())
    training = [module.training for module in modules]
    handles: list[Any] = []
    try:
        model.eval()
        for module in modules:
            handles.append(module.register_forward_pre_hook(trace.enter))
            handles.append(module.register_forward_hook(trace.leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, flag in zip(modules, training, strict=True):
            module.training = flag


def _macs(operation: Any, args: Sequence[Any], out: Tensor) -> int:
    if operation is aten.convolution:
        # each weight of a filter is used once for every output, or for every input where it is transposed
        return int((args[0] if args[6] else out).numel() * args[1][0].numel())
    if operation in (aten.mm, aten.bmm, aten.linear):
        return int(out.numel() * args[0].shape[-1])
    if operation in (aten.addmm, aten.baddbmm):
        return int(out.numel() * args[1].shape[-1])
    return 0


def _row(name: str, kind: str, out: Tensor, field: Field | None) -> LayerRow:
    seen = field or Field((1, 1))
    size = (int(seen.size[0] + 1e-6), int(seen.size[1] + 1e-6))
    return LayerRow(name, kind, tuple(out.shape[1:]), receptive_field=size, stride=seen.stride, dropped=seen.dropped)


def _has_parts(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments or results, also inside of lists and dicts."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from _tensors(value)


def _bytes(tensor: Tensor) -> int:
    return 4 * tensor.numel()
