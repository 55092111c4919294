"""The monitor: which steps are looked at, and what hangs on the model while they run.

A look costs a fraction of a step and most steps are not looked at, so that all looks together stay below a hundredth
of the run (`benchmarks/monitor.py`). Nothing is drawn at random and nothing is changed: a run with the monitor equals
one without to the bit.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.causes import FROM_THE_START
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.judge import ALARMS, following, judge
from pellucid.training.health.monitor.snapshot import Activation, Snapshot, rounded
from pellucid.training.health.monitor.spikes import note_spike
from pellucid.training.health.monitor.statistics import Measured, Watch
from pellucid.training.health.monitor.updates import Updates

LOOKS = 24  # at least so many of a run, spread evenly, where that leaves `LEAST` steps between two
LEAST, MOST = 8, 100  # steps from one look to the next
LONGEST = 400  # looks of a run: a longer run is looked at more seldom


class Monitor:
    """Rides along with one model.

    Attributes:
        every: steps from one look to the next. The first steps are looked at more often (0, 1, 2, 4, 8, ...), because
            bad starts show there.
        history: what it remembers.
        said: rules that have raised an alarm, and the step of the first.
    """

    def __init__(self, model: nn.Module, total_steps: int, pretrained: bool = False) -> None:
        self.model = model
        self.every = max(min(MOST, max(LEAST, total_steps // LOOKS)), total_steps // LONGEST)
        self.history = History(pretrained=pretrained)
        self.said: dict[str, int] = {}
        self.look: Snapshot | None = None

    def is_due(self, step: int) -> bool:
        """Whether this step is looked at."""
        return step % self.every == 0 or (step < self.every and step & (step - 1) == 0)

    @contextmanager
    def watching(self, step: int, lr: float) -> Iterator[None]:
        """Around one whole step: forward, backward, update. Afterwards `look` is what was seen, or None."""
        self.look = None
        if not self.is_due(step):
            yield
            return
        updates = Updates(self.model)
        names = {module: name.removeprefix("net").lstrip(".") for name, module in self.model.named_modules()}
        with _watched(self.model, names) as watch:
            yield
        # no finally: a step that was refused is a matter of the autopsy
        shape = [rounded(value) for value in watch.input.tolist()] if watch.input is not None else [None, None]
        activations = {name: self._count(name, measured) for name, measured in watch.measured.items()}
        weights = {name.removeprefix("net."): weight for name, weight in updates.measure().items()}
        self.look = Snapshot(step, lr, shape[0], shape[1], activations, weights)
        self.history.add_look(self.look)

    def _count(self, name: str, measured: Measured) -> Activation:
        mean, std, signal = (rounded(value) for value in measured.moments.tolist())
        dead = born = None
        if measured.silent is not None:
            dead, born = self.history.count_silent(name, measured.silent.cpu())
        saturated = None if measured.saturated is None else rounded(float(measured.saturated))
        return Activation(mean, std, signal, dead, born, saturated, measured.kind, measured.weight)

    def judge_step(self, step: int, lr: float, loss: float) -> list[Verdict]:
        """Take in the loss of the step that was just made. The alarms that were not raised before."""
        spike = self.history.add_loss(step, lr, loss) and note_spike(self.history)
        if not spike and self.look is None:
            return []
        new = [verdict for verdict in judge(self.history) if verdict.status in ALARMS and verdict.rule not in self.said]
        self.said.update({verdict.rule: step for verdict in new})
        return new

    def judge_end(self) -> list[Verdict]:
        """Every rule once more. An alarm that no longer holds is told as healed."""
        final = {verdict.rule: verdict for verdict in judge(self.history)}
        for rule, step in self.said.items():
            now = final.get(rule)
            if now is not None and now.status == "pass":
                evidence = f"raised at step {step}, gone by the end: {now.evidence}"
                final[rule] = Verdict(rule, "info", evidence, "a passing trouble, which training got over")
        return list(final.values())

    def before_the_end(self, verdicts: list[Verdict], rule: str) -> list[Verdict]:
        """`verdicts` of a run that `rule` has stopped: what led there is no alarm of its own, except a bad start."""
        return [
            following(verdict, rule)
            if verdict.rule in self.said and not verdict.cause.startswith(FROM_THE_START)
            else verdict
            for verdict in verdicts
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes."""
        return {"history": self.history.state_dict(), "said": dict(self.said)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`, for a monitor of the same run."""
        self.history.load_state_dict(state["history"])
        self.said = dict(state["said"])


@contextmanager
def _watched(model: nn.Module, names: dict[nn.Module, str]) -> Iterator[Watch]:
    """Watch the first forward pass of `model` within this block; backward passes and updates run as always."""
    watch = Watch(names)
    ran: list[str] = []

    def enter(module: nn.Module, args: Any) -> None:
        if not ran:  # not before: preprocessing by the outermost module has no layers
            ran.append("begun")
            watch.__enter__()
        if len(ran) == 1:
            watch.enter(module, args)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        if len(ran) == 1:
            watch.leave(module, args, output)

    def end(module: nn.Module, args: Any, output: Any) -> None:
        if len(ran) == 1:  # gradient accumulation runs the model several times; the first will do
            ran.append("done")
            watch.__exit__(None, None, None)

    handles: list[Any] = []
    for module in names:
        if module is not model:
            handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    handles.append(model.register_forward_hook(end, always_call=True))
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()
