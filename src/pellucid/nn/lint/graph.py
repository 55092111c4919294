"""The operations of a network and what flows between them, for rules to walk along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pellucid.core.errors import ConfigError, PellucidError
from pellucid.nn.geometry.trace import tensors
from pellucid.nn.geometry.watched import watched

# what gives the same numbers in another shape or place
VIEWS = frozenset(
    "view _unsafe_view reshape permute transpose t expand select slice squeeze unsqueeze clone contiguous detach alias "
    "_to_copy flatten constant_pad_nd".split()
)


@dataclass(frozen=True)
class Node:
    """One operation, as it ran.

    Attributes:
        index: its place in the order they ran; 0 is the picture.
        operation: name of the aten operation, without the underscore of those in place.
        name: of the innermost module that ran it.
        module: that module.
        args: positional arguments, tensors as their shapes.
        sources: indices of the operations whose results it takes, of those that come from the picture.
        shape: of the result, (N, ...).
    """

    index: int
    operation: str
    name: str
    module: nn.Module | None
    args: tuple[Any, ...]
    sources: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """A network's operations in the order they ran, and those that give its answers."""

    nodes: tuple[Node, ...]
    answers: tuple[int, ...]

    def before(self, node: Node) -> Node:
        """The operation whose numbers `node` takes first, views left out."""
        return self.behind(self.nodes[node.sources[0]])

    def behind(self, node: Node) -> Node:
        """The operation that made the numbers of `node`: itself, unless it is a view."""
        while node.operation in VIEWS and node.sources:
            node = self.nodes[node.sources[0]]
        return node

    def of(self, *operations: str) -> Iterator[Node]:
        """All that are one of these operations."""
        return (node for node in self.nodes if node.operation in operations)


def record(model: nn.Module, channels: int, image_size: tuple[int, int]) -> Graph:
    """Run one empty picture through `model`, its auxiliary heads included, and write down what happens.

    Args: as for `pellucid.nn.geometry.describe`.

    Raises:
        ConfigError: the picture does not fit.
    """
    like = next(chain(model.parameters(), model.buffers()), torch.empty(0))
    image = torch.zeros(1, channels, *image_size, dtype=like.dtype, device=like.device)
    recorder = _Recorder(model, image)
    with watched(model, recorder, training=True), torch.no_grad(), recorder:
        try:
            answer = model(image)
        except PellucidError:
            raise
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise ConfigError(
                f"The network cannot take {channels}x{image_size[0]}x{image_size[1]}: {reason}."
            ) from error
    found = [recorder.made[out] for out in tensors([answer]) if out in recorder.made]
    return Graph(tuple(recorder.nodes), tuple(found))


class _Recorder(TorchDispatchMode):
    def __init__(self, model: nn.Module, image: Tensor) -> None:
        super().__init__()
        self.names = {module: name or type(module).__name__ for name, module in model.named_modules()}
        self.nodes = [Node(0, "picture", "picture", None, (), (), tuple(image.shape))]
        self.made = WeakTensorKeyDictionary()  # tensor -> index of the operation that gave it
        self.made[image] = 0
        self.running: list[nn.Module] = []

    def enter(self, module: nn.Module, args: Any) -> None:
        self.running.append(module)

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        self.running.pop()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        sources = [self.made[tensor] for tensor in tensors([*args, *(kwargs or {}).values()]) if tensor in self.made]
        outputs = [out for out in tensors([result]) if out.is_floating_point()]
        if not sources or not outputs:
            return result
        module = self.running[-1] if self.running else None
        name = self.names[module] if module is not None else ""
        operation = func.overloadpacket.__name__.rstrip("_")
        plain = tuple(tuple(arg.shape) if isinstance(arg, Tensor) else arg for arg in args)
        node = Node(len(self.nodes), operation, name, module, plain, tuple(sources), tuple(outputs[0].shape))
        self.nodes.append(node)
        for out in outputs:
            self.made[out] = node.index
        return result
