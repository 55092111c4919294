"""What each rule says of a history whose numbers are known, and which alarm is the root of the others."""

from typing import Any

import pytest
import torch

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.history import BLOCK, RECENT, WINDOW, History
from pellucid.training.health.monitor.judge import judge
from pellucid.training.health.monitor.pace import update_ratio
from pellucid.training.health.monitor.signal import exploding_signal, vanishing_signal
from pellucid.training.health.monitor.snapshot import Activation, Snapshot, Weight, rounded
from pellucid.training.health.monitor.spikes import loss_spike, note_spike
from pellucid.training.health.monitor.units import dead_units, saturated_units
from pellucid.training.health.monitor.updates import Updates


def look(step: int, *, ratio: float = 1e-3, lr: float = 0.1, std: float = 1.0, **layers: Activation) -> Snapshot:
    layers = layers or {"relu": Activation(0.4, 0.6, 0.6, 0.0, 0.0, None, "relu", "fc.weight")}
    return Snapshot(step, lr, 0.0, std, layers, {"fc.weight": Weight(0.1, 0.01, ratio)})


def history(*looks: Snapshot, **about: Any) -> History:
    made = History(**about)
    for each in looks:
        made.add_look(each)
    return made


def relu(signal: float = 0.6, dead: float = 0.0, born: float = 0.0, **other: Any) -> Activation:
    return Activation(signal, signal, signal, dead, born, None, "relu", other.get("weight", "fc.weight"))


def tanh(saturated: float) -> Activation:
    return Activation(0.0, 0.8, 0.8, None, None, saturated, "tanh", "fc.weight")


def losses(values: list[float], lr: float = 0.1) -> History:
    made = History()
    for step, value in enumerate(values):
        if made.add_loss(step, lr, value):
            note_spike(made)
    return made


def status(verdict: Verdict | None) -> str:
    return verdict.status if verdict else "none"


# ------------------------------------------------------------------------------------------------- dead, saturated


def test_dead_needs_three_looks_in_a_row() -> None:
    made, masks = History(), torch.tensor([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [1, 1, 1]]).bool()
    found = []
    for step, mask in enumerate(masks):
        found.append(made.count_silent("relu", mask))
        made.add_look(look(step))
    assert found[:2] == [(None, None), (None, None)]
    third = rounded(1 / 3)
    assert found[2:4] == [(third, third), (third, third)]  # unit 0 alone; unit 1 fired at the third look
    assert found[4] == (rounded(2 / 3), third)  # unit 2 since the third look; it was alive at the first


@pytest.mark.parametrize(
    ("dead", "born", "expected", "cause"),
    [
        (0.5, 0.5, "pass", ""),
        (0.51, 0.51, "warn", "initialisation"),
        (0.8, 0.1, "warn", "learning rate"),
        (1.0, 1.0, "fail", "initialisation"),
        (1.0, 0.0, "fail", "learning rate"),
    ],
)
def test_dead_units_by_start_or_by_rate(dead: float, born: float, expected: str, cause: str) -> None:
    verdict = dead_units(history(look(0), look(1, ratio=0.4), look(2, a=relu(), b=relu(0.6, dead, born))))
    assert status(verdict) == expected
    assert verdict is not None
    assert cause in verdict.cause
    if cause == "learning rate":
        assert "a step moved weights by 0.4 of their length (step 1)" in verdict.evidence


def test_without_units_that_can_die_nothing_is_said() -> None:
    assert dead_units(history(look(0, a=tanh(0.1)))) is None
    assert saturated_units(history(look(0))) is None


@pytest.mark.parametrize(
    ("shares", "mean", "deviation", "expected", "cause"),
    [
        ((0.9, 0.9, 0.9), 0.0, 1.0, "warn", "initialisation"),
        ((0.9, 0.9, 0.9), 80.0, 1.0, "warn", "the input is not scaled"),
        ((0.9, 0.9, 0.9), 0.0, 70.0, "warn", "the input is not scaled"),
        ((0.1, 0.9, 0.9, 0.9), 0.0, 1.0, "warn", "learning rate"),
        ((0.9, 0.9), 0.0, 1.0, "pass", ""),
        ((0.9, 0.7, 0.9), 0.0, 1.0, "pass", ""),
    ],
)
def test_saturation_by_start_input_or_rate(
    shares: tuple[float, ...], mean: float, deviation: float, expected: str, cause: str
) -> None:
    looks = [Snapshot(k, 0.1, mean, deviation, {"tanh": tanh(share)}, {}) for k, share in enumerate(shares)]
    verdict = saturated_units(history(*looks))
    assert status(verdict) == expected
    assert verdict is not None
    assert cause in verdict.cause


# --------------------------------------------------------------------------------------------------------- signal


