"""A network under observation, and afterwards as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import nn


class Watcher(Protocol):
    """Told before and after every module."""

    def enter(self, module: nn.Module, args: Any) -> None:
        """Before a module runs."""

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """After a module ran."""


@contextmanager
def watched(model: nn.Module, watcher: Watcher, training: bool = False) -> Iterator[None]:
    """Hooks on every module, evaluation mode, and attention in the open; all undone at the end.

    Args:
        model: the network.
        watcher: what the hooks call.
        training: of the network itself; its parts are in evaluation mode in any case.
    """
    modules = list(model.modules())
    flags = [module.training for module in modules]
    handles: list[Any] = []
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        model.eval()
        model.training = training and len(modules) > 1
        torch.backends.mha.set_fastpath_enabled(False)  # it would be one operation that hides all products
        for module in modules:
            handles.append(module.register_forward_pre_hook(watcher.enter))
            handles.append(module.register_forward_hook(watcher.leave))
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag
