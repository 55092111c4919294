import pytest

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError


def test_choose_returns_the_entry() -> None:
    assert choose("b", {"a": 1, "b": 2}, "letter") == 2


def test_unknown_name_lists_choices_and_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        choose("resnet81", {"resnet18": 1, "convnet": 2}, "model")
    assert str(caught.value) == "Unknown model 'resnet81'. Did you mean 'resnet18'? Choose from: convnet, resnet18."


def test_nothing_near_gives_no_guess() -> None:
    with pytest.raises(ConfigError) as caught:
        choose("zzz", {"resnet18": 1}, "model")
    assert "Did you mean" not in str(caught.value)
