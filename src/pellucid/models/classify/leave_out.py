"""Leave one residual block out of a trained network and see how much it misses it.

Veit et al. 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks"
(https://arxiv.org/abs/1605.06431), section 4.1: a residual network loses little, a network without shortcuts all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from torch import Tensor, nn

from pellucid.core.choose import choose


class _Block(Protocol):
    def without_residual(self, x: Tensor) -> Tensor: ...


class Shortcut(nn.Module):
    """What is left of a block when its residual branch is taken out.

    Args:
        block: has a method `without_residual`.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> what `block` gives, in shape."""
        return cast("_Block", self.block).without_residual(x)


def residual_blocks(model: nn.Module) -> dict[str, nn.Module]:
    """The blocks that can be left out, in the order they are met, by name (`layer1.0`).

    Blocks without a shortcut count where they keep the shape of what they get; the others cannot be left out.
    """
    blocks = {name: module for name, module in model.named_modules() if hasattr(module, "without_residual")}
    return {name: block for name, block in blocks.items() if getattr(block, "removable", True)}


@contextmanager
def left_out(model: nn.Module, name: str) -> Iterator[None]:
    """Within, the residual branch of block `name` is not computed; afterwards `model` is what it was.

    Raises:
        ConfigError: `model` has no block of that name that can be left out.
    """
    block = choose(name, residual_blocks(model), "residual block")
    parent, _, key = name.rpartition(".")
    holder = model.get_submodule(parent)
    holder.register_module(key, Shortcut(block))
    try:
        yield
    finally:
        holder.register_module(key, block)
