"""What to train when a network starts from weights of others: the rule of the course, applied to the data at hand.

The table is that of CS231n, "Transfer Learning" (https://cs231n.github.io/transfer-learning/):

| | pictures like those of the weights | other pictures |
|---|---|---|
| little data | last layer only | last layer only, or better a linear one on features from half-way up |
| much data | everything | everything: still a better start than a random one |
"""

from typing import Literal

from pellucid.core.config import require
from pellucid.core.verdict import Verdict

LITTLE = 500  # pictures a class; CIFAR-100, on which networks are trained from scratch, has as many
SOURCE = "CS231n, https://cs231n.github.io/transfer-learning/"

Tune = Literal["all", "last"]

# (little data?, similarity) -> what to train, why, and how to say so
TABLE: dict[tuple[bool, str], tuple[Tune, str, str]] = {
    (True, "high"): (
        "last",
        "train the last layer only, since few pictures overfit a whole network (or nothing, where the classes are the "
        "weights' own)",
        "--tune last",
    ),
    (True, "low"): (
        "last",
        "train the last layer only, or better a linear classifier on features from half-way up, which are less of the "
        "old task; more pictures help most",
        "--tune last, or pellucid.features(...) of a layer half-way up and --model softmax on those",
    ),
    (False, "high"): (
        "all",
        "train everything: there are pictures enough not to overfit, and the start is good",
        "--tune all, with --layer-decay 0.7 or so to keep what is below",
    ),
    (False, "low"): (
        "all",
        "train everything: from scratch would do too, but trained weights are still the better start",
        "--tune all",
    ),
}


def advise_transfer(
    n_train: int, n_classes: int, similarity: Literal["high", "low", "unknown"] = "unknown", tune: str = ""
) -> Verdict:
    """What the 2 x 2 table of data size and similarity says, with its source.

    Little data is less than 500 pictures a class: no law, a convention, which the verdict names. Where the similarity
    is unknown, both answers are given.

    Args:
        n_train: pictures in the training split, at least 1.
        n_classes: classes, at least 1.
        similarity: how much the pictures are like those the weights were trained on.
        tune: what the run does, "all" or "last"; "" for advice alone.

    Raises:
        ConfigError: a number below 1, or another similarity.
    """
    require(n_train >= 1, "n_train", "1 or more", n_train)
    require(n_classes >= 1, "n_classes", "1 or more", n_classes)
    require(similarity in ("high", "low", "unknown"), "similarity", "high, low or unknown", similarity)
    each = n_train / n_classes
    little = each < LITTLE
    size = f"{'little' if little else 'much'} data ({each:,.0f} training pictures a class; little is below {LITTLE})"
    answers = [TABLE[little, kind] for kind in (("high", "low") if similarity == "unknown" else (similarity,))]
    words = {"high": "like those of the weights", "low": "unlike those of the weights"}
    if similarity == "unknown":
        seen = "how much the pictures are like those of the weights is not said (--similarity)"
        told = "; ".join(f"if they are {words[kind]}, {TABLE[little, kind][1]}" for kind in words)
    else:
        seen, told = f"pictures {words[similarity]}", answers[0][1]
    wanted = {answer[0]: answer[2] for answer in reversed(answers)}  # where both say the same, as the first says it
    cure = "" if tune in wanted else " or ".join(wanted.values())
    return Verdict("transfer", "info", f"{size}, {seen}: {told} ({SOURCE})", "", cure)
