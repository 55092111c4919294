"""What comes out of the activations of a network, measured while it trains and without a trace.

Letters: N pictures of the batch, U units (the channels of an image layer, the features of others).

As in `pellucid.nn.activation_statistics`, activations are seen as the operations they are, so that it does not matter
whether a network calls them as modules or as functions. That one measures everything once; this one is made to be
cheap: a few pictures, one pass over each activation, and the numbers stay on the device until the step is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.nn.activation_statistics import BOUNDED, UNBOUNDED, out_of_place
from pellucid.nn.geometry.field import aten
from pellucid.scratch.checks.activation_statistics import NEAR

PICTURES = 32  # of the batch that are looked at
SILENT_LOOKS = 3  # a unit that is 0 on all pictures of so many looks in a row counts as dead
LAST = {aten.addmm, aten.mm, aten.linear}  # operations after which units lie along the last dimension
CAN_DIE = {aten.relu, aten.threshold}  # 0 with a slope of 0 for all that is negative; relu6 is a hardtanh
ENDS = {aten.tanh, aten.sigmoid}  # whose ends are where gradients vanish


@dataclass
class Measured:
    """Numbers of one activation, still on the device.

    Attributes:
        moments: (3,) mean, std, signal.
        silent: (U,) bool, whether a unit is 0 everywhere; None where it cannot die.
        saturated: scalar, or None.
    """

    kind: str
    weight: str
    moments: Tensor
    silent: Tensor | None
    saturated: Tensor | None


class Watch(TorchDispatchMode):
    """Sees one forward pass of a model. `measured` and `input` are what it saw."""

    def __init__(self, names: dict[nn.Module, str]) -> None:
        super().__init__()
        self.names = names
        self.measured: dict[str, Measured] = {}
        self.input: Tensor | None = None  # (3,) as `Measured.moments`
        self.running: list[nn.Module] = []
        self.weight = ""
        self.unit_dim = 1

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        operation = out_of_place(func.overloadpacket)
        if operation is aten.convolution:
            self.unit_dim = 1
        elif operation in LAST:
            self.unit_dim = -1
        elif operation in BOUNDED or operation in UNBOUNDED:
            out = result if isinstance(result, Tensor) else result[0]
            if out.ndim >= 2 and out.numel():
                self._note(operation, out, args)
        return result

    def enter(self, module: nn.Module, args: Any) -> None:
        """Before a module runs."""
        self.running.append(module)
        if not _own_weight(module):
            return
        first = next((value for value in args if isinstance(value, Tensor)), None)
        if not self.weight and first is not None and first.is_floating_point() and first.ndim >= 2 and first.numel():
            self.input = _moments(first[:PICTURES].detach().float(), 1)[0]
        self.weight = f"{self.names[module]}.weight".lstrip(".")

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """After a module ran."""
        self.running.pop()

    def _note(self, operation: Any, out: Tensor, args: Sequence[Any]) -> None:
        # of no layer: detectors compute their losses beside their networks, and choose proposals without gradients
        if not self.running or not torch.is_grad_enabled():
            return
        numbers = out.detach()[:PICTURES].float()
        moments, silent = _moments(numbers, self.unit_dim)
        bounds = BOUNDED[operation](args) if operation in BOUNDED else None
        can_die = operation in CAN_DIE or (operation is aten.hardtanh and bounds is not None and bounds[0] == 0)
        share = None
        # A map of one number a picture and channel is the gate of squeeze-and-excitation: open or shut is its trade.
        if operation in ENDS and bounds and not (out.ndim == 4 and out.shape[2:].numel() == 1):
            margin = NEAR * (bounds[1] - bounds[0])
            share = ((numbers < bounds[0] + margin) | (numbers > bounds[1] - margin)).float().mean()
        place = self.names[self.running[-1]] if self.running else ""
        name, again = place, 2
        while name in self.measured:
            name, again = f"{place}#{again}", again + 1
        kind = operation.__name__
        self.measured[name] = Measured(kind, self.weight, moments, silent if can_die else None, share)


def _moments(numbers: Tensor, unit_dim: int) -> tuple[Tensor, Tensor]:
    """(3,) mean, std and signal of (N, ...) numbers, and (U,) whether a unit is 0 everywhere."""
    unit_dim %= numbers.ndim
    others = [dim for dim in range(numbers.ndim) if dim != unit_dim]
    variance, mean = torch.var_mean(numbers, dim=others, correction=0)  # (U,) each
    within = variance.mean()
    total = (within + mean.var(correction=0)).sqrt()
    return torch.stack([mean.mean(), total, within.sqrt()]), (mean == 0) & (variance == 0)


def _own_weight(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, nn.Parameter) and weight.ndim >= 2
