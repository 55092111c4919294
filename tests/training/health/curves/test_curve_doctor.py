"""The curve doctor on drawn curves whose name is known by how they are drawn, and on the kept ones of real runs."""

import json
import math
from dataclasses import replace
from pathlib import Path

import judge_curves
import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.verdict import Verdict
from pellucid.doctor.rules import RULES
from pellucid.training.health.curves.curve import Curve, read_curve
from pellucid.training.health.curves.diagnose import diagnose, points, read
from pellucid.training.health.curves.ranges import Tried, next_ranges
from pellucid.training.health.curves.recorded import CURVE_RULES, beside
from pellucid.training.health.curves.shape import Shape, jumps, smoothed

STEPS, EPOCHS, LN10 = 600, 20, math.log(10)
T = np.linspace(0, 1, STEPS)


def draw(loss: np.ndarray, val: np.ndarray | None = None, noise: float = 0.02, **more: object) -> Curve:
    """A curve from its smooth course over 20 epochs, in units of ln 10; validation as training unless it is given."""
    rng = np.random.default_rng(0)
    each = np.array_split(loss, EPOCHS)
    train = np.array([part.mean() for part in each])
    known = {"lr": np.full(STEPS, 0.1), "expected_loss": LN10, "chance": 0.1, "n_val": 500, "epochs": EPOCHS, **more}
    return Curve(
        step=np.arange(STEPS),
        loss=LN10 * loss * (1 + noise * rng.normal(size=STEPS)),
        epoch_step=(1 + np.arange(EPOCHS)) * STEPS // EPOCHS,
        train_loss=LN10 * train,
        val_loss=LN10 * (train if val is None else val),
        metric=np.linspace(0.3, 0.9, EPOCHS),
        **known,  # type: ignore[arg-type]
    )