def test_signal_that_fades_from_the_start_later_or_by_zeros() -> None:
    weak = {"a": relu(0.5), "b": relu(5e-4)}
    fading = vanishing_signal(history(look(0, **weak)))
    later = vanishing_signal(history(look(0, a=relu(0.5), b=relu(0.4)), look(1, **weak)))
    zero = Snapshot(0, 0.1, 0.0, 1.0, {"a": relu(0.0, weight="w")}, {"w": Weight(0.0, 0.0, 0.0)})
    zeros = vanishing_signal(history(zero))
    assert [status(v) for v in (fading, later, zeros)] == ["fail"] * 3
    assert fading and later and zeros
    assert "too small for a network of this depth" in fading.cause
    assert "collapsed in training" in later.cause
    assert "with zeros" in zeros.cause
    assert status(vanishing_signal(history(look(0, a=relu(2e-3))))) == "pass"


def test_a_shut_relu_is_no_faded_signal() -> None:
    """All 0 behind weights that are not: that is for `dead-units` to say, once there are three looks."""
    assert vanishing_signal(history(look(0, a=relu(0.0)))) is None


def test_signal_that_grows() -> None:
    start = exploding_signal(history(look(0, a=relu(20.0), b=relu(300.0)), look(1)))
    later = exploding_signal(history(look(0), look(1, relu=relu(2e4))))
    assert start and later
    assert (start.status, later.status) == ("fail", "fail")
    assert "start too large" in start.cause
    assert "300 times" in start.evidence or "3e+02 times" in start.evidence
    assert "learning rate" in later.cause
    unscaled = look(0, std=70.0, a=relu(3000.0))  # 43 times its input
    assert status(exploding_signal(history(unscaled))) == "pass"


# ---------------------------------------------------------------------------------------------------------- pace


def ratios(*values: float, lr: float = 0.1, **about: Any) -> Verdict | None:
    return update_ratio(history(*(look(10 * k + 10, ratio=v, lr=lr) for k, v in enumerate(values)), **about))


@pytest.mark.parametrize(
    ("ratio", "expected", "cause"),
    [
        (1e-3, "pass", ""),
        (1e-4, "pass", ""),
        (9e-5, "warn", "too low"),
        (1e-2, "pass", ""),
        (1.1e-2, "info", "upper end"),
        (6e-2, "warn", "too high"),
        (0.5, "warn", "too high"),
    ],
)
def test_update_ratio_bounds(ratio: float, expected: str, cause: str) -> None:
    verdict = ratios(*[ratio] * 5)
    assert status(verdict) == expected
    assert verdict is not None
    assert cause in verdict.cause


def test_warm_up_and_the_end_of_a_decay_say_nothing() -> None:
    rates = [0.001, 0.01, 0.03, 0.1, 0.09, 0.08, 0.06, 0.02, 0.001, 0.0001]
    made = history(*(look(10 * k + 10, lr=lr, ratio=lr * 0.01) for k, lr in enumerate(rates)))
    verdict = update_ratio(made)
    assert verdict is not None
    assert verdict.status == "pass"
    assert "median of 4 looks" in verdict.evidence
    assert "8.5e-04" in verdict.evidence  # of 1e-3, 9e-4, 8e-4, 6e-4


def test_too_few_looks_and_one_wild_step_say_nothing() -> None:
    assert ratios(1e-6, 1e-6, 1e-6) is None
    assert status(ratios(1e-3, 0.9, 1e-3, 1e-3, 1e-3)) == "pass"


def test_trained_weights_may_move_little() -> None:
    assert status(ratios(*[1e-5] * 5, pretrained=True)) == "info"


def test_large_weights_are_told_from_a_low_rate() -> None:
    looks = [
        Snapshot(10 * k + 10, 0.1, 0.0, 1.0, {"relu": relu()}, {"fc.weight": Weight(5.0, 0.01, 1e-5)}) for k in range(5)
    ]
    verdict = update_ratio(history(*looks))
    assert verdict is not None
    assert "the weights are far too large" in verdict.cause


def test_a_weight_of_zeros_has_no_ratio() -> None:
    """A last layer that starts at 0 moves infinitely far for its length."""
    made = History()
    made.add_look(Snapshot(0, 0.1, 0.0, 1.0, {}, {"a": Weight(0.1, 0.1, 1e-3), "head": Weight(0.0, 0.1, 0.0)}))
    assert made.paces[0].ratio == 1e-3


# -------------------------------------------------------------------------------------------------------- spikes


