"""Which settings matter: the share of the differences between trials that each explains.

Functional analysis of variance over a random forest that learns score from settings (fANOVA), as Optuna has it.

Source: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance", ICML 2014,
http://proceedings.mlr.press/v32/hutter14.html.
"""

from collections.abc import Sequence

from pellucid.training.search.samplers import distributions, require_optuna
from pellucid.training.search.space import Choice, Space, label
from pellucid.training.search.tried import Tried, ranked

FEWEST = 4  # trials; fewer explain nothing


def importance(space: Space, trials: Sequence[Tried], higher_is_better: bool = True) -> dict[str, float]:
    """Setting -> share in [0, 1], the largest first; they sum to 1. Empty when there is too little to go by.

    Args:
        space: that all trials were drawn from.
        trials: those that are done count; of one stage, since longer training changes scores too.
    """
    optuna = require_optuna()
    done = sorted(ranked(trials, higher_is_better), key=lambda one: one.draw)
    if len(done) < FEWEST or len({one.value for one in done}) < 2:
        return {}
    study = optuna.create_study(direction="maximize" if higher_is_better else "minimize")
    known = distributions(space)
    for one in done:
        params = {
            name: label(one.settings[name]) if isinstance(axis, Choice) else one.settings[name]
            for name, axis in space.items()
        }
        study.add_trial(optuna.trial.create_trial(params=params, distributions=known, value=one.value))
    # A setting that had one value alone explains nothing, and the forest cannot be asked about it.
    varied = [name for name in space if len({label(one.settings[name]) for one in done}) > 1]
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=varied)
    return {**{name: float(share) for name, share in found.items()}, **{n: 0.0 for n in space if n not in found}}
