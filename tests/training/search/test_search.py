"""The search on planted functions: stages, samplers, pruning, failures, kills, several processes."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from planted_search import SPACE, climb, height, make_search, outcome

from pellucid.core.errors import ConfigError, RunError
from pellucid.training.search.search import Search
from pellucid.training.search.stages import STAGES
from pellucid.training.search.storage import store
from pellucid.training.search.storage.lock import KernelLock, cut_half_line
from pellucid.training.search.storage.owner import SILENT_SECONDS, is_alive, this_process
from pellucid.training.search.storage.store import Store
from pellucid.training.search.tried import Order, Scored, TrialFailed, best_of

PLACES: dict[int, list[Path]] = {}
WORKER = str(Path(__file__).parent / "search_worker.py")


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """The search that nothing disturbs."""
    where = tmp_path_factory.mktemp("straight") / "journal.log"
    search = make_search(where)
    search.run()
    PLACES[id(search)] = [where]
    return search


def worker(where: Path | str, pause: float, sampler: str = "tpe", trials: int = 24) -> subprocess.Popen[str]:
    argv = [sys.executable, WORKER, str(where), str(pause), sampler, str(trials)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_stages_go_from_coarse_to_fine_and_repeat_the_best(straight: Search) -> None:
    tried = straight.store.everything()
    assert [sum(one.stage == stage for one in tried) for stage in STAGES] == [16, 6, 2]
    fine = [one for one in tried if one.stage == "fine"]
    coarse_best = best_of([one for one in tried if one.stage == "coarse"], True)
    assert coarse_best is not None
    assert fine[0].settings == coarse_best.settings  # the best coarse candidates are trained longer, as they are
    assert all(len(one.curve) == 3 for one in fine if one.state == "done")
    plan = straight.store.plan("fine")
    assert plan is not None
    old, new = SPACE["lr"], plan.space["lr"]
    assert old.position(new.high) - old.position(new.low) < 0.51  # type: ignore[union-attr]
    best = best_of(tried, True)
    assert best is not None
    assert best.value > 0.85  # a random draw is on average 0.7 or less
    again = [one for one in tried if one.stage == "repeat"]
    assert [one.settings for one in again] == [best.settings] * 2
    assert [one.value - height(one.settings) for one in again] == pytest.approx([1e-3, 2e-3])
    assert straight.trials_left(straight.stages[0]) == 0


def test_the_same_seed_gives_the_same_search(straight: Search, tmp_path: Path) -> None:
    search = make_search(tmp_path / "journal.log")
    search.run()
    assert outcome(search) == outcome(straight)
    search.run()  # nothing is left to do
    assert outcome(search) == outcome(straight)


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_other_samplers(sampler: str, tmp_path: Path) -> None:
    search = make_search(tmp_path / "journal.log", sampler=sampler, pruner="none")
    search.run()
    tried = search.store.everything()
    coarse = [one for one in tried if one.stage == "coarse"]
    assert all(one.state == "done" for one in tried)
    rates = {one.settings["lr"] for one in coarse}
    if sampler == "grid":  # 2 optimisers, 2 rates, 2 decays are the largest grid of at most 16
        assert (len(coarse), len(rates)) == (8, 2)
    else:
        assert (len(coarse), len(rates)) == (16, 16)


def test_poor_trials_are_stopped_early(straight: Search) -> None:
    pruned = [one for one in straight.store.everything() if one.state == "pruned"]
    assert pruned
    for one in pruned:
        assert math.isnan(one.value)
        assert len(one.curve) < {"coarse": 2, "fine": 3}[one.stage] + 1
        assert one.reason == f"others were better after {len(one.curve)}"
    done = [one for one in straight.store.tried("coarse") if one.state == "done"]
    assert max(height(one.settings) for one in pruned) < max(one.value for one in done)


def test_halving_keeps_about_a_quarter(tmp_path: Path) -> None:
    search = make_search(tmp_path / "journal.log", pruner="halving", sampler="random")
    search.run()
    coarse = search.store.tried("coarse")
    assert 1 <= sum(one.state == "done" for one in coarse) <= 6  # by chance of their order


def test_failures_are_results(tmp_path: Path) -> None:
    def fragile(order: Order) -> Scored:
        if order.settings["lr"] > 1e-2:
            raise TrialFailed("the loss became NaN")
        if order.settings["lr"] < 1e-4:
            return Scored(math.nan)
        return climb(order)

    search = make_search(tmp_path / "journal.log", fragile, sampler="random")
    search.run()
    tried = search.store.everything()
    reasons = {one.reason for one in tried if one.state == "failed"}
    assert reasons == {"the loss became NaN", "its score is not a number"}
    assert len(search.store.tried("coarse")) == 16
    best = best_of(tried, True)
    assert best is not None and 1e-4 <= best.settings["lr"] <= 1e-2


def test_where_everything_fails_the_search_still_ends(tmp_path: Path) -> None:
    def hopeless(order: Order) -> Scored:
        raise TrialFailed("no")

    search = make_search(tmp_path / "journal.log", hopeless, trials=8)
    search.run()
    tried = search.store.everything()
    assert {one.state for one in tried} == {"failed"}
    assert {one.stage for one in tried} == {"coarse", "fine"}  # there is nothing to repeat


def test_stopped_by_an_exception_it_goes_on_as_if_nothing_had_been(straight: Search, tmp_path: Path) -> None:
    for stop_at in ("coarse-011", "repeat-000"):

        def stopping(order: Order, stop_at: str = stop_at) -> Scored:
            if order.name == stop_at:
                raise KeyboardInterrupt
            return climb(order)

        where = tmp_path / f"{stop_at}.log"
        with pytest.raises(KeyboardInterrupt):
            make_search(where, stopping).run()
        search = make_search(where, create=False)
        search.run()
        assert outcome(search) == outcome(straight)


@pytest.mark.parametrize("cut", [0.1, 0.2, 0.35, 0.6, 0.85, 0.95])
def test_a_journal_cut_anywhere_is_gone_on_with(
    straight: Search, tmp_path: Path, cut: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: the journal ends somewhere, in the midst of a line, and its process is no more."""
    monkeypatch.setattr(store, "UNSIGNED_SECONDS", 0.0)  # the file is cut long after it was written
    content = (tmp_path_of(straight)).read_bytes()
    where = tmp_path / "journal.log"
    machine, number, started = this_process().split("|")
    gone = f"{machine}|{number}|{int(started) - 1}".encode()  # of the same number, but started before this one
    where.write_bytes(content[: int(cut * len(content))].replace(this_process().encode(), gone))
    search = make_search(where, create=False)
    search.run()
    assert outcome(search) == outcome(straight)


