"""Fold a norm into the layer before it: in evaluation a batch norm is a scale and a shift, and so is a layer's own.

    y = γ (w · x + b - μ) / √(σ² + ε) + β = (w γ/√(σ² + ε)) · x + (b - μ) γ/√(σ² + ε) + β

Ioffe and Szegedy 2015 (https://arxiv.org/abs/1502.03167), algorithm 2. That holds for a pair only if the norm is all
that reads the layer's output: in a pre-activation network, a shortcut may read it too.
"""

import copy
from collections import Counter
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from pellucid.core.errors import ConfigError, DataError

# Exact types: what is derived from them may compute something else.
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LAYERS = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
NORM_OF: dict[type[nn.Module], type[nn.Module]] = {
    **dict(zip(CONVOLUTIONS, NORMS, strict=True)),
    **dict(zip(TRANSPOSED, NORMS, strict=True)),
    nn.Linear: nn.BatchNorm1d,
}
LOOKS = ("shape", "ndim", "dtype", "device", "layout", "is_cuda", "requires_grad", "is_nested", "is_mkldnn")
LOOKING = ("size", "dim", "numel", "stride", "is_contiguous", "__len__")  # these read no number of a tensor

Layer = TypeVar("Layer", bound=nn.Module)


class Pair(NamedTuple):
    """Names of a layer and of the norm that alone reads its output."""

    layer: str
    norm: str


def fold_pair(layer: Layer, norm: nn.Module) -> Layer:
    """A copy of the layer that does what both do one after the other in evaluation. Computed in float64.

    Args:
        layer: a convolution, transposed convolution or linear layer.
        norm: a batch norm with running statistics, over the layer's outputs.

    Raises:
        ConfigError: one of them is of another kind.
        DataError: they differ in channels, or the norm keeps no statistics.
    """
    if type(layer) not in LAYERS or not isinstance(norm, NORMS):
        kinds = f"{type(layer).__name__} and {type(norm).__name__}"
        raise ConfigError(f"fold: a convolution or linear layer and a batch norm are needed, got {kinds}.")
    if norm.running_mean is None or norm.running_var is None:
        raise DataError("fold: the norm keeps no running statistics, so it is no fixed scale and shift.")
    if _channels(layer) != norm.num_features:
        raise DataError(f"fold: the layer gives {_channels(layer)} channels, the norm takes {norm.num_features}.")
    weight = layer.get_parameter("weight").detach()
    scale = (norm.running_var.double() + norm.eps).rsqrt()  # (F,)
    if norm.weight is not None:
        scale = scale * norm.weight.detach().double()
    bias = torch.zeros_like(scale) if layer.bias is None else layer.get_parameter("bias").detach().double()
    shift = (bias - norm.running_mean.double()) * scale
    if norm.bias is not None:
        shift = shift + norm.bias.detach().double()
    if type(layer) in TRANSPOSED:  # (C, F / groups, ...): the filters of group g stand in the g-th share of the rows
        groups = int(getattr(layer, "groups", 1))
        grouped = weight.double().unflatten(0, (groups, -1))
        spread = scale.reshape(groups, 1, -1, *[1] * (weight.dim() - 2))
        folded_weight = (grouped * spread).flatten(0, 1)
    else:
        folded_weight = weight.double() * scale.reshape(-1, *[1] * (weight.dim() - 1))
    folded = copy.deepcopy(layer)
    folded.weight = nn.Parameter(folded_weight.to(weight.dtype), requires_grad=False)
    folded.bias = nn.Parameter(shift.to(weight.dtype), requires_grad=False)
    return folded


def fold(model: nn.Module, example: Tensor | None = None) -> nn.Module:
    """A copy in evaluation, its norms folded where that is safe; each of them is an `nn.Identity` there.

    Outputs are equal up to rounding. The given model stays as it is.

    Args:
        example: an input; needed only where the forward pass cannot be traced without one, see `foldable_pairs`.
    """
    folded = copy.deepcopy(model).eval()
    for layer, norm in foldable_pairs(folded, example):
        _replace(folded, layer, fold_pair(folded.get_submodule(layer), folded.get_submodule(norm)))
        _replace(folded, norm, nn.Identity())
    return folded


def foldable_pairs(model: nn.Module, example: Tensor | None = None) -> list[Pair]:
    """Layer and norm of every pair that may be folded, in the order of the forward pass.

    The norm is all that reads the layer's output, both are called once, without hooks, and nothing else touches their
    weights. Found by torch.fx; where that cannot trace the network (its path depends on numbers), by watching one
    forward pass of `example`, which then speaks for inputs that take the same path; without one nothing is found.
    Nor is a one-dimensional norm without one: it takes axis 1 of (N, C) and of (N, C, L) for channels, and which of
    them a layer gives is only seen in a run. The model is looked at as in evaluation and is left as it was.
    """
    was_training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        graph = traced(model)
        if graph is not None:
            found = _pairs_of_graph(graph)
        else:
            found = [] if example is None else _pairs_of_run(model, example)
        modules = dict(model.named_modules())
        found = [pair for pair in found if _may_fold(modules[pair.layer], modules[pair.norm])]
        unsure = {modules[pair.layer] for pair in found if type(modules[pair.norm]) is nn.BatchNorm1d}
        refused = unsure if example is None else _without_channels_second(unsure, model, example)
    finally:
        for module, training in was_training.items():
            module.training = training
    return [pair for pair in found if modules[pair.layer] not in refused]


