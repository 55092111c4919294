"""Spaces: what can be written, what is drawn, and how well."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pellucid.core.config import change
from pellucid.core.errors import ConfigError
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.training.search.notation import FIXED, LOG_BY_NATURE, read_space
from pellucid.training.search.sample import draw
from pellucid.training.search.space import Choice, Float, Int, spelled

CFG = ClassifyConfig()


def test_one_line_names_everything_the_notes_list() -> None:
    """Structure, optimiser, rate, regularisation, augmentation: any setting, in one spec."""
    text = (
        "model=convnet|resnet18, optimiser=sgd|adamw, lr=1e-5..1e-1, weight_decay=1e-2..1e-6, "
        "label-smoothing=0..0.2, batch=16..256, flip=0|0.5, nesterov=true|false, milestones=[3, 6]|[4]"
    )
    assert read_space(text, CFG) == {
        "model": Choice(("convnet", "resnet18")),
        "optimiser": Choice(("sgd", "adamw")),
        "lr": Float(1e-5, 1e-1, log=True),
        "weight_decay": Float(1e-6, 1e-2, log=True),
        "label_smoothing": Float(0.0, 0.2),
        "batch": Int(16, 256, log=True),
        "flip": Choice((0.0, 0.5)),
        "nesterov": Choice((True, False)),
        "milestones": Choice(((3, 6), (4,))),
    }


@pytest.mark.parametrize(
    "text", ["lr=10**U(-3,-6)", "lr=10 ** uniform(-6, -3)", "lr=1e-3..1e-6 log", "--lr=1e-6..1e-3"]
)
def test_reversed_bounds_and_exponents(text: str) -> None:
    assert read_space(text, CFG) == {"lr": Float(1e-6, 1e-3, log=True)}


def test_a_scale_can_be_stated() -> None:
    space = read_space("lr=0.1..0.2 linear, shift=0.01..0.1 log", CFG)
    assert space == {"lr": Float(0.1, 0.2), "shift": Float(0.01, 0.1, log=True)}


def test_python_and_toml_say_the_same(tmp_path: Any) -> None:
    wanted = {"lr": Float(1e-4, 1e-1, log=True), "optimiser": Choice(("sgd", "adam")), "batch": Choice((32, 64))}
    given_in_python = {"lr": {"low": 1e-1, "high": 1e-4}, "optimiser": ["sgd", "adam"], "batch": "32|64"}
    assert read_space(given_in_python, CFG) == wanted
    assert read_space(wanted, CFG) == wanted
    file = tmp_path / "space.toml"
    file.write_text('[space]\nlr = "1e-4..1e-1"\noptimiser = ["sgd", "adam"]\nbatch = [32, 64]\n')
    assert read_space(str(file), CFG) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat=1..2", "Unknown setting 'learning_rat'."),
        ("weight_deca=1e-5..1e-3", "Did you mean 'weight_decay'"),
        ("momentum=0.5..1.5", "Space momentum=0.5..1.5 linear: momentum must be in [0, 1), got 1.5."),
        ("optimiser=sgd|adm", "Space optimiser=sgd|adm: Unknown optimiser 'adm'. Did you mean 'adam'"),
        ("optimiser=1..2", "optimiser is no number and has no range: give its values, optimiser=A|B."),
        ("nesterov=maybe|true", "nesterov must be bool, got 'maybe' (str)."),
        ("batch=1.5..8", "batch is a whole number, and so are the ends of its range, got 1.5..8."),
        ("lr=0..1", "A logarithmic range must lie above 0, got 0..1 log. Raise its low end, or say linear."),
        ("lr=1e-3..1e-3", "A range needs two different numbers, got 0.001..0.001."),
        ("lr=1e-3..1e-2 ln", "Unknown scale 'ln'."),
        ("lr", "Cannot read 'lr' in a space: write NAME=LOW..HIGH or NAME=A|B."),
        ("lr=0.1", "Cannot read '0.1' as a space of lr"),
        ("lr=0.1|", "Cannot read '0.1|' as a space of lr"),
        ("lr=1..2, lr=2..3", "lr stands twice in the space. Leave one of them out."),
        ("flip=0.5|0.5", "A choice needs two or more different values, got '0.5|0.5'."),
        ("epochs=1..5", "epochs cannot be searched: the stages say how long is trained"),
        ("seed=0|1", "seed cannot be searched: it decides the split"),
        ("layer_decay=0.5..0.9", "needs weights to start from"),
        ("", "A space names settings"),
        ("gone.toml", "No file gone.toml with a space."),
    ],
)
def test_what_cannot_be_trained_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_space(text, CFG)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_tables_name_settings_that_are_there_or_may_come() -> None:
    from pellucid.core.config import settings

    known = settings(ClassifyConfig)
    assert set(FIXED) <= set(known)
    assert {"lr", "weight_decay", "reg"} <= LOG_BY_NATURE & set(known)


def test_log_uniform_draws_are_log_uniform() -> None:
    """Kolmogorov-Smirnov against the law itself, on the exponents; and the uniform law is refused."""
    space = read_space("lr=10**U(-3,-6), reg=1e-5..1e5", CFG)
    drawn = [draw(space, 0, k) for k in range(2000)]
    for name, low, width in (("lr", -6, 3), ("reg", -5, 10)):
        exponents = np.log10([each[name] for each in drawn])
        assert stats.kstest(exponents, stats.uniform(low, width).cdf).pvalue > 0.05
        assert stats.kstest(exponents, stats.uniform(low, width / 2).cdf).pvalue < 1e-6
    linear = [draw({"x": Float(2.0, 5.0)}, 0, k)["x"] for k in range(2000)]
    assert stats.kstest(linear, stats.uniform(2, 3).cdf).pvalue > 0.05
    lr, reg = (np.log10([each[name] for each in drawn]) for name in ("lr", "reg"))
    assert abs(np.corrcoef(lr, reg)[0, 1]) < 0.06  # the settings are independent: 2.7 deviations of 1/sqrt(2000)


def test_whole_numbers_and_choices_are_drawn_evenly() -> None:
    space = {"k": Int(1, 6), "o": Choice(("a", "b", "c"))}
    drawn = [draw(space, 1, k) for k in range(3000)]
    for name, n in (("k", 6), ("o", 3)):
        counts = np.unique([each[name] for each in drawn], return_counts=True)[1]
        assert len(counts) == n
        assert stats.chisquare(counts).pvalue > 1e-3  # fails by chance once in a thousand seeds


def test_a_draw_depends_on_its_number_alone() -> None:
    space = read_space("lr=1e-5..1e-1, optimiser=sgd|adamw", CFG)
    assert draw(space, 0, "coarse", 7) == draw(space, 0, "coarse", 7)
    assert draw(space, 0, "coarse", 7) != draw(space, 0, "coarse", 8)
    assert draw(space, 0, "coarse", 7) != draw(space, 1, "coarse", 7)
    more = read_space("momentum=0.5..0.9, lr=1e-5..1e-1", CFG)
    assert draw(more, 0, "coarse", 7)["lr"] == draw(space, 0, "coarse", 7)["lr"]


@given(st.floats(-8, 3), st.floats(0.1, 6), st.floats(0, 1), st.booleans())
def test_values_stay_inside_and_positions_come_back(exponent: float, decades: float, at: float, log: bool) -> None:
    axis = Float(10**exponent, 10 ** (exponent + decades), log)
    value = axis.value(at)
    assert axis.low <= value <= axis.high
    assert axis.position(value) == pytest.approx(at, abs=2e-3 / min(decades, 1) if log else 2e-3)


def test_every_drawn_value_is_one_the_config_takes_and_reads_back() -> None:
    text = "lr=1e-5..1e-1, batch=8..64, optimiser=sgd|adam, momentum=0..0.99, milestones=[3]|[4, 5]"
    space = read_space(text, CFG)
    assert read_space(spelled(space), CFG) == space
    for k in range(20):
        change(CFG, draw(space, 0, k))
