"""The benchmark of threads: its processes, its check and its floors."""

import sys
from pathlib import Path

import pytest
import threads
import timing
from threads import VARIANTS, Result, busy_processes, check, make_step, section
from workers import run_once


def made_up(naive: float, one: float, ours: float) -> Result:
    wall = dict.fromkeys(VARIANTS, 1.0) | {"naive": naive, "one": one, "ours": ours}
    times = {name: timing.Timed([seconds, seconds], [seconds, seconds]) for name, seconds in wall.items()}
    return Result(times, {name: [2.3, 2.2] for name in VARIANTS}, dict.fromkeys(VARIANTS, 2))


def test_floors_are_judged() -> None:
    met = section("Busy", made_up(4.0, 1.0, 1.0), 3.0)
    assert met.startswith("## Busy\n")
    assert "- ours takes 1.00 of one thread's time, at most 1.1 (noise): met" in met
    assert "- ours is 4.0 times as fast as torch's own setting, floor 3.0: met" in met
    missed = section("Busy", made_up(2.0, 0.5, 1.0), 3.0)
    assert "- ours takes 2.00 of one thread's time, at most 1.1 (noise): MISSED" in missed
    assert "- ours is 2.0 times as fast as torch's own setting, floor 3.0: MISSED" in missed
    assert "floor" not in section("Quiet", made_up(2.0, 0.5, 1.0), 0.0)


def test_differing_losses_end_the_program() -> None:
    result = made_up(4.0, 1.0, 1.0)
    assert check(result) == "Losses of the first 3 steps differ by at most 0.0000 (allowed 0.01)."
    for wrong in (2.5, float("nan")):
        result.losses["ours"][1] = wrong
        with pytest.raises(SystemExit, match="Losses differ"):
            check(result)


def test_the_fast_step_is_the_plain_step() -> None:
    plain, fast = make_step(fast=False), make_step(fast=True)
    for _ in range(3):
        assert fast() == pytest.approx(plain(), abs=0.01)


def test_busy_processes_end_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "SETTLE", 0.0)
    started = []
    popen = threads.subprocess.Popen
    monkeypatch.setattr(threads.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    with pytest.raises(KeyError), busy_processes(["-c", "while True: pass"], 2):
        assert [process.poll() for process in started] == [None, None]
        raise KeyError
    assert [process.returncode for process in started] == [-9, -9]


@pytest.mark.parametrize(("variant", "first"), [("naive", "torch"), ("ours", "pellucid")])
def test_pellucid_comes_before_torch_in_its_own_variants_alone(variant: str, first: str) -> None:
    """Else the way threads wait would be set for the peers as well, or for nobody."""
    folder = Path(threads.__file__).parent
    probe = (
        f"import sys; sys.argv = ['threads.py', '--work', {variant!r}]; sys.path.insert(0, {str(folder)!r}); "
        "import threads; print([name for name in sys.modules if name in ('torch', 'pellucid')][0])"
    )
    assert run_once([sys.executable, "-c", probe]).output.strip() == first
