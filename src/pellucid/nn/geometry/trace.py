"""Every operation of one forward pass, written down as rows of layers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.nn.geometry.cost import macs, weights_of
from pellucid.nn.geometry.field import Field, aten, step
from pellucid.nn.geometry.rows import LayerRow

GATES = (aten.sigmoid, aten.sigmoid_, aten.hardsigmoid, aten.hardsigmoid_)
PRODUCT = (aten.mul, aten.mul_)


class Trace(TorchDispatchMode):
    """Sees every operation, and by hooks which module runs it.

    Attributes:
        rows: one a module without parts, and one an operation that a module with parts runs itself.
        peak: the most bytes of activations that were alive at one time.
        roles: number of parameters that convolutions and fully connected layers used.
        n_layers: convolutions and fully connected layers, each once.
    """

    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.names = {module: name or type(model).__name__ for name, module in model.named_modules()}
        self.rows: list[LayerRow] = []
        self.peak = bytes_of(image)
        self.roles: Counter[str] = Counter()
        self.n_layers = 0
        self.counted: set[Tensor] = set()  # parameters; a tensor's hash is its identity
        self.fields = WeakTensorKeyDictionary()
        self.fields[image] = Field((image.shape[-2], image.shape[-1]), picture=(image.shape[-2], image.shape[-1]))
        self.depths = WeakTensorKeyDictionary()
        self.gates = WeakTensorKeyDictionary()
        # where its numbers lie -> how many, for the parameters that no layer has used so far; a view lies there too
        self.fresh = {_place(parameter): parameter.numel() for parameter in model.parameters()}
        self.own = set(self.fresh)
        self.alive: WeakKeyDictionary[Any, int] = WeakKeyDictionary({image.untyped_storage(): bytes_of(image)})
        self.running: list[tuple[nn.Module, list[LayerRow], tuple[int, ...]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs = list(tensors([*args, *(kwargs or {}).values()]))
        outputs = [out for out in tensors([result]) if out.is_floating_point()]
        if not outputs:
            return result
        shared = [tensor.untyped_storage() for tensor in inputs]
        new = [out for out in outputs if not any(out.untyped_storage() is storage for storage in shared)]
        for out in new:
            self.alive[out.untyped_storage()] = bytes_of(out)
        self.peak = max(self.peak, sum(self.alive.values()))
        operation = func.overloadpacket
        depth = self._depth(operation, args, inputs, outputs)
        seen = [self.fields[tensor] for tensor in inputs if tensor in self.fields]
        field = step(operation, args, seen, outputs[0]) if seen else None
        if field:
            for out in outputs:
                self.fields[out] = field
        row = _row("", operation.__name__, outputs[0], field, depth)
        cost = macs(operation, args, outputs[0])
        self._note(replace(row, macs=cost, activation_bytes=sum(map(bytes_of, new))))
        return result

    def _depth(self, operation: Any, args: Sequence[Any], inputs: list[Tensor], outputs: list[Tensor]) -> int:
        """Layers with weights on the longest path to these results."""
        paths = [tensor for tensor in inputs if tensor in self.fields]
        if operation in PRODUCT and len(paths) > 1:
            # what only scales the maps is no layer that they pass
            full = [path for path in paths if path.numel() == outputs[0].numel() and path not in self.gates]
            paths = full or paths
        depth = max((self.depths.get(path, 0) for path in paths), default=0)
        if paths and (used := weights_of(operation, args)):
            depth += self._use(used[0], [part for part in used[1] if part not in self.fields])
        for out in outputs:
            self.depths[out] = depth
            if operation in GATES:
                self.gates[out] = True
        return depth

    def _use(self, role: str, weights: list[Tensor]) -> int:
        """1 for a layer that was not met before; none is where both factors of a product come from the picture."""
        places = {_place(weight) for weight in weights}
        again = bool(places & self.own) and not places & self.fresh.keys()
        for place in places & self.fresh.keys():
            self.roles[role] += self.fresh.pop(place)
        new = int(bool(weights) and not again)
        self.n_layers += new
        return new

    def _note(self, row: LayerRow) -> None:
        """Give an operation to the module that runs it: its own row in a module of parts, else a share of one."""
        module, inside, _ = self.running[-1]
        if not _has_parts(module):
            inside.append(row)
        elif row.macs or row.activation_bytes:
            self.rows.append(replace(row, name=self.names[module]))

    def enter(self, module: nn.Module, args: Any) -> None:
        """Before a module runs."""
        first = next(tensors(args), None)
        self.running.append((module, [], () if first is None else tuple(first.shape)))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """After a module ran."""
        _, inside, _ = self.running.pop()
        own = self.own_parameters(module)
        self.counted.update(own)
        out = next(tensors([output]), None)
        if out is None or (_has_parts(module) and not own):
            return
        row = _row(self.names[module], type(module).__name__, out, self.fields.get(out), self.depths.get(out, 0))
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


def tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments or results, also inside of lists and dicts."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from tensors(value)


def bytes_of(tensor: Tensor) -> int:
    """As float32, so that networks can be compared."""
    return 4 * tensor.numel()


def _row(name: str, kind: str, out: Tensor, field: Field | None, depth: int) -> LayerRow:
    seen = field or Field((1, 1))
    size = (int(seen.size[0] + 1e-6), int(seen.size[1] + 1e-6))
    return LayerRow(
        name, kind, tuple(out.shape[1:]), receptive_field=size, stride=seen.stride, dropped=seen.dropped, depth=depth
    )


def _has_parts(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _place(tensor: Tensor) -> int:
    storage: torch.UntypedStorage = tensor.untyped_storage()
    return storage._cdata
