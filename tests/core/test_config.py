"""Settings: names are unique, three ways of writing them agree, and mistakes are said in one line."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.runs.setup.settings import Settings
from pellucid.tasks import CONFIGS


@dataclass(frozen=True)
class Optics:
    zoom: float = 1.0
    """How much larger."""
    lens: Literal["wide", "tele"] = "wide"
    """Which lens."""
    stops: tuple[int, ...] = ()
    """Apertures."""


@dataclass(frozen=True)
class Camera:
    optics: Optics = field(default_factory=Optics)


def test_change_reaches_the_right_section_and_keeps_the_rest() -> None:
    changed = settings.change(Camera(), {"zoom": 2, "stops": [4, 8]})
    assert changed.optics == Optics(zoom=2.0, lens="wide", stops=(4, 8))
    assert isinstance(changed.optics.zoom, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"zom": 2}, "Unknown setting 'zom'. Did you mean 'zoom'? Choose from: lens, stops, zoom."),
        ({"zoom": "big"}, "zoom must be float, got 'big' (str)."),
        ({"zoom": True}, "zoom must be float, got True (bool)."),
        ({"lens": "macro"}, "Unknown value of lens 'macro'. Choose from: tele, wide."),
        ({"stops": [1.5]}, "stops must be int, got 1.5 (float)."),
    ],
)
def test_change_refuses_in_one_line(values: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.change(Camera(), values)
    assert str(caught.value) == message


def test_two_sections_must_not_share_a_name() -> None:
    @dataclass(frozen=True)
    class Twice:
        one: Optics = field(default_factory=Optics)
        two: Optics = field(default_factory=Optics)

    with pytest.raises(TypeError, match="zoom lies in both one and two"):
        settings.settings(Twice)


@pytest.mark.parametrize("task", CONFIGS)
def test_every_setting_survives_toml_and_flags(task: str) -> None:
    kind = CONFIGS[task]
    cfg = settings.change(kind(), {"epochs": 3, "lr": 0.25, "milestones": (2, 5), "nesterov": False, "strict": True})
    assert settings.from_dict(kind, settings.read_toml(settings.to_toml(cfg), "x"), "x") == cfg
    flags = "--epochs 3 --lr 0.25 --milestones 2 5 --no-nesterov --strict".split()
    assert settings.parse_flags(kind, flags, kind(), "pellucid train", "") == cfg


def test_toml_mistakes_name_file_and_nearest() -> None:
    kind = CONFIGS["classify"]
    with pytest.raises(ConfigError, match=r"^run\.toml: Unknown section 'trian'. Did you mean 'train' or 'transfer'\?"):
        settings.from_dict(kind, {"trian": {}}, "run.toml")
    with pytest.raises(ConfigError, match=r"^run\.toml: Unknown setting in \[train\] 'epoch'. Did you mean 'epochs'\?"):
        settings.from_dict(kind, {"train": {"epoch": 3}}, "run.toml")
    with pytest.raises(ConfigError, match=r"^run\.toml: epochs must be 1 or more, got 0\."):
        settings.from_dict(kind, {"train": {"epochs": 0}}, "run.toml")
    with pytest.raises(ConfigError, match=r"^run\.toml is no valid TOML"):
        settings.read_toml("epochs = = 3", "run.toml")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--epoch 3", "Unknown option --epoch. Did you mean --epochs"),
        ("--epochs ten", "--epochs needs a whole number, got 'ten'."),
        ("--precision fp8", "--precision cannot be 'fp8': use one of 'auto', 'fp32', 'bf16'."),
        ("--lr -1", "lr must be 0 (automatic) or positive, got -1.0."),
    ],
)
def test_flag_mistakes_are_one_line(flags: str, message: str) -> None:
    kind = CONFIGS["classify"]
    with pytest.raises(ConfigError) as caught:
        settings.parse_flags(kind, flags.split(), kind(), "pellucid train", "")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_keywords_of_train_are_exactly_the_settings() -> None:
    every = {name for kind in CONFIGS.values() for name in settings.settings(kind)}
    assert set(Settings.__annotations__) == every
    for kind in CONFIGS.values():
        for name, (_, wanted) in settings.settings(kind).items():
            assert Settings.__annotations__[name] == wanted, name


@pytest.mark.parametrize("task", CONFIGS)
def test_every_setting_is_explained(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    kind = CONFIGS[task]
    with pytest.raises(SystemExit):
        settings.parse_flags(kind, ["--help"], kind(), "pellucid train", "")
    text = capsys.readouterr().out
    for name in settings.settings(kind):
        assert f"--{name.replace('_', '-')}" in text
