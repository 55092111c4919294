"""Where the noise of `--dropout` and its relatives goes in a network that was built without it.

It is put in for training only: the network that is evaluated, exported or loaded later is built without, has tensors
of the same names, and answers the same to the bit.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.nn.blocks.stochastic_depth import let_branches_drop
from pellucid.nn.geometry.watched import watched
from pellucid.nn.regularisation.drop_connect import dropping_weights
from pellucid.nn.regularisation.dropped_input import drop_input
from pellucid.training.config import RegulariseConfig
from pellucid.training.transfer.stages import stages

LAYERS = (nn.Linear, nn.Conv2d)


@dataclass
class _Course:
    """The order in which layers run, and what shape every part of a network gets.

    Attributes:
        layers: linear layers and convolutions, in the order in which they run.
        shapes: module -> shape of its first input.
    """

    layers: list[nn.Module] = field(default_factory=list)
    shapes: dict[nn.Module, tuple[int, ...]] = field(default_factory=dict)

    def enter(self, module: nn.Module, args: Any) -> None:
        if isinstance(module, LAYERS):
            self.layers.append(module)
        if args and isinstance(args[0], Tensor):
            self.shapes[module] = tuple(args[0].shape)

    def leave(self, module: nn.Module, args: Any, output: Any) -> None: ...


def add_noise(net: nn.Module, cfg: RegulariseConfig, picture: tuple[int, int, int]) -> tuple[str, ...]:
    """Put what the settings ask for into `net`, and say where.

    Args:
        picture: C, H, W of what the network takes.

    Returns:
        A sentence for each kind of noise.

    Raises:
        ConfigError: the network has no place for it.
    """
    said = []
    if cfg.stochastic_depth:
        said.append(_stochastic_depth(net, cfg.stochastic_depth))
    if not (cfg.dropout or cfg.channel_dropout or cfg.drop_connect):
        return tuple(said)
    course = _course(net, picture)
    if not course.layers:
        raise ConfigError("--dropout and its relatives need a linear layer or a convolution; this network has none.")
    names = {module: name for name, module in net.named_modules()}
    last = course.layers[-1]
    if cfg.channel_dropout:
        said.append(_channel_dropout(net, names[last], course, cfg.channel_dropout))
    if cfg.drop_connect:
        said.append(f"DropConnect: each weight of {names[last]} is left out with probability {cfg.drop_connect:g}.")
        twin = dropping_weights(last, cfg.drop_connect)  # type: ignore[arg-type]
        net.set_submodule(names[last], twin)
        last = twin
        names[last] = next(name for name, module in net.named_modules() if module is twin)
    if cfg.dropout:
        said.append(_dropout(net, names[last], cfg.dropout))
    return tuple(said)


def _course(net: nn.Module, picture: tuple[int, int, int]) -> _Course:
    """One picture through the network as in evaluation; no random number of training is used up."""
    course = _Course()
    like = next(net.parameters())
    with torch.no_grad(), torch.random.fork_rng(devices=[]), watched(net, course):
        net(torch.zeros(1, *picture, device=like.device, dtype=like.dtype))
    return course


def _stochastic_depth(net: nn.Module, p: float) -> str:
    try:
        n_blocks = let_branches_drop(net, 1 - p)
    except ConfigError as error:
        raise ConfigError(
            f"--stochastic-depth: {type(net).__name__} has no residual blocks to leave out. Choose a residual network "
            "such as --model resnet18, or leave it out."
        ) from error
    return f"Stochastic depth: of {n_blocks} residual blocks the last is skipped with probability {p:g}, others less."


def _channel_dropout(net: nn.Module, last: str, course: _Course, p: float) -> str:
    """Before the last stage that gets feature maps: several channels, and not the picture itself."""
    own = [name for name, _ in net.named_parameters() if name.rpartition(".")[0] == last]
    first = course.layers[0]
    for stage in reversed(stages(net, own)[:-1]):
        part = net.get_submodule(stage.name)
        shape = course.shapes.get(part, ())
        if len(shape) == 4 and shape[1] > 1 and first not in set(part.modules()):
            drop_input(part, p, channels=True)
            where = f"each of {shape[1]} channels before {stage.name}"
            return f"Channel dropout: {where} is dropped with probability {p:g}."
    raise ConfigError(
        f"--channel-dropout: {type(net).__name__} has no stage that gets feature maps. Use --dropout, or leave it out."
    )


def _dropout(net: nn.Module, last: str, p: float) -> str:
    layer = net.get_submodule(last)
    leaves = [module for module in net.modules() if not list(module.children())]
    place = leaves.index(layer)
    before = leaves[place - 1] if place else None
    if type(before) is nn.Dropout:  # the network has one there already
        said = f"Dropout: before {last} with probability {p:g}, in place of the network's own {before.p:g}."
        before.p = p
        return said
    drop_input(layer, p)
    return f"Dropout: each number that {last} gets is dropped with probability {p:g}."
