"""What the monitor remembers of a run: little, and plain numbers, so that a resumed run goes on to the bit."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pellucid.training.health.monitor.snapshot import Snapshot, rounded
from pellucid.training.health.monitor.statistics import SILENT_LOOKS

RECENT = 3  # looks kept whole beside the first
BLOCK = 5  # steps whose losses are taken together
WINDOW = 64  # blocks of losses that are kept


@dataclass(frozen=True)
class Pace:
    """One look at how far the weights went.

    Attributes:
        ratio: median over the weights of the length of the step over that of the weight.
        largest: that of the weight that went furthest for its size.
    """

    step: int
    lr: float
    ratio: float
    largest: float


@dataclass
class History:
    """Grows by one look now and then, and by one loss a step.

    Attributes:
        pretrained: whether the run started from trained weights.
        n_looks: looks so far.
        first, recent: the first look, and the last few with the newest at the end.
        paces: of every look.
        silent_since: (U,) int64 a layer: number of the look from which on a unit has been 0 on everything; -1 where it
            is not.
        block: losses of the block of steps that is not full yet.
        blocks: of each full block its last step, rate and median loss, newest at the end.
        start_loss: median loss of the first block.
        spike: the worst jump of the loss so far: step, loss, what it was before. None when there was none.
    """

    pretrained: bool = False
    n_looks: int = 0
    first: Snapshot | None = None
    recent: list[Snapshot] = field(default_factory=list)
    paces: list[Pace] = field(default_factory=list)
    silent_since: dict[str, Tensor] = field(default_factory=dict)
    block: list[float] = field(default_factory=list)
    blocks: list[tuple[int, float, float]] = field(default_factory=list)
    start_loss: float | None = None
    spike: tuple[int, float, float] | None = None

    def add_look(self, look: Snapshot) -> None:
        """Take in a look, whose `dead` shares `count_silent` has filled in."""
        self.first = self.first or look
        self.recent = [*self.recent[1 - RECENT :], look]
        self.n_looks += 1
        ratios = [weight.ratio for weight in look.weights.values() if weight.rms > 0]
        if ratios:
            self.paces.append(Pace(look.step, look.lr, rounded(statistics.median(ratios)), max(ratios)))

    def add_loss(self, step: int, lr: float, loss: float) -> bool:
        """Take in the loss of a step; whether that made a block full."""
        self.block.append(loss)
        if len(self.block) < BLOCK:
            return False
        middle = statistics.median(self.block)
        self.start_loss = middle if self.start_loss is None else self.start_loss
        self.blocks = [*self.blocks[1 - WINDOW :], (step, lr, middle)]
        self.block = []
        return True

    def count_silent(self, name: str, silent: Tensor) -> tuple[float, float] | tuple[None, None]:
        """Shares of a layer's units that are dead, and that were silent at every look; None before the third look.

        Args:
            silent: (U,) bool of this look, on the CPU.
        """
        since = self.silent_since.get(name)
        if since is None or len(since) != len(silent):
            since = torch.full((len(silent),), -1)
        since = torch.where(silent, torch.where(since < 0, self.n_looks, since), -1)
        self.silent_since[name] = since
        if self.n_looks + 1 < SILENT_LOOKS:
            return None, None
        dead = silent & (since <= self.n_looks + 1 - SILENT_LOOKS)
        return rounded(float(dead.float().mean())), rounded(float((dead & (since == 0)).float().mean()))

    def state_dict(self) -> dict[str, Any]:
        """Numbers, text and tensors."""
        return {
            "n_looks": self.n_looks,
            "first": self.first.as_record() if self.first else None,
            "recent": [look.as_record() for look in self.recent],
            "paces": [[pace.step, pace.lr, pace.ratio, pace.largest] for pace in self.paces],
            "silent_since": dict(self.silent_since),
            "block": list(self.block),
            "blocks": [list(block) for block in self.blocks],
            "start_loss": self.start_loss,
            "spike": list(self.spike) if self.spike else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`. `pretrained` follows from the settings and stays."""
        self.n_looks = state["n_looks"]
        self.first = Snapshot.from_record(state["first"]) if state["first"] else None
        self.recent = [Snapshot.from_record(record) for record in state["recent"]]
        self.paces = [Pace(*values) for values in state["paces"]]
        self.silent_since = dict(state["silent_since"])
        self.block = list(state["block"])
        self.blocks = [(step, lr, loss) for step, lr, loss in state["blocks"]]
        self.start_loss = state["start_loss"]
        self.spike = tuple(state["spike"]) if state["spike"] else None