def noisy(n: int, seed: int = 0, level: float = 0.5, noise: float = 0.15) -> list[float]:
    generator = torch.Generator().manual_seed(seed)
    fall = torch.linspace(2.3, level, n // 4)
    base = torch.cat([fall, torch.full((n - n // 4,), level)])
    return (base * torch.exp(noise * torch.randn(n, generator=generator))).tolist()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("noise", [0.05, 0.3, 0.8])
def test_noise_is_no_spike(seed: int, noise: float) -> None:
    assert status(loss_spike(losses(noisy(400, seed, noise=noise)))) == "pass"


def test_single_hard_batches_are_no_spike() -> None:
    values = noisy(400)
    for at in (100, 153, 207, 311):
        values[at] = 9.0
    assert status(loss_spike(losses(values))) == "pass"


def test_a_jump_that_stays_is_one_and_one_that_passes_is_told_as_past() -> None:
    values = noisy(400)
    stays = loss_spike(losses(values[:300] + [2.2] * 20))
    passes = loss_spike(losses(values[:300] + [2.2] * 10 + values[300:]))
    assert stays and passes
    assert (stays.status, passes.status) == ("warn", "info")
    assert "at step 309 the loss was 2.2" in stays.evidence
    assert "it has come down to" in passes.evidence


def test_a_restart_of_the_rate_explains_a_jump() -> None:
    made = History()
    for step, value in enumerate(noisy(300) + [2.2] * 20):
        if made.add_loss(step, 0.001 if step < 300 else 0.1, value):
            note_spike(made)
    assert status(loss_spike(made)) == "pass"


def test_the_memory_is_bounded() -> None:
    made = losses(noisy(5_000))
    for step in range(50):
        made.add_look(look(step))
    assert (len(made.blocks), len(made.block) < BLOCK, len(made.recent)) == (WINDOW, True, RECENT)


# ---------------------------------------------------------------------------------------------------------- judge


def alarms(made: History) -> list[str]:
    return [verdict.rule for verdict in judge(made) if verdict.status in ("warn", "fail")]


def test_nothing_was_seen_nothing_is_said() -> None:
    assert judge(History()) == []


def test_what_was_wrong_at_the_start_is_the_root() -> None:
    """Dead from birth, hence no gradients and no steps."""
    made = history(*(look(10 * k + 10, ratio=1e-7, a=relu(0.6, 1.0, 1.0)) for k in range(5)))
    assert alarms(made) == ["dead-units"]
    other = next(verdict for verdict in judge(made) if verdict.rule == "update-ratio")
    assert (other.status, other.cause) == ("info", "it goes with dead-units")


def test_a_bad_start_comes_before_the_rate() -> None:
    """Dead from birth while what still lives is thrown about."""
    made = history(*(look(10 * k + 10, ratio=0.5, a=relu(0.6, 1.0, 1.0)) for k in range(5)))
    assert alarms(made) == ["dead-units"]


def test_a_rate_too_high_is_the_root_of_what_it_does() -> None:
    made = history(look(1), *(look(10 * k + 10, ratio=0.5, a=relu(2e4, 1.0, 0.0)) for k in range(5)))
    assert alarms(made) == ["update-ratio"]


def test_state_goes_through_a_checkpoint() -> None:
    made = losses(noisy(333))
    made.spike = (5, 1.0, 0.5)
    for step in range(7):
        made.count_silent("relu", torch.tensor([True, step > 2]))
        made.add_look(look(step))
    again = History()
    again.load_state_dict(made.state_dict())
    assert again.state_dict().keys() == made.state_dict().keys()
    assert judge(again) == judge(made)
    assert again.count_silent("relu", torch.tensor([True, True])) == made.count_silent(
        "relu", torch.tensor([True, True])
    )


def test_numbers_that_are_not_finite_become_too_large() -> None:
    assert [rounded(value) for value in (float("inf"), float("nan"), -1e39, 0.123456789)] == [1e38, 1e38, 1e38, 0.12346]


def test_the_first_steps_of_adam_are_full_steps_and_say_nothing() -> None:
    """They move every weight by the rate, whatever the gradient: at steps 0 to 3 neither wild nor counted."""
    early = [look(step, ratio=0.3) for step in (0, 1, 2, 3)]
    assert update_ratio(history(*early)) is None
    later = [look(10 * k + 10, ratio=1e-3) for k in range(4)]
    assert status(update_ratio(history(*early, *later))) == "pass"
    assert status(update_ratio(history(*early, look(4, ratio=0.3), look(5, ratio=0.3)))) == "warn"


def test_a_step_is_measured_against_the_weights_before_it() -> None:
    """From (3, 4), of length 5, to (0, 0): a whole length. Biases are left aside."""
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 4.0]]))
    updates = Updates(layer)
    layer.weight.grad = torch.tensor([[0.6, 0.8]])
    with torch.no_grad():
        layer.weight.zero_()
    found = updates.measure()
    assert list(found) == ["weight"]
    weight = found["weight"]
    assert (weight.rms, weight.ratio) == (pytest.approx(5 / 2**0.5, rel=1e-4), 1.0)