def traced(model: nn.Module) -> fx.Graph | None:
    """The forward pass as a graph of operations, as it is in the model's present mode; None if fx cannot trace it."""
    try:
        return fx.Tracer().trace(model)
    except Exception:  # fx lets through whatever the forward pass makes of a stand-in for a tensor
        return None


def _pairs_of_graph(graph: fx.Graph) -> list[Pair]:
    calls = Counter(str(node.target) for node in graph.nodes if node.op == "call_module")
    touched = [str(node.target) for node in graph.nodes if node.op == "get_attr"]
    found = []
    for node in graph.nodes:
        if node.op != "call_module" or len(node.all_input_nodes) != 1:
            continue
        (before,) = node.all_input_nodes
        if before.op != "call_module" or len(before.users) != 1 or len(before.all_input_nodes) != 1:
            continue
        pair = Pair(str(before.target), str(node.target))
        alone = all(calls[name] == 1 for name in pair)
        if alone and not any(weight.startswith(f"{name}.") for weight in touched for name in pair):
            found.append(pair)
    return found


class _Readers(TorchFunctionMode):
    """Counts, for each tensor that is watched, the operations that read its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: dict[int, Tensor] = {}  # kept alive, so that no other tensor gets the same id
        self.reads: Counter[int] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not _only_looks(func):
            for leaf in tree_leaves((args, kwargs)):
                if id(leaf) in self.watched:
                    self.reads[id(leaf)] += 1
        return func(*args, **kwargs)


def _pairs_of_run(model: nn.Module, example: Tensor) -> list[Pair]:
    readers, names = _Readers(), {module: name for name, module in model.named_modules()}
    made: dict[int, str] = {}  # tensor -> the layer whose output it is
    calls: Counter[str] = Counter()
    pairs: list[tuple[Pair, int]] = []

    def after_layer(module: nn.Module, _: Any, out: Tensor) -> None:
        calls[names[module]] += 1
        made[id(out)] = names[module]
        readers.watched[id(out)] = out

    def before_norm(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        calls[names[module]] += 1
        if args and id(args[0]) in made:
            pairs.append((Pair(made[id(args[0])], names[module]), id(args[0])))

    handles = []
    weights = {name: id(module.weight) for module, name in names.items() if type(module) in LAYERS}
    for module in names:
        if type(module) in LAYERS:
            readers.watched[id(module.weight)] = module.get_parameter("weight")  # the layer alone may read it
            handles.append(module.register_forward_hook(after_layer))
        elif type(module) in NORMS:
            handles.append(module.register_forward_pre_hook(before_norm))
    try:
        with torch.no_grad(), readers:
            result = model(example)
    finally:
        for handle in handles:
            handle.remove()
    given = {id(leaf) for leaf in tree_leaves(result)}
    return [
        pair
        for pair, tensor in pairs
        if readers.reads[tensor] == readers.reads[weights[pair.layer]] == 1
        and tensor not in given
        and all(calls[name] == 1 for name in pair)
    ]


def _without_channels_second(layers: set[nn.Module], model: nn.Module, example: Tensor) -> set[nn.Module]:
    """Those whose outputs in one forward pass have something else than channels in axis 1."""
    found: set[nn.Module] = set()

    def look(module: nn.Module, _: Any, out: Tensor) -> None:
        if out.dim() != (2 if type(module) is nn.Linear else 3):
            found.add(module)

    handles = [layer.register_forward_hook(look) for layer in layers]
    try:
        if layers:
            with torch.no_grad():
                model(example)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _only_looks(func: Any) -> bool:
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return getattr(getattr(func, "__self__", None), "__name__", "") in LOOKS
    return name in LOOKING


def _may_fold(layer: nn.Module, norm: nn.Module) -> bool:
    if type(norm) is not NORM_OF.get(type(layer)) or norm.running_mean is None:
        return False
    hooked = any(
        module._forward_hooks or module._forward_pre_hooks or hasattr(module, "parametrizations")
        for module in (layer, norm)
    )
    return not hooked and _channels(layer) == norm.num_features


def _channels(layer: nn.Module) -> int:
    """Of the layer's outputs."""
    shape = layer.get_parameter("weight").shape
    return shape[1] * int(getattr(layer, "groups", 1)) if type(layer) in TRANSPOSED else shape[0]


def _replace(model: nn.Module, name: str, by: nn.Module) -> None:
    """Put a module in the place of another, wherever else the other may also stand."""
    old = model.get_submodule(name)
    for parent in model.modules():
        for key, child in list(parent.named_children()):
            if child is old:
                setattr(parent, key, by)
