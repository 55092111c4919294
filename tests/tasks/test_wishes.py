"""What predictions can be asked for: keywords and flags give the same, and refusals say what there is."""

from dataclasses import dataclass
from typing import Literal, get_type_hints

import pytest

from pellucid.core.errors import ConfigError
from pellucid.core.task import TOGETHER, Wishes
from pellucid.runs.setup.asked_of_predictions import Asked
from pellucid.tasks import WISHES
from pellucid.tasks.wishes import grant, grant_flags, helps, names


@dataclass(frozen=True)
class Some(Wishes):
    size: Literal["small", "large"] = "small"
    """How large."""
    least_count: int = 1
    """Of what there has to be, over
    two lines."""
    masks: bool = False
    """Whether there are any."""

    def __post_init__(self) -> None:
        if self.least_count < 0:
            raise ConfigError(f"least_count must be at least 0, got {self.least_count}.")

    @property
    def together(self) -> int:
        return 1 if self.masks else TOGETHER


def test_keywords_and_flags_give_the_same() -> None:
    assert grant(Some, {}, "find") == grant_flags(Some, {}, "find") == Some()
    stated = {"size": "large", "least_count": 3, "masks": True}
    written: dict[str, str | bool] = {"size": "large", "least_count": "3", "masks": True}
    assert grant(Some, stated, "find") == grant_flags(Some, written, "find") == Some("large", 3, True)
    assert grant(Some, {"masks": True}, "find").together == 1
    assert grant(Wishes, {}, "none") == Wishes()


def test_helps_are_the_docstrings_below_the_fields() -> None:
    about = {
        "size": "How large.",
        "least_count": "Of what there has to be, over two lines.",
        "masks": "Whether there are any.",
    }
    assert helps(Some) == about
    assert names(Some) == tuple(about)
    assert helps(Wishes) == {}


def test_what_does_not_fit_is_refused_in_one_line() -> None:
    refused = {
        "Predictions of task find take no option top. Options they take: size, least_count, masks.": {"top": 3},
        "Unknown value of size 'huge'. Choose from: large, small.": {"size": "huge"},
        "least_count must be int, got '3' (str).": {"least_count": "3"},
        "least_count must be at least 0, got -1.": {"least_count": -1},
    }
    for message, values in refused.items():
        with pytest.raises(ConfigError) as caught:
            grant(Some, values, "find")
        assert str(caught.value) == message
    with pytest.raises(
        ConfigError, match=r"^Predictions of task plain take no option top\. Options they take: none\.$"
    ):
        grant(Wishes, {"top": 1}, "plain")


def test_flags_that_do_not_fit_are_refused_in_one_line() -> None:
    refused: dict[str, dict[str, str | bool]] = {
        "Predictions of task find take no --top. Options they take: --size, --least-count, --masks.": {"top": "3"},
        "--size cannot be 'huge': use one of 'small', 'large'.": {"size": "huge"},
        "--least-count needs a whole number, got 'x'.": {"least_count": "x"},
        "least_count must be at least 0, got -1.": {"least_count": "-1"},
    }
    for message, texts in refused.items():
        with pytest.raises(ConfigError) as caught:
            grant_flags(Some, texts, "find")
        assert str(caught.value) == message


def test_every_wish_of_every_task_is_explained_and_a_keyword() -> None:
    keywords = get_type_hints(Asked)
    for kind in WISHES.values():
        assert set(helps(kind)) == set(names(kind))
        for name in names(kind):
            assert keywords[name] == get_type_hints(kind)[name], name
    assert set(keywords) == {name for kind in WISHES.values() for name in names(kind)}


def test_a_flag_is_with_or_without_a_value_whatever_the_task() -> None:
    for kind in WISHES.values():
        for other in WISHES.values():
            for name in set(names(kind)) & set(names(other)):
                assert (get_type_hints(kind)[name] is bool) == (get_type_hints(other)[name] is bool)
