"""Pack a traced network: every convolution and linear layer with oneDNN's weights and with what follows it."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from pellucid.nn.convert.following import activation_of, other_summand
from pellucid.nn.convert.max_pool import ShiftedMaxPool2d, can_shift
from pellucid.nn.convert.packed import PackedConv2d, packed

NOTHINGS = (nn.Identity, nn.Dropout, nn.Dropout2d)  # what does nothing in evaluation
FRESH = (nn.MaxPool2d, nn.AvgPool2d)  # what these return is no view of what they were given


def pack(model: nn.Module, graph: fx.Graph, example: Tensor | None = None) -> fx.GraphModule:
    """A network of the same outputs; it shares with the given one whatever is not packed.

    Args:
        model: in evaluation, on a CPU, its norms folded.
        graph: its forward pass, from `pellucid.nn.convert.fold.traced`.
        example: an input, for the usual sizes.
    """
    result = fx.GraphModule(model, graph)
    layers = dict(result.named_modules())
    for node in list(result.graph.nodes):
        if node.op == "call_module" and type(layers[str(node.target)]) in NOTHINGS and len(node.args) == 1:
            node.replace_all_uses_with(node.all_input_nodes[0])
            result.graph.erase_node(node)
    sizes = {} if example is None else input_sizes(result, example)
    nodes: dict[fx.Node, nn.Module] = {}
    made: dict[str, nn.Module | None] = {}
    calls = [str(node.target) for node in result.graph.nodes if node.op == "call_module"]
    read = [str(node.target) for node in result.graph.nodes if node.op == "get_attr"]
    for node in result.graph.nodes:
        name = str(node.target)
        if node.op != "call_module" or any(weight.startswith(f"{name}.") for weight in read):
            continue
        if name not in made:
            made[name] = packed(layers[name], sizes.get(name))
        layer = made[name]
        if layer is not None:
            nodes[node] = layer
    for name, layer in made.items():
        if layer is not None:
            result.add_submodule(name, layer)
    for node, layer in nodes.items():
        if calls.count(str(node.target)) == 1:
            _draw_in(result.graph, node, layers, layer, nodes)
    for name in {str(node.target) for node in result.graph.nodes if node.op == "call_module"}:
        pool = result.get_submodule(name)
        if isinstance(pool, nn.MaxPool2d) and can_shift(pool):
            result.add_submodule(name, ShiftedMaxPool2d(pool))
    result.graph.eliminate_dead_code()
    result.graph.lint()
    result.delete_all_unused_submodules()
    result.recompile()
    return result


def pack_parts(model: nn.Module, trace: Any, example: Tensor | None = None) -> None:
    """Pack, in place, what can be traced of a network that cannot be traced as a whole.

    Args:
        model: as for `pack`.
        trace: module -> its graph or None.
        example: an input of the whole.
    """
    sizes = {} if example is None else input_sizes(model, example)
    names = {module: name for name, module in model.named_modules()}

    def visit(parent: nn.Module) -> None:
        for key, child in list(parent.named_children()):
            layer = packed(child, sizes.get(names[child]))
            graph = trace(child) if layer is None and next(child.children(), None) is not None else None
            if layer is not None:
                setattr(parent, key, layer)
            elif graph is not None:
                setattr(parent, key, pack(child, graph))
            else:
                visit(child)

    visit(model)


def input_sizes(model: nn.Module, example: Tensor) -> dict[str, tuple[int, ...]]:
    """Name of a layer -> size of what it is given in a forward pass of the example; of several calls the last."""
    sizes: dict[str, tuple[int, ...]] = {}

    def look(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
            if args and isinstance(args[0], Tensor):
                sizes[name] = tuple(args[0].shape)

        return hook

    handles = [module.register_forward_pre_hook(look(name)) for name, module in model.named_modules()]
    try:
        with torch.no_grad():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    return sizes


def _draw_in(
    graph: fx.Graph, node: fx.Node, layers: dict[str, nn.Module], layer: Any, nodes: dict[fx.Node, nn.Module]
) -> None:
    """Draw the sum and the activation behind a packed layer into it."""
    after = _only_reader(node)
    if isinstance(layer, PackedConv2d) and after is not None and len(node.args) == 1:
        other = other_summand(after, node)
        if other is not None:
            after.prepend(node)  # the other summand may have been made in between
            node.args = (*node.args, other, _is_spent(graph, other, node, after, layers, nodes))
            after.replace_all_uses_with(node)
            graph.erase_node(after)
            after = _only_reader(node)
    activation = None if after is None else activation_of(after, layers)
    if after is not None and activation is not None and (len(node.args) == 1 or activation.name == "relu"):
        # Behind a sum oneDNN knows the ReLU alone.
        layer.after = activation
        after.replace_all_uses_with(node)
        graph.erase_node(after)


def _is_spent(
    graph: fx.Graph,
    value: fx.Node,
    node: fx.Node,
    total: fx.Node,
    layers: dict[str, nn.Module],
    nodes: dict[fx.Node, nn.Module],
) -> bool:
    """Whether `value` has memory of its own that nothing reads after `node`, by whatever name."""
    own = value in nodes or (value.op == "call_module" and type(layers[str(value.target)]) in FRESH)
    order = {each: place for place, each in enumerate(graph.nodes)}
    return own and all(
        reader is total or (reader in nodes and reader.args[0] is value and order[reader] < order[node])
        for reader in value.users
    )


def _only_reader(node: fx.Node) -> fx.Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None
