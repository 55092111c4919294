"""Who proposes the next candidate, and who stops a poor one. Optuna is imported where it is used: an extra."""

from collections.abc import Callable
from typing import Any

from pellucid.core.errors import ConfigError
from pellucid.core.seed import derive
from pellucid.training.search.space import Choice, Float, Space, label

SAMPLERS = {
    "tpe": "Bayesian: ten random draws, then where good trials are dense (Bergstra et al. 2011)",
    "random": "every draw independent of all others (Bergstra and Bengio 2012)",
    "grid": "evenly spread, all combinations; for comparison",
}
PRUNERS = {
    "median": "stop a trial that is below the median of earlier ones at the same epoch",
    "halving": "go on with the best quarter at epochs 1, 4, 16, ... (asynchronous successive halving)",
    "none": "finish every trial",
}
STARTUP = 10  # random draws before TPE has something to go by
BEFORE_PRUNING = 4  # finished trials before a median is one


def require_optuna() -> Any:
    """The package `optuna`, told to say nothing but errors.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as missing:
        raise ConfigError('Searching needs optuna, which is not installed: pip install "pellucid[tune]".') from missing
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def distributions(space: Space) -> dict[str, Any]:
    """The space in Optuna's words; a choice is one of its labels, which any storage can hold."""
    of = require_optuna().distributions
    return {
        name: of.CategoricalDistribution([label(option) for option in axis.options])
        if isinstance(axis, Choice)
        else of.FloatDistribution(axis.low, axis.high, log=axis.log)
        if isinstance(axis, Float)
        else of.IntDistribution(axis.low, axis.high, log=axis.log)
        for name, axis in space.items()
    }


def make_tpe(seed: int, stage: str, number: int) -> Any:
    """A TPE sampler for one draw: given the trials before it, it proposes what it would have in any process."""
    samplers = require_optuna().samplers
    return samplers.TPESampler(
        seed=derive(seed, "tpe", stage, number) % 2**32, n_startup_trials=STARTUP, multivariate=False
    )


def make_given(values: dict[str, Any]) -> Any:
    """A sampler that proposes just these values, in Optuna's words."""
    optuna = require_optuna()

    class Given(optuna.samplers.BaseSampler):  # type: ignore[name-defined]
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return values[param_name]

    return Given()


def make_pruner(name: str) -> Any:
    """Optuna's pruner of that name."""
    pruners = require_optuna().pruners
    made: dict[str, Callable[[], Any]] = {
        "median": lambda: pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING),
        "halving": lambda: pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4),
        "none": pruners.NopPruner,
    }
    return made[name]()
