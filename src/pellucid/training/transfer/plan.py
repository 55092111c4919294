"""Which part of a network is trained when, and how fast, when it starts from weights that others trained.

What is close to the picture is general, what is close to the answer belongs to its task (Yosinski et al. 2014,
https://arxiv.org/abs/1411.1792). So there are three ways to use such weights: as they are, with a new last layer, and
trained on as a whole, then with smaller rates below, or with the lower stages joining later (Howard & Ruder 2018,
https://arxiv.org/abs/1801.06146, sections 3.2 and 3.3).

A frozen stage answers as it does outside training: its norms use their stored statistics, its dropout drops nothing.
"""

from collections.abc import Collection

from torch import Tensor, nn

from pellucid.training.config import TransferConfig
from pellucid.training.transfer.stages import stages

RUNNING = ("running_mean", "running_var")  # buffers that make a norm one with statistics


class Plan:
    """What is frozen in which epoch, and at which rate the rest is trained.

    Attributes:
        net: the plain network.
        stages: from the picture up; see `stages`.
    """

    def __init__(self, net: nn.Module, last: Collection[str], cfg: TransferConfig) -> None:
        """`last`: names of the parameters of the last layer."""
        self.net = net
        self.stages = stages(net, last)
        self.cfg = cfg
        self._trainable = {name for name, p in net.named_parameters() if p.requires_grad}

    def n_trained(self, epoch: int) -> int:
        """How many stages are trained in this epoch (0, 1, ...), counted from the last one down."""
        if self.cfg.tune == "last":
            return 1
        every = self.cfg.unfreeze_epochs
        return min(len(self.stages), 1 + epoch // every) if every else len(self.stages)

    def enter(self, epoch: int) -> None:
        """Freeze what is not trained in this epoch, and put every layer into the mode it has to be in.

        Call it after `net.train()`, at the start of every epoch, also in a run that is resumed.
        """
        trained = {name for stage in self.stages[-self.n_trained(epoch) :] for name in stage.parameters}
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(name in trained and name in self._trainable)
        frozen_next = False  # whether the next layer that has parameters is frozen
        for name, module in reversed(list(self.net.named_modules())):
            own = [f"{name}.{short}".lstrip(".") for short, _ in module.named_parameters(recurse=False)]
            inside = [f"{name}.{short}".lstrip(".") for short, _ in module.named_parameters()]
            if own:
                frozen_next = trained.isdisjoint(own)
            frozen = trained.isdisjoint(inside) if inside else frozen_next
            module.training = self._norm_trains(not frozen) if _has_statistics(module) else not frozen

    def _norm_trains(self, trained: bool) -> bool:
        return trained if self.cfg.norm_statistics == "auto" else self.cfg.norm_statistics == "update"

    def rates(self) -> list[tuple[float, list[Tensor]]]:
        """What the schedule's rate is multiplied by in each stage, 1 in the last, and the stage's parameters."""
        top = len(self.stages) - 1
        return [
            (self.cfg.layer_decay ** (top - place), [self.net.get_parameter(name) for name in stage.parameters])
            for place, stage in enumerate(self.stages)
        ]

    def sentences(self, epochs: int) -> list[str]:
        """What will be trained when, at which rates, and what happens to the statistics of batch norm."""
        names, count = [stage.name for stage in self.stages], len(self.stages)
        if self.cfg.tune == "last":
            said = [f"Only the last layer is trained: {_listed(self.stages[-1].parameters)}. The rest is frozen."]
        elif self.cfg.unfreeze_epochs:
            end = self.n_trained(epochs - 1)
            left = f" {count - end} of {count} stages stay frozen to the end." if end < count else ""
            every = "epoch" if self.cfg.unfreeze_epochs == 1 else f"{self.cfg.unfreeze_epochs} epochs"
            said = [f"The {names[-1]} is trained first, one stage more every {every}: {_listed(names[::-1])}.{left}"]
        else:
            said = [f"All {count} stages are trained: {_listed(names)}."]
        if self.cfg.layer_decay < 1:
            lowest = self.cfg.layer_decay ** (count - 1)
            said.append(f"Each stage has {self.cfg.layer_decay:g} of the next one's rate; {names[0]} {lowest:.2g}.")
        if any(_has_statistics(module) for module in self.net.modules()):
            said.append(f"Batch norm: {self._policy()}.")
        return said

    def _policy(self) -> str:
        if self.cfg.norm_statistics == "keep":
            return "the stored statistics are used and kept everywhere"
        if self.cfg.norm_statistics == "update":
            return "the batch's statistics are used and learned everywhere, also in frozen stages"
        if self.n_trained(0) == len(self.stages):
            return "the batch's statistics are used and learned, since all stages are trained"
        return "frozen stages use and keep the stored statistics, trained ones those of the batch"


def _has_statistics(module: nn.Module) -> bool:
    return any(getattr(module, name, None) is not None for name in RUNNING)


def _listed(words: Collection[str]) -> str:
    """All of them, or the first three and the last where they are many."""
    each = list(words)
    return ", ".join(each if len(each) <= 6 else [*each[:3], "...", each[-1]])
