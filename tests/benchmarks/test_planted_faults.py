"""Each planted fault raises its rule, with its cause, and no other alarm; healthy runs raise none."""

from pathlib import Path

import pytest
from healthy_runs import NETWORKS, healthy_run
from planted_faults import FAULTS
from short_runs import SETS

from pellucid.doctor.rules import RULES

QUICK = [name for name in FAULTS if name.startswith("nan-in-")]  # they stop within ten steps


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_a_fault_is_named_and_nothing_else(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    alarms = {verdict.rule: verdict for verdict in fault.run(tmp_path) if verdict.status in ("warn", "fail")}
    assert fault.rule in alarms
    assert set(alarms) <= {fault.rule, *fault.also}
    assert fault.cause in alarms[fault.rule].cause
    assert alarms[fault.rule].cure


def test_rules_of_the_table_exist() -> None:
    assert {rule for fault in FAULTS.values() for rule in (fault.rule, *fault.also)} <= set(RULES)


def test_a_healthy_run_raises_nothing(tmp_path: Path) -> None:
    verdicts = healthy_run("mlp", "digits", tmp_path, seed=300, epochs=3)
    assert [verdict for verdict in verdicts if verdict.status in ("warn", "fail")] == []
    assert {"dead-units", "vanishing-signal", "exploding-signal", "update-ratio", "loss-spike"} <= {
        verdict.rule for verdict in verdicts
    }


@pytest.mark.slow
@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_healthy_run_raises_nothing(network: str, data: str, tmp_path: Path) -> None:
    verdicts = healthy_run(network, data, tmp_path, seed=200)
    assert [verdict for verdict in verdicts if verdict.status in ("warn", "fail")] == []
