"""What a search found, read from its folder when it is asked for."""

import html
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError, RunError
from pellucid.core.verdict import Verdict
from pellucid.runs.run import Run
from pellucid.runs.searching import folder as files
from pellucid.runs.searching.folder import Begun, read_beginning
from pellucid.runs.setup.assemble import choose_metric
from pellucid.runs.stored import folder as run_files
from pellucid.tasks import get_task
from pellucid.training.search.borders import FEW, watch_borders
from pellucid.training.search.importance import importance
from pellucid.training.search.noise import judge_noise
from pellucid.training.search.space import Space, spelled
from pellucid.training.search.stages import STAGES
from pellucid.training.search.storage.store import Store
from pellucid.training.search.tried import Tried, best_of, ranked


class Study:
    """The folder of a search, with everything one can ask of it.

    Attributes:
        folder: of the search.
    """

    def __init__(self, folder: str | Path, store: Store | None = None) -> None:
        self.folder = Path(folder)
        self._store = store

    @cached_property
    def begun(self) -> Begun:
        """What was asked for.

        Raises:
            RunError: no search was begun there.
        """
        return read_beginning(self.folder)

    @cached_property
    def metric(self) -> Any:
        """The number that candidates are compared by."""
        return choose_metric(get_task(self.begun.told.task), self.begun.cfg)

    @property
    def space(self) -> Space:
        """What was searched."""
        return self.begun.space

    @property
    def store(self) -> Store:
        """Where the trials are written down."""
        if self._store is None:
            begun = self.begun
            self._store = Store(begun.storage(self.folder), begun.told.name, STAGES, self.metric.higher_is_better)
        return self._store

    @property
    def trials(self) -> list[Tried]:
        """Every trial, stage by stage, as far as they are."""
        return self.store.everything()

    @property
    def best(self) -> Tried:
        """The winner.

        Raises:
            RunError: no trial has a score.
        """
        found = best_of(self.trials, self.metric.higher_is_better)
        if found is None:
            reasons = list(dict.fromkeys(one.reason for one in self.trials if one.state == "failed"))
            why = f": {reasons[0]}" if reasons else ""
            raise RunError(f"{self.folder}: no trial has a score{why.rstrip('.')}. Search other ranges with --space.")
        return found

    @property
    def value(self) -> float:
        """The winner's score on the validation split; chosen for it, and so a little too good."""
        return self.best.value

    @property
    def settings(self) -> dict[str, Any]:
        """The winner's settings, of those that were searched."""
        return dict(self.best.settings)

    @property
    def run(self) -> Run:
        """The winner as a run, to predict with and to be evaluated.

        Raises:
            RunError: with cross-validation, or with a model that is fitted in one go, none was kept.
        """
        folder = self.folder / files.BEST
        if not run_files.is_run(folder):
            raise RunError(
                f"{folder} is not there: its weights were not kept. Train it: pellucid train DATA --config "
                f"{self.folder / files.BEST_CONFIG}"
            )
        return Run(folder)

    @cached_property
    def report(self) -> Path:
        """Write `report.html` anew; its path."""
        from pellucid.runs.searching.page import write_page

        return write_page(self)

    def table(self) -> list[dict[str, Any]]:
        """One row a trial, the best of the longest training first: name, score, settings, seconds, state."""
        better = self.metric.higher_is_better
        trials = self.trials
        done = [
            one
            for stage in ("fine", "repeat", "coarse")
            for one in ranked([t for t in trials if t.stage == stage], better)
        ]
        order = done + [one for one in trials if one not in done]
        return [
            {
                "trial": one.name,
                self.metric.name: one.value,
                **({"deviation": one.deviation} if self.begun.options.cv else {}),
                **one.settings,
                "seconds": round(one.seconds, 1),
                "state": one.state,
                "reason": one.reason,
            }
            for one in order
        ]

    def importance(self) -> dict[str, float]:
        """Setting -> share of the differences between coarse trials that it explains; {} where there are too few."""
        return importance(self.space, [t for t in self.trials if t.stage == "coarse"], self.metric.higher_is_better)

    def judge(self) -> tuple[list[Verdict], Space]:
        """What is to be said of the search, and where to look next."""
        trials, better = self.trials, self.metric.higher_is_better
        best = best_of(trials, better)
        if best is None:
            return [], self.space
        known = self.importance() if sum(t.state == "done" and t.stage == "coarse" for t in trials) >= FEW else None
        stage = [one for one in trials if one.stage == best.stage]
        verdicts, wider = watch_borders(self.space, stage, better, self._accepts, known)
        return [*verdicts, *judge_noise(trials, better)], wider

    @property
    def verdicts(self) -> list[Verdict]:
        """The best value at a border, differences within the noise between seeds."""
        return self.judge()[0]

    @property
    def next_space(self) -> str:
        """Where to look next, as `--space` takes it: ranges whose best value lies at an edge widened, others shrunk."""
        wider = self.judge()[1]
        plan = self.store.plan("fine")
        narrow = plan.space if plan else self.space
        return spelled(
            {name: wider[name] if wider[name] != axis else narrow[name] for name, axis in self.space.items()}
        )

    def _accepts(self, name: str, value: Any) -> bool:
        try:
            settings.change(self.begun.cfg, {name: value})
        except ConfigError:
            return False
        return True

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        """The best trials as a table."""
        rows = self.table()[:10]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in (rows[0] if rows else {}))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row.values()) + "</tr>"
            for row in rows
        )
        return f"<p>{html.escape(str(self.folder))}</p><table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