def test_a_trial_that_was_created_and_never_signed_comes_before_all_others(
    straight: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between the two is short, but a kill may find it."""
    monkeypatch.setattr(store, "UNSIGNED_SECONDS", 0.5)
    for nth in (0, 2, 9):
        where = tmp_path / f"{nth}.log"
        search = make_search(where, lambda order, nth=nth: climb(order) if order.draw < nth else killed())
        with pytest.raises(KeyboardInterrupt):
            search.run()
        lines = where.read_bytes().splitlines(keepends=True)
        created = [k for k, line in enumerate(lines) if b'"op_code": 4' in line or b'"op_code":4' in line]
        where.write_bytes(b"".join(lines[: created[nth] + 1]))
        again = make_search(where, create=False)
        again.run()
        assert outcome(again) == outcome(straight)


def killed() -> Scored:
    raise KeyboardInterrupt


def tmp_path_of(search: Search) -> Path:
    """The journal of a search."""
    (path,) = PLACES[id(search)]
    return path


@pytest.mark.parametrize(
    "kill_at", ["coarse-009", *(pytest.param(at, marks=pytest.mark.slow) for at in ("coarse-002", "fine-001"))]
)
def test_killed_with_no_warning_it_goes_on_as_if_nothing_had_been(
    straight: Search, tmp_path: Path, kill_at: str
) -> None:
    where = tmp_path / "journal.log"
    make_search(where)
    process = worker(where, 0.05)
    assert process.stdout
    for line in process.stdout:
        if line.strip() == kill_at:
            break
    process.kill()
    process.communicate()
    search = make_search(where, create=False)
    assert search.store.n_running(kill_at.split("-")[0]) == 1
    search.run()
    assert outcome(search) == outcome(straight)


def test_a_trial_that_kills_its_process_three_times_has_failed(tmp_path: Path) -> None:
    where = tmp_path / "journal.log"
    search = make_search(where, trials=2)
    for _ in range(3):
        search.store.reap("coarse")
        claim = search.store.claim("coarse")
        search.store.begin(claim, {"lr": 1e-3, "weight_decay": 1e-4, "optimiser": "sgd"})
        long_ago = time.time() - SILENT_SECONDS - 1
        claim.trial.set_user_attr("claim", {"draw": 0, "owner": "elsewhere|1|1", "began": long_ago})
    search.run()
    (one,) = search.store.tried("coarse")
    assert (one.state, one.draw) == ("failed", 0)
    assert one.reason == "its process was killed 3 times; it may need more memory than there is"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_two_processes_share_a_search(tmp_path: Path, kind: str) -> None:
    where = str(tmp_path / "journal.log") if kind == "journal" else f"sqlite:///{tmp_path}/search.db"
    search = make_search(where, sampler="random", trials=10)
    others = [worker(where, 0.02, "random", 10) for _ in range(2)]
    said = [process.communicate(timeout=110) for process in others]
    assert [process.returncode for process in others] == [0, 0], said
    search.run()
    tried = search.store.everything()
    assert [(one.stage, one.draw) for one in tried] == [
        (stage, k) for stage, n in zip(STAGES, (6, 2, 2), strict=True) for k in range(n)
    ]
    names = [line for out, _ in said for line in out.split()]
    assert len(names) == len(set(names))  # nothing was trained twice


def test_a_budget_in_minutes_ends_each_stage(tmp_path: Path) -> None:
    def slow(order: Order) -> Scored:
        time.sleep(0.02 * order.epochs)
        return climb(order)

    search = make_search(tmp_path / "journal.log", slow, trials=0, minutes=1.5 / 60, pruner="none", sampler="random")
    search.run()
    counts = [len(search.store.tried(stage)) for stage in STAGES]
    assert counts[0] >= 3 and counts[1] >= 1
    assert search.store.seconds() < 4


def test_pauses_do_not_count(tmp_path: Path) -> None:
    search = make_search(tmp_path / "journal.log", trials=2)
    for began, ended in ((100.0, 110.0), (105.0, 112.0), (500.0, 503.0)):  # two at once, then a pause
        claim = search.store.claim("coarse")
        claim.trial.set_user_attr("claim", {"draw": claim.draw, "began": began})
        claim.trial.set_user_attr("end", {"ended": ended})
    assert search.store.seconds() == pytest.approx(15)


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    make_search(tmp_path / "journal.log")
    with pytest.raises(ConfigError, match="holds a search named planted already"):
        make_search(tmp_path / "journal.log")
    with pytest.raises(RunError, match="does not exist: the journal of the search was moved or removed"):
        make_search(tmp_path / "gone.log", create=False)
    with pytest.raises(RunError, match="holds no search named other"):
        Store(str(tmp_path / "journal.log"), "other", STAGES, True)
    with pytest.raises(ConfigError, match="Cannot open the database nosuchbase://x"):
        make_search("nosuchbase://x")


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for content, kept in ((b'{"a":1}\n{"b"', b'{"a":1}\n'), (b'{"a":1}\n', b'{"a":1}\n'), (b"{", b""), (b"", b"")):
        path.write_bytes(content)
        lock = KernelLock(str(path))
        assert lock.acquire()
        lock.release()
        assert path.read_bytes() == kept
    cut_half_line(str(tmp_path / "gone"))


def test_who_is_alive() -> None:
    now = time.time()
    machine, _, started = this_process().split("|")
    assert is_alive(this_process(), 0.0)
    assert not is_alive(f"{machine}|{os.getpid()}|{int(started) + 1}", now)  # the number was given to another one
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    pid = child.pid
    child.wait()
    assert not is_alive(f"{machine}|{pid}|1", now)
    assert is_alive("elsewhere|1|1", now - 10)
    assert not is_alive("elsewhere|1|1", now - SILENT_SECONDS - 1)
