"""A network made ready for use: the same answers, sooner.

Norms are folded into the layers before them, weights and pictures lie channels last, the arithmetic is bf16 where the
hardware has it, and on a CPU layers are packed with what follows them. What does not work for a network is left out,
part by part, and the result is compared with the network as it was.
"""

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pellucid.core.choose import choose
from pellucid.core.device import choose_precision
from pellucid.core.errors import ConfigError
from pellucid.nn.convert.fold import fold, traced
from pellucid.nn.convert.int8 import Int8Conv2d, can_int8, to_int8
from pellucid.nn.convert.pack import pack, pack_parts
from pellucid.nn.convert.packed import PackedConv2d, PackedLinear, can_pack

TOLERANCE = {"fp32": 1e-4, "bf16": 5e-2, "int8": 2e-1}  # of a difference, as a share of the outputs' own size
PRECISIONS = ("auto", "fp32", "bf16", "int8")
Worked = Literal["fp32", "bf16", "int8"]
SIDES = (224, 96, 64, 32, 28, 16)  # px, tried in turn where no example is given


class Inference(nn.Module):
    """A network in evaluation that takes and gives float32 tensors, whatever it works in. Made by `for_inference`.

    Attributes:
        net: the network inside.
        precision: "fp32", "bf16" or "int8", what its convolutions work in.
        notes: what was done, one sentence each.
        difference: from the network as it was, on the example: root mean square of what the outputs differ by over
            root mean square of the outputs; NaN if there was nothing to compare.
        tolerance: the difference that was allowed.
    """

    def __init__(
        self, net: nn.Module, precision: Worked, autocast: bool = False, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.net, self.precision, self.autocast, self.dtype = net, precision, autocast, dtype
        self.notes: tuple[str, ...] = ()
        self.difference, self.tolerance = float("nan"), TOLERANCE[precision]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels, float32 -> (N, K) logits, or what else the network gives, in float32."""
        with torch.no_grad():
            if x.dim() == 4:
                x = x.contiguous(memory_format=torch.channels_last)
            if self.autocast:
                with torch.autocast(x.device.type, torch.bfloat16):
                    return self.net(x).float()
            return self.net(x.to(self.dtype) if x.is_floating_point() else x).float()

    def train(self, mode: bool = True) -> "Inference":
        """Stay in evaluation: norms are folded and weights packed, there is nothing left to train."""
        return super().train(False)


class InFloat32(nn.Module):
    """A layer that torch has no bf16 arithmetic for, within a network in bf16.

    Args:
        layer: takes one tensor and gives one.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that the layer takes, in any precision -> what it gives, in that precision."""
        return self.layer(x.float()).to(x.dtype)


@dataclass(frozen=True)
class Way:
    """One way to run a network, and what a note says of it."""

    make: Callable[[], nn.Module]
    precision: Worked
    said: str
    dtype: torch.dtype = torch.float32
    autocast: bool = False


def for_inference(
    model: nn.Module, example: Tensor | None = None, precision: Literal["auto", "fp32", "bf16", "int8"] = "auto"
) -> Inference:
    """A copy of a network for use; the given one stays as it is.

    Its outputs differ from those of the network in evaluation by rounding: on the example by at most `tolerance`
    (root mean squares: 20 % in int8, 5 % in bf16, 0.01 % in float32), else another way is taken; `difference` says by
    how much. A network that computes with numbers of its own type is run under autocast, or in float32, and `notes`
    says so.

    Args:
        model: takes one tensor and gives one.
        example: a standardised input, such as a batch will be. None takes noise of a size that the network takes; if
            none is found, nothing is packed, and nothing compared.
        precision: "auto" is bf16 where the hardware is fast in it. "int8" puts convolutions into eight bits where
            that can be done, which is quicker again and not as close; measure its accuracy before relying on it.

    Raises:
        ConfigError: this is no network, the precision is unknown, it is int8 and there is no example to take ranges
            from, or the network does not take the example.
    """
    choose(precision, dict.fromkeys(PRECISIONS), "precision")
    if not isinstance(model, nn.Module):
        raise ConfigError(f"for_inference takes an nn.Module, such as models.create gives; got {type(model).__name__}.")
    first = next(itertools.chain(model.parameters(), model.buffers()), None)
    device = torch.device("cpu") if first is None else first.device
    if precision == "int8" and example is None:
        raise ConfigError("for_inference: int8 needs an example, pictures of the kind to come: ranges come from them.")
    chosen = precision if precision == "int8" else choose_precision(precision, device)
    plain = copy.deepcopy(model).eval().requires_grad_(False)
    example = noise_for(plain) if example is None else example.to(device)
    try:
        wanted = None if example is None else _run(plain, example)
    except RuntimeError as error:
        shape = "x".join(map(str, tuple(example.shape) if example is not None else ()))
        reason = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(f"The network does not take the example of shape {shape}: {reason}. Give another.") from error
    folded = fold(plain, example)
    norms = _count(plain, nn.modules.batchnorm._BatchNorm) - _count(folded, nn.modules.batchnorm._BatchNorm)
    notes = [f"{norms} norms folded into the layers before them"] if norms else []
    notes.append("channels last")
    for way in _ways(folded, example, chosen, device):
        try:
            made = Inference(way.make(), way.precision, way.autocast, way.dtype).eval()
            if example is None or wanted is None:
                made.notes = (*notes, way.said, "not compared: no example was given, and none could be guessed")
                return made
            made.difference = _difference(made(example), wanted)
        except Exception as error:  # a network may do anything to its numbers; the next way asks less of it
            notes.append(f"not {way.said}: {type(error).__name__}")
            continue
        if made.difference <= made.tolerance:
            compared = f"outputs differ by {made.difference:.2g} of their size, {made.tolerance:g} is allowed"
            made.notes = (*notes, *_packing(made.net), way.said, compared)
            return made
        notes.append(f"not {way.said}: outputs would differ by {made.difference:.2g} of their size")
    made = Inference(plain, "fp32")
    made.notes, made.difference = ("as it was", *notes), 0.0
    return made


def noise_for(model: nn.Module) -> Tensor | None:
    """Two inputs of noise that a network in evaluation takes, found by its first layer; None if there are none."""
    layer = next((part for part in model.modules() if isinstance(part, (nn.Conv2d, nn.Linear))), None)
    if layer is None:
        return None
    if isinstance(layer, nn.Conv2d):
        shapes: list[tuple[int, ...]] = [(2, layer.in_channels, side, side) for side in SIDES]
    else:
        shapes = [(2, layer.in_features, 1, 1), (2, layer.in_features)]
    generator = torch.Generator().manual_seed(0)
    for shape in shapes:
        x = torch.randn(shape, generator=generator).to(layer.weight.device)
        try:
            _run(model, x)
        except Exception:  # any network may refuse it in its own way
            continue
        return x
    return None


def _ways(folded: nn.Module, example: Tensor | None, precision: str, device: torch.device) -> Iterator[Way]:
    """The ways to run it, the quickest first."""

    def whole(dtype: torch.dtype) -> nn.Module:
        copied = copy.deepcopy(folded)
        if dtype != torch.float32:
            for parent in list(copied.modules()):
                for key, child in list(parent.named_children()):
                    if type(child) is nn.LocalResponseNorm:
                        setattr(parent, key, InFloat32(child))
        return copied.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def packed(dtype: torch.dtype, eight: bool = False) -> nn.Module:
        net, x = whole(dtype), None if example is None else example.to(dtype)
        graph = traced(net)
        if graph is None and not eight:
            pack_parts(net, traced, x)
            return net
        if graph is None or x is None:
            raise ConfigError("for_inference: a network that cannot be traced has no form in eight bits.")
        return to_int8(pack(net, graph, x), folded, x) if eight else pack(net, graph, x)

    low = torch.bfloat16
    may_pack = device.type == "cpu" and can_pack() and example is not None
    if precision == "int8":
        precision = choose_precision("auto", device)
        numbers = low if precision == "bf16" else torch.float32
        if may_pack and can_int8():
            yield Way(lambda: packed(numbers, True), "int8", "int8, packed for oneDNN", numbers)
    if precision == "bf16":
        if may_pack:
            yield Way(lambda: packed(low), "bf16", "bf16, packed for oneDNN", low)
        if example is not None:  # without a comparison nobody knows whether it runs at all
            yield Way(lambda: whole(low), "bf16", "bf16", low)
        yield Way(lambda: whole(torch.float32), "bf16", "bf16 by autocast", autocast=True)
    if may_pack:
        yield Way(lambda: packed(torch.float32), "fp32", "float32, packed for oneDNN")
    yield Way(lambda: whole(torch.float32), "fp32", "float32")


def _run(model: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model(x)


def _difference(got: Tensor, wanted: Tensor) -> float:
    """Root mean square of the difference over that of what is wanted; 0 where both are 0 everywhere."""
    off, size = (got - wanted).square().mean().sqrt(), wanted.square().mean().sqrt()
    share = float(off / size) if size > 0 else float(off)
    return share if got.shape == wanted.shape and share == share else float("inf")


def _packing(net: nn.Module) -> list[str]:
    layers = [layer for layer in net.modules() if isinstance(layer, (Int8Conv2d, PackedConv2d, PackedLinear))]
    followed = sum(layer.after.name != "none" for layer in layers)
    return [f"{len(layers)} layers packed, {followed} of them with their activation"] if layers else []


def _count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())
