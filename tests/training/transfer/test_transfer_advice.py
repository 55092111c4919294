"""The table of data size and similarity: its four answers, both of them where similarity is unknown, its source."""

import pytest

from pellucid.core.errors import ConfigError
from pellucid.training.transfer.advice import LITTLE, advise_transfer


@pytest.mark.parametrize(
    ("n_train", "similarity", "tune", "words"),
    [
        (100, "high", "last", "train the last layer only, since few pictures overfit"),
        (100, "low", "last", "better a linear classifier on features from half-way up"),
        (20_000, "high", "all", "train everything: there are pictures enough"),
        (20_000, "low", "all", "train everything: from scratch would do too"),
    ],
)
def test_the_four_answers(n_train: int, similarity: str, tune: str, words: str) -> None:
    """The right one is left alone, the other one is told what to say."""
    agreed = advise_transfer(n_train, 10, similarity, tune)  # type: ignore[arg-type]
    assert (agreed.rule, agreed.status, agreed.cure) == ("transfer", "info", "")
    assert words in agreed.evidence and "https://cs231n.github.io/transfer-learning/" in agreed.evidence
    other = advise_transfer(n_train, 10, similarity, "all" if tune == "last" else "last")  # type: ignore[arg-type]
    assert other.cure.startswith(f"--tune {tune}")
    assert advise_transfer(n_train, 10, similarity).cure == other.cure  # type: ignore[arg-type]


def test_unknown_similarity_gets_both_answers() -> None:
    found = advise_transfer(100, 10)
    assert "if they are like those of the weights, train the last layer only" in found.evidence
    assert "if they are unlike those of the weights, train the last layer only, or better" in found.evidence
    assert "(--similarity)" in found.evidence and found.cure == "--tune last"


def test_little_is_counted_by_class() -> None:
    """At the bound there is much; one picture less is little."""
    assert advise_transfer(10 * LITTLE, 10, "high").evidence.startswith("much data (500 training pictures a class;")
    assert advise_transfer(10 * LITTLE - 1, 10, "high").evidence.startswith("little data (")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((0, 2), "n_train must be 1 or more, got 0."),
        ((5, 0), "n_classes must be 1 or more, got 0."),
        ((5, 2, "so-so"), "similarity must be high, low or unknown, got 'so-so'."),
    ],
)
def test_wrong_input(wrong: tuple, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        advise_transfer(*wrong)
    assert str(caught.value) == message
