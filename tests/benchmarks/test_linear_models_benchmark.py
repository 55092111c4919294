"""The benchmark of linear models: one objective for all, and verdicts that follow from times and gaps."""

import linear_models
import numpy as np
import pytest
import timing
from linear_models import OURS, Climbed, made_up, objective, report, softmax_case, svm_case

from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def end(value: float) -> Climbed:
    return Climbed("tol 1", SoftmaxRegression, value, 0.84, 9.0)


@pytest.mark.parametrize(("case", "kind"), [(softmax_case, SoftmaxRegression), (svm_case, LinearSVM)])
def test_the_common_objective_is_what_ours_reports(case, kind) -> None:  # type: ignore[no-untyped-def]
    X, y = made_up(200, 5)[:2]
    model = kind(1e-2).fit(X.astype(np.float64), y)
    assert objective(case(1e-2, 200), model, X.astype(np.float64), y, 1e-2) == pytest.approx(model.history_[-1])


def test_the_quickest_peer_that_arrived_is_the_measure() -> None:
    ends = {OURS: end(1.0), "slow": end(1.0), "quick": end(1.00001), "lost": end(1.1)}
    said = report("Case", ends, {OURS: timed(1, 1, 1), "slow": timed(9, 9, 9), "quick": timed(3, 3, 3)}, 1.0)
    assert "**Fast:** 3.00 times the quickest peer's speed; floor 1.0: met; aim 5.0: not reached." in said
    assert "9.00, not there" in said and "1.0e-01" in said
    said = report("Case", ends, {OURS: timed(2, 2), "quick": timed(1, 1)}, 1.0)
    assert "0.50 times the quickest peer's speed; floor 1.0: MISSED" in said
    assert "No peer came within 0.0001 of the optimum." in report("Case", ends, {OURS: timed(1)}, 1.0)


def test_quick(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "use_one_core", lambda: None)
    linear_models.main(["--quick"])
    said = capsys.readouterr().out
    assert said.count("**Fast:**") == 2 and "LinearSVC(dual)" in said