ROUGH = np.repeat(0.1 * (np.arange(EPOCHS) % 2), STEPS // EPOCHS)
E = np.linspace(0, 1, EPOCHS)
DRAWN = {
    "good": (None, draw(0.02 + 0.98 * np.exp(-12 * T))),
    "too low": ("curve-rate-too-low", draw(1 - 0.3 * T)),
    "hardly moving": ("curve-rate-too-low", draw(1 - 0.02 * T)),
    "high": ("curve-rate-high", draw(0.4 + 0.6 * np.exp(-40 * T) + ROUGH)),
    "explodes": ("curve-rate-very-high", draw(np.exp(4 * T))),
    "jumps and dies": ("curve-rate-very-high", draw(1 + 30 * (np.abs(T - 0.02) < 0.005))),
    "takes off late": ("curve-bad-start", draw(np.where(T < 0.4, 1, 0.02 + 0.98 * np.exp(-20 * (T - 0.4))))),
    "underfit": ("curve-underfit", draw(0.6 + 0.4 * np.exp(-25 * T))),
    "overfit": ("curve-overfit", draw(0.01 + np.exp(-12 * T), np.exp(-12 * E) + 0.4 + 0.5 * E)),
    "labels unrelated": ("labels-unrelated", replace(draw(1 - 0.8 * T, 1 + E), metric=np.full(EPOCHS, 0.11))),
}


def rules(curve: Curve) -> list[str]:
    return [verdict.rule for verdict in diagnose(curve) if verdict.rule != "curve-decay-now"]


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_curves_are_named(name: str) -> None:
    rule, curve = DRAWN[name]
    assert rules(curve) == ([rule] if rule else [])
    assert all(verdict.rule in RULES and verdict.cause and verdict.cure for verdict in diagnose(curve))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("factor", [1e-3, 40.0])
def test_the_unit_of_the_loss_does_not_matter(name: str, factor: float) -> None:
    rule, curve = DRAWN[name]
    scaled = {part: factor * getattr(curve, part) for part in ("loss", "train_loss", "val_loss", "expected_loss")}
    assert rules(replace(curve, **scaled)) == ([rule] if rule else [])


@pytest.mark.parametrize("name", DRAWN)
def test_logging_every_third_step_gives_the_same_name(name: str) -> None:
    rule, curve = DRAWN[name]
    thin = {part: getattr(curve, part)[::3] for part in ("step", "loss", "lr")}
    assert rules(replace(curve, **thin)) == ([rule] if rule else [])


def test_a_rate_that_is_too_low_explains_why_accuracy_rises_all_the_same() -> None:
    (verdict,) = diagnose(DRAWN["too low"][1])
    assert "The metric may rise all the same" in verdict.cause
    assert verdict.cure.startswith("train again with --lr 1,")
    (verdict,) = diagnose(DRAWN["explodes"][1])
    assert verdict.status == "fail" and "--lr 0.001" in verdict.cure


def test_a_nan_is_a_very_high_rate() -> None:
    curve = DRAWN["good"][1]
    broken = np.where(curve.step > 400, np.nan, curve.loss)
    assert rules(replace(curve, loss=broken)) == ["curve-rate-very-high"]
    stopped = Curve(np.arange(3), np.array([2.3, 2.9, 8e9]), np.full(3, 1.0), ended="non-finite")
    assert rules(stopped) == ["curve-rate-very-high"]


def four_fits() -> dict[str, tuple[list[str], Curve]]:
    """High and low bias by high and low variance."""
    low, high = 0.01 + np.exp(-12 * T), 0.6 + 0.4 * np.exp(-25 * T)
    climb = 0.7 * E
    return {
        "good": ([], draw(low)),
        "high bias": (["curve-underfit"], draw(high)),
        "high variance": (["curve-overfit"], draw(low, np.exp(-12 * E) + 0.3 + climb)),
        "both": (["curve-underfit", "curve-overfit"], draw(high, 0.6 + 0.4 * np.exp(-25 * E) + climb)),
    }


@pytest.mark.parametrize("name", four_fits())
def test_the_four_fits(name: str) -> None:
    wanted, curve = four_fits()[name]
    assert rules(curve) == wanted


def test_overfitting_points_at_the_best_epoch_and_is_a_note_where_it_was_stopped() -> None:
    curve = four_fits()["high variance"][1]
    losing = replace(curve, metric=np.linspace(0.9, 0.7, EPOCHS))
    (found,) = read(losing)
    assert found.verdict.status == "warn"
    assert found.epoch == int(np.argmin(curve.val_loss)) + 1
    assert f"in epoch {found.epoch} " in found.verdict.evidence
    assert diagnose(replace(losing, ended="early"))[0].status == "info"
    assert diagnose(curve)[0].status == "info"  # the metric still rises


SHORT = {name: slice(0, STEPS // EPOCHS * 3) for name in ("step", "loss", "lr")}


def test_short_fine_tuned_and_stopped_runs_are_left_alone() -> None:
    slow = draw(1 - 0.6 * T)
    first = {name: getattr(slow, name)[part] for name, part in SHORT.items()}
    ends = {name: getattr(slow, name)[:3] for name in ("epoch_step", "train_loss", "val_loss", "metric")}
    assert diagnose(replace(slow, **first, **ends)) == []
    low = draw(0.5 + 0.02 * np.exp(-5 * T), from_weights=True)
    assert rules(low) == []
    assert diagnose(Curve(np.arange(3), np.full(3, 2.3), np.full(3, 0.1))) == []
    assert diagnose(Curve(np.empty(0), np.empty(0), np.empty(0))) == []


def test_decay_is_placed_where_the_loss_came_to_rest() -> None:
    """A fall that ends at a third of the run, and noise of the epochs after it."""
    rest = np.where(T < 1 / 3, 1 - 2.7 * T, 0.1)
    curve = draw(rest + 0.004 * np.repeat(np.arange(EPOCHS) % 2, STEPS // EPOCHS))
    (found,) = read(curve)
    assert found.verdict.rule == "curve-decay-now" and found.verdict.status == "info"
    assert 6 <= (found.epoch or 0) <= 9
    assert f"--milestones {found.epoch} --gamma 0.1" in found.verdict.cure
    assert points(curve) == {"curve-decay-now": found.epoch}
    decayed = replace(curve, lr=0.1 * (1 - T))
    assert "curve-decay-now" not in [verdict.rule for verdict in diagnose(decayed)]
    assert points(draw(0.03 + 0.97 * np.exp(-4 * T))) == {}  # it still falls


def descend(rate: float, cut: int | None = None) -> Curve:
    """Least squares in ten dimensions by steps on batches of four; at `cut` epochs the rate falls to a tenth."""
    rng = np.random.default_rng(3)
    truth, weights = 0.4 * rng.normal(size=10), np.zeros(10)
    loss, lr = np.empty(STEPS), np.empty(STEPS)
    for step in range(STEPS):
        x = rng.normal(size=(4, 10))
        error = x @ weights - (x @ truth + 0.3 * rng.normal(size=4))  # (4,)
        loss[step], lr[step] = (error**2).mean(), rate * (0.1 if cut and step >= cut * STEPS // EPOCHS else 1)
        weights -= lr[step] * x.T @ error / 2
    means = np.array([part.mean() for part in np.array_split(loss, EPOCHS)])
    ends = (1 + np.arange(EPOCHS)) * STEPS // EPOCHS
    return Curve(np.arange(STEPS), loss, lr, epoch_step=ends, train_loss=means, expected_loss=float(truth @ truth))


@pytest.mark.parametrize("rate", [0.08, 0.12])
def test_the_rate_cut_where_it_is_proposed_ends_lower(rate: float) -> None:
    """The noise of the data is 0.09; what is above it at the end is what the steps themselves make."""
    curve = descend(rate)
    epoch = points(curve)["curve-decay-now"]
    above, left = (float(np.mean(each.train_loss[-3:])) - 0.09 for each in (curve, descend(rate, epoch)))
    assert left < 0.5 * above


def test_notes_give_way_to_checks_that_look_inside() -> None:
    found = diagnose(DRAWN["too low"][1])
    (note,) = beside(found, [Verdict("update-ratio", "warn", "tiny")])
    assert note.status == "info" and note.cause == "see update-ratio, which says more"
    assert (
        beside(found, [Verdict("update-ratio", "pass", "fine"), Verdict("class-imbalance", "warn", "9 to 1")]) == found
    )
    assert {rule for rule, _ in DRAWN.values() if rule} < set(CURVE_RULES) <= set(RULES)


def tried(lr: float, *rules: str, decay: float = 1e-4) -> Tried:
    return Tried(lr, decay, [Verdict(rule, "warn", "seen") for rule in rules])


def test_next_ranges_close_in_on_what_did_well() -> None:
    low, high = tried(1e-4, "curve-rate-too-low"), tried(1.0, "curve-rate-very-high")
    assert next_ranges([low]).lr == pytest.approx((3e-4, 1e-2))
    assert next_ranges([high]).lr == pytest.approx((0.01, 1 / 3))
    assert next_ranges([low, high]).lr == pytest.approx((1e-4, 1.0))
    assert next_ranges([low, tried(1e-3, "curve-rate-too-low"), high]).lr == pytest.approx((1e-3, 1.0))
    assert next_ranges([low, tried(0.01), high]).lr == pytest.approx((0.01 / 3, 0.03))
    assert next_ranges([tried(0.01), tried(0.02, "curve-rate-high")]).lr == pytest.approx((0.01 / 3, 0.02))
    assert next_ranges([tried(0.005, "curve-rate-too-low"), tried(0.01)]).lr == pytest.approx((0.005, 0.03))


def test_next_ranges_move_the_decay() -> None:
    assert next_ranges([tried(0.1, "curve-overfit")]).weight_decay == pytest.approx((1e-4, 1e-2))
    assert next_ranges([tried(0.1, "curve-underfit")]).weight_decay == pytest.approx((1e-6, 1e-4))
    assert next_ranges([tried(0.1, decay=0.0)]).weight_decay == pytest.approx((1e-4 / 3, 3e-4))
    said = next_ranges([tried(0.1, "curve-overfit")]).sentence()
    assert said.startswith("Next: rates from 0.033 to 0.3, weight decay from 0.0001 to 0.01")
    with pytest.raises(ConfigError, match="one or more runs with a rate above 0"):
        next_ranges([])


def test_a_curve_is_read_from_its_records() -> None:
    records = [
        {"kind": "step", "step": 0, "loss": 2.3, "lr": 0.1, "gradient_norm": 1.0},
        {"kind": "step", "step": 4, "loss": None, "lr": 0.1, "gradient_norm": None},
        {"kind": "layers", "step": 4},
        {"kind": "epoch", "epoch": 0, "step": 5, "train_loss": 2.2, "val_loss": 2.1, "val_accuracy": 0.3},
    ]
    curve = read_curve(records, "accuracy")
    assert curve.step.tolist() == [0, 4] and math.isnan(curve.loss[1])
    assert (curve.epoch_step[0], curve.train_loss[0], curve.val_loss[0], curve.metric[0]) == (5, 2.2, 2.1, 0.3)
    assert len(read_curve(records[:2]).val_loss) == 0
    with pytest.raises(DataError, match="as many values of lr as of step: 2, got 1"):
        Curve(np.arange(2), np.ones(2), np.ones(1))


def test_small_parts() -> None:
    assert smoothed(np.array([1.0, 1, 9, 1, 1, 1]), 0.1).tolist() == [1] * 6
    assert smoothed(np.array([np.nan, 2.0, 4.0]), 0.1).tolist() == [3, 3, 3]
    assert np.isnan(smoothed(np.array([2.0, *[np.nan] * 6]), 0.1)).tolist() == [False] * 3 + [True] * 4
    assert jumps(np.arange(1.0, 9)) == 0
    assert jumps(np.array([1.0, 3, 1, 3, 1, 3])) == pytest.approx(4 / 2 / 2)
    shape = Shape(draw(1 - 0.5 * T))
    assert shape.unit == pytest.approx(LN10) and shape.take_off == pytest.approx(0.2, abs=0.05)


def test_most_curves_that_the_rules_were_tuned_on_are_named() -> None:
    result = judge_curves.judge("tuning")
    assert result["right"] >= 0.9 * result["curves"]


def test_what_is_kept_of_the_held_curves_is_what_the_rules_say() -> None:
    """Other data, networks and seeds; the number stands as it came out."""
    kept = json.loads((Path(__file__).parent / "judged.json").read_text(encoding="utf-8"))
    result = judge_curves.judge("held")
    assert {name: kept[name] for name in result} == result
    assert kept["curves"] >= 100
