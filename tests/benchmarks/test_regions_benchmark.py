"""The benchmark of boxes and regions: all sides compute the same, and the verdicts follow from the times."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import regions
import timing
import torch


def timed(*seconds: float) -> timing.Timed:
    return timing.Timed(list(seconds), list(seconds))


def test_all_keep_the_same_boxes() -> None:
    for boxes in (regions.around_things(300, 3), regions.around_things(300, 1), regions.anywhere(300, 3)):
        results = {name: run() for name, run in regions.suppressing(*boxes).items()}
        assert regions.same_boxes(results).startswith("All keep the same ")
        results[regions.PLAIN] = results[regions.PLAIN].flip(0)
        with pytest.raises(SystemExit, match="plain torch keeps other boxes"):
            regions.same_boxes(results)


@pytest.mark.parametrize("layout", regions.LAYOUTS.values(), ids=regions.LAYOUTS.keys())
@pytest.mark.parametrize("backward", [True, False])
def test_all_align_alike(layout: torch.memory_format, backward: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "CHANNELS", 5)
    results = {name: run() for name, run in regions.aligning(6, layout, backward).items()}
    assert {len(result) for result in results.values()} == {1 + backward}
    assert regions.same_numbers(results).startswith("Results differ by at most ")
    results[regions.PLAIN] = [2 * each for each in results[regions.PLAIN]]
    with pytest.raises(SystemExit, match="differs from grid_sample"):
        regions.same_numbers(results)


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(1.0, "floor 20: met; aim 200: not reached"), (2.0, "floor 20: MISSED")]
)
def test_verdicts(seconds: float, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times = {regions.COMPILED: timed(seconds), regions.PLAIN: timed(5.0), regions.LOOP: timed(30.0)}

    def measured(
        variants: Mapping[str, Callable[[], Any]], rounds: int, warmups: int, say: bool
    ) -> dict[str, timing.Timed]:
        return {name: times[name] for name in variants}

    monkeypatch.setattr(timing, "interleave", measured)
    variants = dict.fromkeys(times, lambda: None)
    page = regions.section("Title", variants, lambda results: "said", regions.LOOP, 1, 20.0, 200.0)
    assert verdict in page and "- said" in page and "| 30 |" in page.replace("15", "30")
    without = regions.section(
        "Title", {k: v for k, v in variants.items() if k != regions.COMPILED}, lambda _: "", regions.LOOP, 1, 20.0
    )
    assert "numba is not installed" in without and "floor" not in without
