"""A network as an ordered row of stages, from the picture up to the last layer."""

from collections.abc import Collection
from dataclasses import dataclass

from torch import nn

FEWEST = 4  # stages, beside the last layer, from which no part of a network has to be opened
LAST = "last layer"


@dataclass(frozen=True)
class Stage:
    """Layers that are frozen and trained together.

    Attributes:
        name: of the part of the network, such as `layer2`, or `LAST`.
        parameters: names, as in `named_parameters`.
    """

    name: str
    parameters: tuple[str, ...]


def stages(net: nn.Module, last: Collection[str]) -> tuple[Stage, ...]:
    """Divide a network into stages, from the picture up.

    Every part of the network is a stage, in the order in which the parts were made. Where these are fewer than four
    beside the last layer, the largest part is opened into its own parts, and again: so ResNets have conv1 and layer1 to
    layer4, VGG its convolutions, transformers their encoder layers. A norm belongs to the stage before it, and
    parameters that lie in no part (a class token, positions) to the stage after them.

    Args:
        last: names of the parameters of the last layer; they are the last stage.
    """
    tops = [name for name, _ in net.named_children()]
    parts = [part for part in tops if _names(net, part, last)]
    while len(_join_norms(net, parts)) < FEWEST and (opened := _largest(net, parts, last)):
        inner = [f"{opened}.{name}" for name, _ in net.get_submodule(opened).named_children()]
        place = parts.index(opened)
        parts[place : place + 1] = [part for part in inner if _names(net, part, last)]
    joined = _join_norms(net, parts)
    found = [[name for part in group for name in _names(net, part, last)] for group in joined]
    held = {name for names in found for name in names} | set(last)
    for name in reversed([name for name, _ in net.named_parameters() if name not in held]):
        owner = name.rpartition(".")[0]
        above = (i for i, group in enumerate(joined) if group[0].startswith(f"{owner}." if owner else ""))
        found[next(above, 0)].insert(0, name)
    own = [Stage(group[0], tuple(names)) for group, names in zip(joined, found, strict=True)]
    return (*own, Stage(LAST, tuple(name for name, _ in net.named_parameters() if name in last)))


def _names(net: nn.Module, part: str, last: Collection[str]) -> list[str]:
    inside = net.get_submodule(part).named_parameters(prefix=part)
    return [name for name, _ in inside if name not in last]


def _largest(net: nn.Module, parts: list[str], last: Collection[str]) -> str:
    """The part with most numbers among those that have parts themselves; "" for none."""

    def numbers(part: str) -> int:
        return sum(net.get_parameter(name).numel() for name in _names(net, part, last))

    def has_parts(part: str) -> bool:
        return any(_names(net, f"{part}.{name}", last) for name, _ in net.get_submodule(part).named_children())

    return max(filter(has_parts, parts), key=numbers, default="")


def _join_norms(net: nn.Module, parts: list[str]) -> list[list[str]]:
    """Parts in groups: a norm that is a part by itself goes with the one before it."""
    groups: list[list[str]] = []
    for part in parts:
        if groups and _is_norm(net.get_submodule(part)):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _is_norm(module: nn.Module) -> bool:
    plain = isinstance(module, (nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm))
    return plain or isinstance(module, nn.modules.batchnorm._NormBase)
