"""What a search is asked for beside the settings of training. Imports no torch."""

from dataclasses import dataclass, fields
from typing import Literal

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError
from pellucid.runs.setup.settings import Settings
from pellucid.training.search.stages import Stage, plan_stages

SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("median", "halving", "none")


@dataclass(frozen=True)
class TuneOptions:
    """A search in numbers and names.

    Attributes:
        trials: of all stages together; 0 takes 24, or as many as fit into the minutes.
        minutes: of all stages together; 0 is without limit.
        sampler: tpe, random or grid.
        pruner: median, halving or none.
        coarse_epochs, fine_epochs: of one trial of each stage; `fine_epochs` 0 is without that stage.
        cv: folds of cross-validation over the training and validation pictures; 0 takes the validation split.
        jobs: processes on this machine.
        storage: path of a journal file, or URL of a database; "" is a journal in the folder.

    Raises:
        ConfigError: a number is out of range, or there is no such name.
    """

    trials: int = 0
    minutes: float = 0.0
    sampler: str = "tpe"
    pruner: str = "median"
    coarse_epochs: int = 2
    fine_epochs: int = 10
    cv: int = 0
    jobs: int = 1
    storage: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            given, wanted = getattr(self, each.name), type(each.default)
            fits = isinstance(given, (int, float) if wanted is float else wanted) and not isinstance(given, bool)
            require(fits, each.name, {int: "a whole number", float: "a number", str: "text"}[wanted], given)
        choose(self.sampler, dict.fromkeys(SAMPLERS), "sampler")
        choose(self.pruner, dict.fromkeys(PRUNERS), "pruner")
        require(self.cv == 0 or self.cv >= 2, "cv", "0 (none) or at least 2", self.cv)
        require(1 <= self.jobs <= 256, "jobs", "from 1 to 256", self.jobs)
        self.stages()

    def stages(self) -> tuple[Stage, ...]:
        """The stages of this budget."""
        return plan_stages(self.trials, self.minutes, self.coarse_epochs, self.fine_epochs)


class TuneKeywords(Settings, total=False):
    """Keyword of `pellucid.tune` -> its type: those of `TuneOptions`, and every setting of `pellucid.train`."""

    trials: int
    minutes: float
    sampler: Literal["tpe", "random", "grid"]
    pruner: Literal["median", "halving", "none"]
    coarse_epochs: int
    fine_epochs: int
    cv: int
    jobs: int
    storage: str


NAMES = tuple(each.name for each in fields(TuneOptions))


def refuse_other_stages(stated: set[str]) -> None:
    """Refuse what the search decides itself.

    Raises:
        ConfigError: `epochs` or `find_lr` was stated.
    """
    if "find_lr" in stated:
        raise ConfigError("--find-lr means nothing to a search, which tries rates itself. Leave it out.")
    if "epochs" in stated:
        raise ConfigError("--epochs means nothing to a search: say --coarse-epochs and --fine-epochs.")
