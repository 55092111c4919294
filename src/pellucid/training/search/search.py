"""The search itself: stage after stage, one trial after another, in as many processes as take part.

What is trained, and how, is passed in: here a trial is a function from an order to a score.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pellucid.training.search.grid import shuffled_grid
from pellucid.training.search.sample import draw as draw_from
from pellucid.training.search.samplers import make_given, make_pruner, make_tpe
from pellucid.training.search.space import Choice, Space, label
from pellucid.training.search.stages import USUAL_TRIALS, Stage, heads, shrunk
from pellucid.training.search.storage.store import Claim, Lost, Plan, Store
from pellucid.training.search.tried import Order, Pruned, Scored, TrialFailed, Tried, best_of

POLL_SECONDS = 0.3


def hear_nothing(tried: Tried) -> None:
    """The `heard` of a search that tells nobody."""


@dataclass
class Search:
    """One process's part in a search.

    Attributes:
        store: where trials are written down; others may work on it too.
        space: what the first stage draws from.
        stages: in order.
        higher_is_better: which way the score counts.
        objective: trains an order and scores it; raises `TrialFailed` for a candidate that cannot be trained, and lets
            what `Order.tell` raises pass.
        sampler, pruner: names in `SAMPLERS` and `PRUNERS`.
        seed: of the draws.
        minutes: of the whole search; 0 is without limit.
        steps: how often a trial tells of itself; 0 is once an epoch. After the last time nothing is gained by pruning.
        heard: is told of every trial that this process has finished.
    """

    store: Store
    space: Space
    stages: tuple[Stage, ...]
    higher_is_better: bool
    objective: Callable[[Order], Scored]
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0
    minutes: float = 0.0
    steps: int = 0
    heard: Callable[[Tried], None] = hear_nothing
    _totals: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Work until every stage is done. What it raises other than by the objective's own account passes through."""
        self._wait_for_signatures()
        for number, stage in enumerate(self.stages):
            while not self._is_over(number):
                self._one(stage)
            self._wait_for_others(number)

    def trials_left(self, stage: Stage) -> int:
        """How many draws of a stage nobody has claimed, as far as it is limited by their number."""
        return max(0, self._total(stage) - self.store.n_claimed(stage.name)) + self.store.n_waiting(stage.name)

    def expected_seconds(self, stage: Stage) -> float:
        """How long a trial of a stage takes: the median so far, else that of the coarse stage, longer by its epochs."""
        for like in (stage, self.stages[0]):
            taken = [one.seconds for one in self.store.tried(like.name) if one.state == "done"]
            if taken:
                return median(taken) * stage.epochs / like.epochs
        return 0.0

    # ------------------------------------------------------------------------------------------- within

    def _is_over(self, number: int) -> bool:
        """Whether nothing of a stage is left to be claimed."""
        stage = self.stages[number]
        self.store.reap(stage.name)
        if self.store.n_waiting(stage.name):
            return False
        claimed = self.store.n_claimed(stage.name)
        later = any(self.store.n_claimed(each.name) for each in self.stages[number + 1 :])
        if later or claimed >= self._total(stage):
            return True
        if stage.name == "repeat" and best_of(self.store.everything(), self.higher_is_better) is None:
            return True
        if not stage.until_minutes or (stage.name == "coarse" and not claimed):
            return False
        return self.store.seconds() + self.expected_seconds(stage) > 60 * self._until(stage)

    def _until(self, stage: Stage) -> float:
        """When a stage ends, in minutes of the whole search.

        The first fine trial may take all the time there is; where it would take more, coarse trials are the better use.
        """
        fine = next((each for each in self.stages if each.name == "fine"), None)
        if stage.name == "coarse" and fine is not None:
            fits = self.expected_seconds(fine) <= 60 * (self.minutes - stage.until_minutes)
            return stage.until_minutes if fits else self.minutes
        return self.minutes if not self.store.n_claimed(stage.name) else stage.until_minutes

    def _total(self, stage: Stage) -> int:
        """How many draws a stage has at most: on a grid, as many as the grid has."""
        if stage.name not in self._totals:
            plan = self.store.plan(stage.name)
            if self.sampler != "grid" or stage.name == "repeat":
                self._totals[stage.name] = stage.trials
            elif plan is None and stage.name == "coarse":
                return len(self._grid(self.space, stage))
            elif plan is None:
                return stage.trials
            else:
                self._totals[stage.name] = len(plan.given)
        return self._totals[stage.name]

    def _grid(self, space: Space, stage: Stage) -> list[dict[str, Any]]:
        return shuffled_grid(space, min(stage.trials, max(USUAL_TRIALS, _n_choices(space))), self.seed)

    def _wait_for_signatures(self) -> None:
        """A process may have been killed between creating a trial and signing it: its draw comes before all others."""
        for stage in self.stages:
            while self.store.n_unsigned(stage.name):
                time.sleep(POLL_SECONDS)
                self.store.reap(stage.name)

    def _wait_for_others(self, number: int) -> None:
        stage = self.stages[number]
        while self.store.n_running(stage.name):
            time.sleep(POLL_SECONDS)
            while not self._is_over(number):  # somebody was killed, and left a trial
                self._one(stage)

    def _one(self, stage: Stage) -> None:
        """Claim a trial and see it through."""
        try:
            claim = self.store.claim(stage.name)
            try:
                plan = self._plan(stage, claim)
                if claim.draw >= self._total(stage) and claim.settings is None:
                    self.store.discard(claim)
                    return
                settings = claim.settings or self._propose(stage, claim, plan)
                self.store.begin(claim, settings)
                _record(self.store.studies[stage.name], claim, plan.space, settings)
                self._train(stage, claim, settings)
            except Lost:
                raise
            except BaseException:
                self.store.give_back(claim)
                raise
        except Lost:
            return
        self.heard(next(one for one in self.store.tried(stage.name) if one.draw == claim.draw))

    def _train(self, stage: Stage, claim: Claim, settings: dict[str, Any]) -> None:
        study = self.store.studies[stage.name]
        study.pruner = make_pruner(self.pruner if stage.name != "repeat" else "none")

        def tell(step: int, score: float) -> None:
            claim.trial.report(score, step)
            if step >= (self.steps or stage.epochs):
                return
            if claim.trial.should_prune():
                raise Pruned(f"others were better after {step}")
            if self._time_is_up():
                raise Pruned(f"the time was up after {step}")

        repeat = claim.draw + 1 if stage.name == "repeat" else 0
        order = Order(stage.name, claim.draw, settings, stage.epochs, tell, repeat)
        with self.store.heart(claim):
            try:
                scored = self.objective(order)
                if scored.value != scored.value:
                    raise TrialFailed("its score is not a number")
            except Pruned as pruned:
                outcome, reason = "pruned", str(pruned)
            except TrialFailed as failed:
                outcome, reason = "failed", str(failed)
            else:
                outcome, reason = "done", ""
        if outcome == "done":
            self.store.done(claim, scored)
        else:
            self.store.stopped(claim, outcome, reason)

    def _time_is_up(self) -> bool:
        """Whether a trial should end before its time, since the budget has and there is a result already."""
        if not self.minutes or self.store.seconds() <= 60 * self.minutes:
            return False
        return best_of(self.store.everything(), self.higher_is_better) is not None

    def _plan(self, stage: Stage, claim: Claim) -> Plan:
        """What the stage draws from: decided by whoever has its first draw, for everybody."""
        while (plan := self.store.plan(stage.name)) is None:
            first = min((one.draw for one in self._running(stage)), default=claim.draw)
            if claim.draw <= first:
                plan = self._make_plan(stage)
                self.store.set_plan(stage.name, plan)
                return plan
            time.sleep(POLL_SECONDS)
            self.store.reap(stage.name)
        return plan

    def _running(self, stage: Stage) -> list[Claim]:
        study = self.store.studies[stage.name]
        running = [each for each in study.get_trials(deepcopy=False) if each.state.name == "RUNNING"]
        return [Claim(stage.name, self.store.draw_of(stage.name, each), each) for each in running]

    def _make_plan(self, stage: Stage) -> Plan:
        better = self.higher_is_better
        if stage.name == "repeat":
            best = best_of(self.store.everything(), better)
            return Plan(self.space, (best.settings,) * stage.trials if best else ())
        if stage.name == "coarse":
            return Plan(self.space, tuple(self._grid(self.space, stage)) if self.sampler == "grid" else ())
        coarse = self.store.tried("coarse")
        space = shrunk(self.space, coarse, better)
        if self.sampler == "grid" and _n_choices(space) <= stage.trials:
            return Plan(space, tuple(self._grid(space, stage)))
        given = heads(coarse, better, stage.trials)  # as many as there is time for, where no grid fits
        return Plan(space, tuple(given[: stage.trials]))

    def _propose(self, stage: Stage, claim: Claim, plan: Plan) -> dict[str, Any]:
        """The settings of a draw."""
        if claim.draw < len(plan.given):
            return plan.given[claim.draw]
        if self.sampler != "tpe":
            return draw_from(plan.space, self.seed, stage.name, claim.draw)
        study = self.store.studies[stage.name]
        study.sampler = make_tpe(self.seed, stage.name, claim.draw)
        asked = _suggest(claim.trial, plan.space)
        return {
            name: next(option for option in axis.options if label(option) == asked[name])
            if isinstance(axis, Choice)
            else axis.value(axis.position(asked[name]))  # to a few digits
            for name, axis in plan.space.items()
        }


def _n_choices(space: Space) -> int:
    n = 1
    for axis in space.values():
        n *= len(axis.options) if isinstance(axis, Choice) else 1
    return n


def _record(study: Any, claim: Claim, space: Space, settings: dict[str, Any]) -> None:
    """Let Optuna know what is tried, as far as its space can express it; what was suggested stays as it was."""
    inside = {
        name: axis
        for name, axis in space.items()
        if name in settings
        and (settings[name] in axis.options if isinstance(axis, Choice) else axis.low <= settings[name] <= axis.high)
    }
    worded = {
        name: label(settings[name]) if isinstance(axis, Choice) else settings[name] for name, axis in inside.items()
    }
    study.sampler = make_given(worded)
    _suggest(claim.trial, inside)


def _suggest(trial: Any, space: Space) -> dict[str, Any]:
    found = {}
    for name, axis in space.items():
        if isinstance(axis, Choice):
            found[name] = trial.suggest_categorical(name, [label(option) for option in axis.options])
        elif isinstance(axis.low, int):
            found[name] = trial.suggest_int(name, axis.low, axis.high, log=axis.log)
        else:
            found[name] = trial.suggest_float(name, axis.low, axis.high, log=axis.log)
    return found
