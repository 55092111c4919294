"""Where trials are written down: one Optuna study for each stage, in a journal file or a database.

Several processes, also on several machines, may work on one storage. A trial is claimed by being created, which the
storage does once for each number. Its draw, the number that decides what is tried, is how many other draws were claimed
before it; a trial that was interrupted is claimed again under the same draw. So one process that is killed and started
again goes the way that it would have gone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pellucid.core.errors import ConfigError, RunError
from pellucid.training.search.samplers import make_given, require_optuna
from pellucid.training.search.space import Space, as_plain, from_plain
from pellucid.training.search.storage.lock import KernelLock
from pellucid.training.search.storage.owner import Heart, is_alive, this_process
from pellucid.training.search.tried import Scored, Tried

ATTEMPTS = 3  # a trial that killed its process so often is a failed one
UNSIGNED_SECONDS = 10.0  # between claiming a trial and signing it lie milliseconds


class Lost(Exception):
    """Somebody else has taken this trial for abandoned: its result counts no more."""


@dataclass(frozen=True)
class Plan:
    """What the draws of a stage are: those given first, then draws from a space."""

    space: Space
    given: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Claim:
    """A trial of one's own: Optuna's, and the number of its draw."""

    stage: str
    draw: int
    trial: Any
    settings: dict[str, Any] | None = None


class Store:
    """The studies of one search.

    Args:
        where: path of a journal file, or the URL of a database (`sqlite:///search.db`, `mysql://...`).
        name: of the search; a database may hold several.
        stages: names of the stages.
        higher_is_better: which way the score counts.
        create: whether the search is new; else it must be there.

    Raises:
        ConfigError: the database cannot be opened, or has a search of that name.
        RunError: there is no such search.
    """

    def __init__(
        self, where: str, name: str, stages: Sequence[str], higher_is_better: bool, create: bool = False
    ) -> None:
        optuna = require_optuna()
        self._optuna = optuna
        self._finished = optuna.exceptions.UpdateFinishedTrialError
        storage = _open(optuna, where, create)
        self.studies: dict[str, Any] = {}
        direction = "maximize" if higher_is_better else "minimize"
        for stage in stages:
            full = f"{name}/{stage}"
            try:
                if create:
                    optuna.create_study(storage=storage, study_name=full, direction=direction)
                self.studies[stage] = optuna.load_study(storage=storage, study_name=full, sampler=make_given({}))
            except optuna.exceptions.DuplicatedStudyError as error:
                raise ConfigError(
                    f"{where} holds a search named {name} already. Choose another --out, or go on with it: --resume."
                ) from error
            except KeyError as error:
                raise RunError(f"{where} holds no search named {name}: it was moved, or never begun.") from error

    # ------------------------------------------------------------------------------------------ reading

    def tried(self, stage: str) -> list[Tried]:
        """Every trial of a stage that counts, in the order of the draws; interrupted ones are left out."""
        found: dict[int, Tried] = {}
        for trial in self._trials(stage):
            if "settings" not in trial.user_attrs or trial.state.name in ("FAIL", "WAITING"):
                continue
            draw = self.draw_of(stage, trial)
            found.setdefault(draw, _tried(stage, draw, trial))
        return [found[draw] for draw in sorted(found)]

    def everything(self) -> list[Tried]:
        """The trials of all stages."""
        return [one for stage in self.studies for one in self.tried(stage)]

    def n_claimed(self, stage: str) -> int:
        """How many draws were claimed."""
        return sum("again" not in trial.user_attrs for trial in self._trials(stage))

    def n_waiting(self, stage: str) -> int:
        """How many interrupted trials wait to be claimed again."""
        return sum(trial.state.name == "WAITING" for trial in self._trials(stage))

    def n_running(self, stage: str) -> int:
        """How many trials somebody trains."""
        return sum(trial.state.name == "RUNNING" for trial in self._trials(stage))

    def n_unsigned(self, stage: str) -> int:
        """How many trials were created by somebody who has not said who it is: this moment, or never."""
        return sum(trial.state.name == "RUNNING" and "owner" not in _said(trial) for trial in self._trials(stage))

    def draw_of(self, stage: str, trial: Any) -> int:
        """The draw of a trial: what it says, else how many new draws were claimed before it."""
        said = _said(trial)
        if "draw" in said:
            return int(said["draw"])
        return sum("again" not in each.user_attrs for each in self._trials(stage) if each.number < trial.number)

    def seconds(self) -> float:
        """How long the search has been worked on by at least one process; pauses do not count."""
        spans = []
        for stage in self.studies:
            for trial in self._trials(stage):
                said = _said(trial)
                if "began" in said:
                    spans.append((said["began"], _last_heard(said)))
        total, reached = 0.0, float("-inf")
        for begin, end in sorted(spans):
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return total

    def plan(self, stage: str) -> Plan | None:
        """What the stage draws from; None until somebody has decided it."""
        said = self.studies[stage].user_attrs.get("plan")
        return Plan(from_plain(said["space"]), tuple(_settled(each) for each in said["given"])) if said else None

    # ------------------------------------------------------------------------------------------ writing

    def set_plan(self, stage: str, plan: Plan) -> None:
        """Write down what the stage draws from."""
        given = [{name: _plain(value) for name, value in each.items()} for each in plan.given]
        self.studies[stage].set_user_attr("plan", {"space": as_plain(plan.space), "given": given})

    def claim(self, stage: str) -> Claim:
        """Take the next trial: an interrupted one if there is one, else a new draw.

        Raises:
            Lost: somebody took it away in the moment it was claimed.
        """
        study = self.studies[stage]
        study.sampler = make_given({})
        trial = study.ask()
        frozen = next(each for each in self._trials(stage) if each.number == trial.number)
        draw = self.draw_of(stage, frozen)
        now = time.time()
        self._say(trial, "claim", {"draw": draw, "owner": this_process(), "began": now})
        settings = frozen.user_attrs.get("settings")
        return Claim(stage, draw, trial, _settled(settings) if settings else None)

    def begin(self, claim: Claim, settings: dict[str, Any]) -> None:
        """Write down what a claimed trial tries."""
        self._say(claim.trial, "settings", {name: _plain(value) for name, value in settings.items()})

    def heart(self, claim: Claim) -> Heart:
        """Within its block others know that the trial is being trained."""

        def beat() -> None:
            try:
                self._say(claim.trial, "beat", time.time())
            except Lost:
                return  # found out again when the result is told

        return Heart(beat)

    def done(self, claim: Claim, scored: Scored) -> None:
        """Write down a score."""
        said: dict[str, Any] = {"ended": time.time(), "outcome": "done", "folds": list(scored.folds)}
        said |= {"loss": scored.loss} if scored.loss == scored.loss else {}
        self._say(claim.trial, "end", said)
        self._tell(claim, "COMPLETE", scored.value)

    def stopped(self, claim: Claim, outcome: str, reason: str) -> None:
        """Write down that a trial was pruned or failed. Of a failed one, TPE learns to keep away."""
        self._say(claim.trial, "end", {"ended": time.time(), "outcome": outcome, "reason": reason})
        self._tell(claim, "PRUNED")

    def give_back(self, claim: Claim) -> None:
        """Stop training a trial that is to be trained again, by whoever comes next."""
        self._say(claim.trial, "end", {"ended": time.time()})
        self._tell(claim, "FAIL")
        frozen = next(each for each in self._trials(claim.stage) if each.number == claim.trial.number)
        self._again(claim.stage, frozen, frozen.user_attrs.get("again", 0))

    def discard(self, claim: Claim) -> None:
        """A draw beyond the budget, claimed by two at once: it does not count."""
        self._tell(claim, "FAIL")

    def reap(self, stage: str) -> int:
        """Put the trials of processes that were killed back in the queue; how many there were.

        A trial that has killed three processes is not tried again: it is a failed one.
        """
        reaped = 0
        for trial in self._trials(stage):
            if trial.state.name != "RUNNING" or self._is_alive(trial):
                continue
            try:
                self.studies[stage].tell(trial.number, state=self._optuna.trial.TrialState.FAIL)
            except (ValueError, self._finished):  # another process has seen it too, and was quicker
                continue
            self._again(stage, trial, trial.user_attrs.get("again", 0) + 1)
            reaped += 1
        return reaped

    # ------------------------------------------------------------------------------------------- within

    def _trials(self, stage: str) -> list[Any]:
        found: list[Any] = self.studies[stage].get_trials(deepcopy=False)
        return found

    def _is_alive(self, trial: Any) -> bool:
        said = _said(trial)
        if "owner" not in said:
            return trial.datetime_start is None or time.time() - trial.datetime_start.timestamp() < UNSIGNED_SECONDS
        return is_alive(said["owner"], _last_heard(said))

    def _again(self, stage: str, trial: Any, attempts: int) -> None:
        said: dict[str, Any] = {"draw": self.draw_of(stage, trial), "again": attempts}
        if "settings" in trial.user_attrs:
            said["settings"] = trial.user_attrs["settings"]
        if attempts < ATTEMPTS or "settings" not in said:
            self.studies[stage].enqueue_trial({}, user_attrs=said)
            return
        reason = f"its process was killed {attempts} times; it may need more memory than there is"
        pruned = self._optuna.trial.TrialState.PRUNED
        said |= {"outcome": "failed", "reason": reason}
        self.studies[stage].add_trial(self._optuna.trial.create_trial(state=pruned, user_attrs=said))

    def _say(self, trial: Any, name: str, value: Any) -> None:
        try:
            trial.set_user_attr(name, value)
        except self._finished as error:
            raise Lost from error

    def _tell(self, claim: Claim, state: str, value: float | None = None) -> None:
        try:
            self.studies[claim.stage].tell(claim.trial, value, state=self._optuna.trial.TrialState[state])
        except (ValueError, self._finished) as error:
            raise Lost from error


def _open(optuna: Any, where: str, create: bool) -> Any:
    if "://" in where:
        import sqlalchemy

        try:
            return optuna.storages.RDBStorage(where)
        except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(f"Cannot open the database {where}: {reason}. See --storage.") from error
    path = Path(where).absolute()
    if not create and not path.exists():
        raise RunError(f"{path} does not exist: the journal of the search was moved or removed.")
    journal = optuna.storages.journal
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=KernelLock(str(path))))


def _tried(stage: str, draw: int, trial: Any) -> Tried:
    said = _said(trial)
    began = said.get("began", 0.0)
    done = trial.state.name == "COMPLETE"
    return Tried(
        stage=stage,
        draw=draw,
        settings=_settled(said["settings"]),
        state="done" if done else "running" if trial.state.name == "RUNNING" else said.get("outcome", "pruned"),
        value=float(trial.value) if done else float("nan"),
        loss=said.get("loss", float("nan")),
        curve=tuple(float(trial.intermediate_values[step]) for step in sorted(trial.intermediate_values)),
        folds=tuple(said.get("folds", ())),
        seconds=_last_heard(said) - began,
        reason=said.get("reason", ""),
        repeat=draw + 1 if stage == "repeat" else 0,
    )


def _said(trial: Any) -> dict[str, Any]:
    """What is written beside a trial, in as few pieces as it was written in, since each of them waits for the disk."""
    said = trial.user_attrs
    return {**said, **said.get("claim", {}), **said.get("end", {})}


def _last_heard(said: dict[str, Any]) -> float:
    """When the process that trains it, or has trained it, last wrote."""
    return max(said.get("ended", 0.0), said.get("beat", 0.0), said.get("began", 0.0))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _settled(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they came back from JSON, which has lists for tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
