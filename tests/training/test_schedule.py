"""Learning-rate schedules: exact points, what must always hold, and the schedulers of PyTorch."""

import json
import math
import warnings
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from pellucid.core.errors import ConfigError
from pellucid.training.config import SCHEDULES, ScheduleConfig
from pellucid.training.schedule import DECAYS, Plateau, Schedule, cycle_ends, factor

SMOOTH = tuple(name for name in SCHEDULES if name not in ("step", "multi-step", "plateau"))


def torch_rates(make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], n: int) -> list[float]:
    """The rates of n epochs of a PyTorch scheduler over a rate of 1."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimiser)
    rates = []
    for _ in range(n):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("name", "middle", "end"),
    [
        ("constant", 1, 1),
        ("plateau", 1, 1),
        ("cosine", 0.5, 0),
        ("linear", 0.5, 0),
        ("one-cycle", 0.5, 0),
        ("exponential", 0.1, 0.01),
        ("inverse-sqrt", 1 / math.sqrt(4), 1 / math.sqrt(7)),
        ("inverse", 1 / 4, 1 / 7),
        ("step", 0.01, 0.0001),
        ("multi-step", 0.01, 0.0001),
        ("restarts", 0.5, 0),
        ("polynomial", 0.5**0.9, 0),
    ],
)
@pytest.mark.parametrize("warmup", [0, 7])
def test_start_middle_and_end_are_exact(name: str, middle: float, end: float, warmup: int) -> None:
    def at(step: int) -> float:
        return factor(name, step, 60 + warmup, warmup, (warmup + 30, warmup + 60), 0.01, epoch_steps=10)

    assert at(warmup) == 1
    assert at(warmup + 30) == pytest.approx(middle, rel=1e-12, abs=1e-15)
    assert at(warmup + 60) == pytest.approx(end, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("total", [1, 2, 10, 97])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cosine", lambda o, n: lr_scheduler.CosineAnnealingLR(o, T_max=n)),
        ("linear", lambda o, n: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=n)),
        ("exponential", lambda o, n: lr_scheduler.ExponentialLR(o, gamma=0.1 ** (1 / n))),
        ("step", lambda o, n: lr_scheduler.MultiStepLR(o, milestones=[30, 60, 90], gamma=0.1)),
        ("multi-step", lambda o, n: lr_scheduler.MultiStepLR(o, milestones=[30, 60, 90], gamma=0.1)),
        ("polynomial", lambda o, n: lr_scheduler.PolynomialLR(o, total_iters=n, power=0.9)),
        ("restarts", lambda o, n: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=n)),
        ("inverse", lambda o, n: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t))),
        ("inverse-sqrt", lambda o, n: lr_scheduler.LambdaLR(o, lambda t: (1 + t) ** -0.5)),
    ],
)
def test_torch_twin(name: str, make: Callable, total: int) -> None:
    ours = [factor(name, step, total, 0, (30, 60, 90), 0.1) for step in range(total)]
    assert ours == pytest.approx(torch_rates(lambda o: make(o, total), total), rel=1e-9, abs=1e-12)


def test_step_equals_step_lr() -> None:
    ours = [factor("step", step, 100, 0, tuple(range(10, 100, 10)), 0.5) for step in range(100)]
    assert ours == pytest.approx(torch_rates(lambda o: lr_scheduler.StepLR(o, 10, 0.5), 100))


def test_every_name_of_the_settings_has_its_formula() -> None:
    assert sorted(DECAYS) == sorted(SCHEDULES)


@pytest.mark.parametrize(("length", "growth"), [(10, 1), (7, 2), (1, 3), (25, 1), (100, 1)])
def test_restarts_equal_torch(length: int, growth: int) -> None:
    schedule = Schedule(ScheduleConfig("restarts", 0, cycle_epochs=length, cycle_growth=growth), 1.0, 60, 1)
    theirs = torch_rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=length, T_mult=growth), 60)
    assert [schedule.lr(step) for step in range(60)] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("growth", [1.0, 2.0])
def test_every_cycle_begins_at_one_is_half_in_its_middle_and_the_last_ends_the_run(growth: float) -> None:
    schedule = Schedule(ScheduleConfig("restarts", 2.0, cycle_growth=growth), 1.0, epochs=16, steps_per_epoch=15)
    ends = schedule.restart_steps
    assert ends == ((100, 170, 240) if growth == 1 else (60, 120, 240))
    for first, end in pairwise((30, *ends)):
        assert schedule.lr(first) == 1
        assert schedule.lr((first + end) // 2) == pytest.approx(0.5)
        assert 0 < schedule.lr(end - 1) < 0.01
    assert schedule.lr(240) == schedule.lr(10**6) == 0
    climb = [schedule.lr(step) for step in range(30)]
    assert climb == pytest.approx([(step + 1) / 31 for step in range(30)])


@pytest.mark.parametrize(("total", "n"), [(300, 6), (100, 3), (7, 7), (5, 1)])
def test_snapshots_are_cycles_of_the_paper(total: int, n: int) -> None:
    """Huang et al. 2017, equation 2: a/2 (cos(pi mod(t - 1, ceil(T/M)) / ceil(T/M)) + 1), kept at the lowest rate."""
    schedule = Schedule(ScheduleConfig(warmup_epochs=0, snapshots=n), 0.2, total, 1)
    assert len(schedule.snapshot_steps) == n and schedule.snapshot_steps[-1] == total
    if total % n == 0:
        length = total // n
        paper = [0.1 * (math.cos(math.pi * (t % length) / length) + 1) for t in range(total)]
        assert [schedule.lr(step) for step in range(total)] == pytest.approx(paper)
    assert all(schedule.lr(end - 1) <= schedule.lr(end - 2) + 1e-12 for end in schedule.snapshot_steps if total > n)
    assert Schedule(ScheduleConfig("restarts"), 1.0, 20, 5).snapshot_steps == ()


def test_cycles_that_do_not_fit() -> None:
    with pytest.raises(
        ConfigError, match=r"9 cycles do not fit into the 5 steps behind the warm-up\. Use fewer --snap"
    ):
        cycle_ends(3, 8, 9)
    with pytest.raises(ConfigError, match=r"--snapshots lets the rate fall in cosine cycles, not as --schedule step"):
        ScheduleConfig("step", snapshots=3)
    with pytest.raises(ConfigError, match=r"--snapshots and --cycle-epochs both say how many"):
        ScheduleConfig(snapshots=3, cycle_epochs=5.0)
    with pytest.raises(ConfigError, match=r"cycle_growth must be 1 or more, got 0\.5"):
        ScheduleConfig("restarts", cycle_growth=0.5)
    assert Schedule(ScheduleConfig("restarts"), 1.0, 1, 2).restart_steps == (2,), "a short run has fewer cycles"


@given(
    first=st.integers(0, 40),
    steps=st.integers(1, 200),
    n=st.integers(1, 9),
    growth=st.floats(1, 3),
    length=st.floats(0, 50),
)
def test_cycles_rise_and_cover_the_run(first: int, steps: int, n: int, growth: float, length: float) -> None:
    try:
        ends = cycle_ends(first, first + steps, n, growth, length)
    except ConfigError:
        assert not length and (n > steps or growth > 1)
        return
    assert all(before < after for before, after in pairwise((first, *ends)))
    assert ends[-1] >= first + steps and (length or (ends[-1] == first + steps and len(ends) == n))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_polynomial_has_a_power(power: float) -> None:
    schedule = Schedule(ScheduleConfig("polynomial", 0, power=power), 1.0, 10, 10)
    assert [schedule.lr(step) for step in range(101)] == pytest.approx([(1 - t / 100) ** power for t in range(101)])


def test_warmup_then_cosine_equals_torch_in_sequence() -> None:
    def make(optimiser: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        climb = lr_scheduler.LinearLR(optimiser, start_factor=1 / 11, end_factor=1.0, total_iters=10)
        fall = lr_scheduler.CosineAnnealingLR(optimiser, T_max=40)
        return lr_scheduler.SequentialLR(optimiser, [climb, fall], milestones=[10])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR calls a form of its parts that they warn about
        expected = torch_rates(make, 50)
    assert [factor("cosine", step, 50, 10) for step in range(50)] == pytest.approx(expected)


@given(
    name=st.sampled_from(SCHEDULES),
    warmup=st.integers(0, 50),
    decay=st.integers(1, 80),
    gamma=st.floats(0.01, 1),
    epoch_steps=st.integers(1, 20),
    gaps=st.lists(st.integers(0, 30), max_size=4),
)
def test_climbs_to_one_then_never_rises(
    name: str, warmup: int, decay: int, gamma: float, epoch_steps: int, gaps: list[int]
) -> None:
    total = warmup + decay
    milestones = [warmup + 1 + sum(gaps[: i + 1]) for i in range(len(gaps))]
    rates = [factor(name, step, total, warmup, milestones, gamma, epoch_steps) for step in range(total + 5)]
    assert rates[warmup] == 1
    assert rates[0] == 1 / (warmup + 1)
    assert all(0 < rate <= 1 for rate in rates[:total])
    climb = [after - before for before, after in pairwise(rates[: warmup + 1])]
    assert climb == pytest.approx([1 / (warmup + 1)] * warmup)
    assert all(after <= before for before, after in pairwise(rates[warmup:]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_warmup_longer_than_the_run_and_a_run_of_nothing(name: str) -> None:
    assert [factor(name, step, 3, 9) for step in range(3)] == [0.1, 0.2, pytest.approx(0.3)]
    assert factor(name, 0, 0) in (0, 1, 0.1) or name == "exponential"
    assert math.isfinite(factor(name, 10**9, 10))


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(
        ConfigError, match=r"^Unknown schedule 'cosin'\. Did you mean 'cosine'.*Choose from: constant, "
    ):
        factor("cosin", 0, 1)


@pytest.mark.parametrize(("epochs", "steps_per_epoch"), [(10, 50), (7, 13), (1, 4), (1, 1)])
def test_one_cycle_is_a_fifth_up_and_then_straight_down(epochs: int, steps_per_epoch: int) -> None:
    total = epochs * steps_per_epoch
    schedule = Schedule(ScheduleConfig("one-cycle", warmup_epochs=3.0), 0.4, epochs, steps_per_epoch)
    top = total // 5
    up = [0.4 * (step + 1) / (top + 1) for step in range(top)]
    down = [0.4 * (total - step) / (total - top) for step in range(top, total)]
    assert [schedule.lr(step) for step in range(total)] == pytest.approx(up + down)
    assert schedule.lr(total) == 0


def test_step_decay_at_epochs_30_60_90() -> None:
    schedule = Schedule(ScheduleConfig("step", 0, (30, 60, 90)), 0.4, epochs=100, steps_per_epoch=7)
    rates = [schedule.lr(epoch * 7) for epoch in (0, 29, 30, 59, 60, 89, 90, 99)]
    assert rates == pytest.approx([0.4, 0.4, 0.04, 0.04, 0.004, 0.004, 0.0004, 0.0004])
    assert schedule.lr(30 * 7 - 1) == 0.4, "the last step of epoch 29"


@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch", "milestones"),
    [(90, 1, (30, 60, 80)), (9, 10, (30, 60, 80)), (1, 1, (1, 1, 1)), (2, 1, (1, 2, 2)), (1, 100, (34, 67, 89))],
)
def test_default_milestones(epochs: int, steps_per_epoch: int, milestones: tuple[int, ...]) -> None:
    schedule = Schedule(ScheduleConfig("step", 0), 1.0, epochs, steps_per_epoch)
    assert schedule.milestone_steps == milestones
    assert schedule.lr(0) == 1, "no cut before the first step"


@pytest.mark.parametrize(
    ("warmup_epochs", "epochs", "steps_per_epoch", "expected"),
    [
        (1, 20, 50, 50),
        (0.5, 20, 50, 25),
        (0, 20, 50, 0),
        (1, 1, 50, 25),
        (100, 20, 50, 500),
        (1, 1, 1, 0),
        (1, 2, 5, 5),
    ],
)
def test_warmup_in_steps_is_at_most_half_the_run(
    warmup_epochs: float, epochs: int, steps_per_epoch: int, expected: int
) -> None:
    schedule = Schedule(ScheduleConfig(warmup_epochs=warmup_epochs), 3.0, epochs, steps_per_epoch)
    assert schedule.warmup_steps == expected
    assert schedule.lr(expected) == 3
    assert 0 < schedule.lr(0) <= 3


def test_inverse_schedules_count_in_epochs() -> None:
    schedule = Schedule(ScheduleConfig("inverse", 0), 1.0, epochs=10, steps_per_epoch=100)
    assert [schedule.lr(epoch * 100) for epoch in range(4)] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    vaswani = Schedule(ScheduleConfig("inverse-sqrt", 1), 1.0, epochs=10, steps_per_epoch=100)
    assert [vaswani.lr(step) for step in (100, 400, 900)] == pytest.approx([(100 / s) ** 0.5 for s in (100, 400, 900)])


@pytest.mark.parametrize("higher", [False, True])
@pytest.mark.parametrize("patience", [0, 1, 3])
def test_plateau_equals_torch(higher: bool, patience: int) -> None:
    generator = torch.Generator().manual_seed(patience)
    values = (torch.randint(0, 12, (60,), generator=generator) / 4).tolist()
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    twin = lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max" if higher else "min", factor=0.5, patience=patience, threshold=0, eps=0
    )
    plateau = Plateau(patience, gamma=0.5, higher_is_better=higher)
    for value in values:
        plateau.epoch_end(value)
        twin.step(value)
        assert plateau.factor == optimiser.param_groups[0]["lr"]
    assert plateau.factor < 0.1, "the values must have caused cuts"


def test_plateau_by_hand() -> None:
    plateau = Plateau(patience=2, gamma=0.1)
    factors = []
    for value in (0.5, 0.6, 0.6, 0.6, 0.6, 0.7, float("nan"), float("nan"), float("nan")):
        plateau.epoch_end(value)
        factors.append(plateau.factor)
    assert factors == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01])
    assert plateau.best == 0.7


def test_plateau_that_never_sees_a_number() -> None:
    plateau = Plateau(patience=0)
    plateau.epoch_end(float("nan"))
    assert plateau.best is None and plateau.factor == 0.1


def test_schedule_plateau_composes_with_warmup_and_survives_a_restart() -> None:
    def make() -> Schedule:
        return Schedule(ScheduleConfig("plateau", 1.0, plateau_patience=0), 2.0, 10, 4, higher_is_better=False)

    straight, first = make(), make()
    for value in (1.0, 2.0):
        straight.epoch_end(value)
        first.epoch_end(value)
    resumed = make()
    resumed.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for value in (3.0, 0.5, 0.7):
        straight.epoch_end(value)
        resumed.epoch_end(value)
    assert straight == resumed
    assert [straight.lr(step) for step in (0, 4, 30)] == pytest.approx([0.0004, 0.002, 0.002])


@pytest.mark.parametrize("name", SMOOTH)
def test_only_plateau_listens_to_the_metric(name: str) -> None:
    schedule = Schedule(ScheduleConfig(name), 1.0, 10, 4)
    before = [schedule.lr(step) for step in range(40)]
    for _ in range(9):
        schedule.epoch_end(0.0)
    assert [schedule.lr(step) for step in range(40)] == before
