"""What all averages of the weights share: they take weights in, and lend what they keep to the model."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.errors import WeightsError


class Average(ABC):
    """average <- average + share (weights - average), for the parameters of a model; its buffers are copied.

    Attributes:
        n_updates: steps it was told of so far.
        average: name -> averaged parameter or copied buffer; the start of the run before anything is taken in.
        measures: whether statistics of batch norm have to be measured anew for the averaged weights.
    """

    measures = False

    def __init__(self, model: nn.Module) -> None:
        self.n_updates = 0
        self.average = {name: tensor.detach().clone() for name, tensor in _tensors(model).items()}

    @abstractmethod
    def share(self) -> float:
        """What the weights count for that come now, at update `n_updates` = 0, 1, ...; 0 leaves them out."""

    @abstractmethod
    def sentence(self) -> str:
        """What is evaluated in place of the weights."""

    @property
    def is_ready(self) -> bool:
        """Whether it holds anything to be used in place of the weights."""
        return True

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take note of the weights after a step. One pass over the parameters, without waiting for the device.

        Frozen parameters are their own average, to the bit.
        """
        share = self.share()
        self.n_updates += 1
        if not share:
            return
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        buffers = dict(model.named_buffers())
        if parameters:
            averaged = [self.average[name] for name in parameters]
            torch._foreach_lerp_(averaged, list(parameters.values()), share)
        if buffers:
            torch._foreach_copy_([self.average[name] for name in buffers], list(buffers.values()))

    @contextmanager
    def swap(self, model: nn.Module) -> Iterator[nn.Module]:
        """`with average.swap(model): ...` runs with the average; then the weights are back, bit for bit."""
        own = _tensors(model)
        kept = [tensor.detach().clone() for tensor in own.values()]
        _fill(own, [self.average[name] for name in own])
        try:
            yield model
        finally:
            _fill(own, kept)

    def state_dict(self) -> dict[str, Any]:
        """Tensors by name and one number; safe to load with `weights_only=True`."""
        return {"n_updates": self.n_updates, "average": dict(self.average)}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`. Settings stay as they were given.

        Raises:
            WeightsError: the average was made for another model.
        """
        given = state["average"]
        differ = given.keys() ^ self.average.keys()
        differ |= {name for name in given.keys() & self.average if given[name].shape != self.average[name].shape}
        if differ:
            raise WeightsError(
                f"The stored average of the weights is of another model: {len(differ)} of {len(self.average)} tensors "
                f"do not fit, such as {min(differ)}. Resume with the model the run was started with."
            )
        _fill(self.average, [given[name] for name in self.average])
        self.n_updates = state["n_updates"]


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@torch.no_grad()
def _fill(targets: Mapping[str, Tensor], sources: list[Tensor]) -> None:
    for target, source in zip(targets.values(), sources, strict=True):
        target.copy_(source)
