"""What is searched when nobody says: the rate, the decay, and how sure the targets are."""

from typing import Any

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.training.config import OPTIMISERS
from pellucid.training.search.notation import read_space
from pellucid.training.search.space import Space

BELOW, ABOVE = 100.0, 100.0  # of the optimiser's usual rate; sgd diverges sooner
ABOVE_SGD = 10.0
OF_FITTED = {"svm": "reg=1e-4..1e4", "softmax": "reg=1e-4..1e4", "knn": "k=1..25, distance=l1|l2"}
FOR_ALL = {"weight_decay": "1e-6..1e-1 log", "label_smoothing": "0..0.2 linear"}


def usual_space(cfg: Any, stated: set[str]) -> Space:
    """The space of a task that was not told one.

    Args:
        cfg: the settings as far as they are known.
        stated: names of those the user has fixed; they are not searched.

    Raises:
        ConfigError: nothing is left to be searched.
    """
    known = settings.settings(type(cfg))
    wanted = settings.flat(cfg)
    text = OF_FITTED.get(wanted["model"])
    if text is None:
        usual = OPTIMISERS[wanted["optimiser"]]
        above = ABOVE_SGD if wanted["optimiser"] == "sgd" else ABOVE
        entries = {"lr": f"{usual / BELOW:g}..{usual * above:g} log", **FOR_ALL}
    else:
        entries = dict(part.strip().split("=") for part in text.split(","))
    entries = {name: axis for name, axis in entries.items() if name in known and name not in stated}
    if not entries:
        raise ConfigError("Everything that is searched by itself is fixed: say what to search with --space.")
    return read_space(entries, cfg)
