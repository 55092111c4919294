"""One line a trial: how far the search is, what it found, and how long it will take."""

import math
from dataclasses import dataclass
from typing import Any

from pellucid.core.progress import Progress
from pellucid.training.search.search import Search
from pellucid.training.search.stages import ENDLESS, Stage
from pellucid.training.search.tried import Tried, best_of


@dataclass
class Teller:
    """Tells of finished trials.

    Attributes:
        progress: where to.
        metric: name of the score.
        minutes: of the whole search; 0 is without limit.
        jobs: processes that share the work.
    """

    progress: Progress
    metric: str
    minutes: float = 0.0
    jobs: int = 1

    def __call__(self, tried: Tried, search: Search) -> None:
        """Say it to people, and to programs."""
        stage = next(each for each in search.stages if each.name == tried.stage)
        total = "" if stage.trials >= ENDLESS else f"/{len(search.store.tried(stage.name)) + search.trials_left(stage)}"
        best = best_of(search.store.everything(), search.higher_is_better)
        parts = [f"{tried.stage} {tried.draw + 1}{total}", self._result(tried)]
        parts += [f"best {best.value:.4f}"] if best else []
        parts += [tried.words() if not tried.repeat else f"the best again, seed +{tried.repeat}"]
        rate, left = per_minute(search), self.seconds_left(search, stage)
        parts += [f"{rate:.1f} trials a minute"] if rate else []
        parts += [f"about {duration(left)} left"] if left > 0 else []
        self.progress.say("  ".join(parts))
        self.progress.event("trial", _plain(tried))

    def seconds_left(self, search: Search, now: Stage) -> float:
        """What is left of the budget, or how long the trials take that are to come, whichever is less."""
        worth = 0.0
        for stage in search.stages[search.stages.index(now) :]:
            left = search.trials_left(stage)
            worth += math.inf if left > ENDLESS / 2 else left * search.expected_seconds(stage) / self.jobs
        until = 60 * self.minutes - search.store.seconds() if self.minutes else math.inf
        seconds = min(worth, until)
        return seconds if math.isfinite(seconds) else 0.0

    def _result(self, tried: Tried) -> str:
        if tried.state == "done":
            spread = f" ± {tried.deviation:.4f}" if len(tried.folds) > 1 else ""
            return f"{self.metric} {tried.value:.4f}{spread}"
        so_far = f" at {tried.curve[-1]:.4f}" if tried.state == "pruned" and tried.curve else ""
        return f"{tried.state}{so_far}: {tried.reason}" if tried.state == "failed" else f"{tried.state}{so_far}"


def per_minute(search: Search) -> float:
    """How many trials of all stages were finished in a minute of work."""
    seconds = search.store.seconds()
    return 60 * len(search.store.everything()) / seconds if seconds > 0 else 0.0


def duration(seconds: float) -> str:
    """In words: 45 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _plain(tried: Tried) -> dict[str, Any]:
    value = tried.value if math.isfinite(tried.value) else None
    settings = {name: list(each) if isinstance(each, tuple) else each for name, each in tried.settings.items()}
    said = {"stage": tried.stage, "trial": tried.draw, "state": tried.state, "value": value, "settings": settings}
    return {**said, "seconds": round(tried.seconds, 2), "reason": tried.reason}
