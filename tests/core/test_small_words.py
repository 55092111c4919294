"""Seeds, sizes, devices, verdicts, metrics, preprocessing: the small shared words."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from pellucid.core import device as devices
from pellucid.core.errors import ConfigError, DataError, DeviceError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.progress import Json, Lines, Quiet, make_progress
from pellucid.core.seed import derive, generator, seed_everything
from pellucid.core.shapes import parse_size, require_shape
from pellucid.core.task import Metric
from pellucid.core.verdict import Verdict


def test_streams_repeat_and_differ() -> None:
    assert derive(0, "augment", 3, 5) == derive(0, "augment", 3, 5)
    streams = [derive(seed, name, n) for seed in range(5) for name in ("a", "b") for n in range(5)]
    assert len(set(streams)) == len(streams)
    assert all(0 <= stream < 2**63 for stream in streams)
    one, two = torch.rand(4, generator=generator(1, "x")), torch.rand(4, generator=generator(1, "x"))
    assert torch.equal(one, two)


def test_seed_everything_fixes_the_global_generators() -> None:
    seed_everything(3)
    first = (torch.rand(2), np.random.rand(2))  # noqa: NPY002
    seed_everything(3)
    assert torch.equal(first[0], torch.rand(2))
    assert np.array_equal(first[1], np.random.rand(2))  # noqa: NPY002


@pytest.mark.parametrize(
    ("text", "size"), [("64", (64, 64)), (64, (64, 64)), ("48x64", (48, 64)), ("48X64", (48, 64)), ((3, 5), (3, 5))]
)
def test_parse_size(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["0", "big", "1x2x3", "-4", "9000", "4x"])
def test_parse_size_refuses(text: str) -> None:
    with pytest.raises(ConfigError, match="An image size is N or HxW with numbers from 1 to 8192"):
        parse_size(text)


def test_require_shape_says_both_shapes() -> None:
    require_shape(np.zeros((2, 3)), "N K", "scores", N=2)
    with pytest.raises(DataError) as caught:
        require_shape(np.zeros((2, 3)), "N K", "scores", N=4)
    assert str(caught.value) == "scores must have shape (N, K) = (4, K), got (2, 3)."
    with pytest.raises(DataError, match="got \\(3,\\)"):
        require_shape(np.zeros(3), "N K", "scores")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.choose_device("cpu") == torch.device("cpu")
    with pytest.raises(DeviceError, match=r"Unknown device 'tpu': use auto, cpu, cuda, cuda:N or mps\."):
        devices.choose_device("tpu")
    with pytest.raises(DeviceError, match="Unknown device 'xla'"):
        devices.choose_device("xla")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError) as caught:
        devices.choose_device("cuda")
    assert str(caught.value) == "Device 'cuda' is not there (none found). Use --device auto or --device cpu."
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert devices.choose_device("auto").type == "cuda"
    with pytest.raises(DeviceError, match=r"'cuda:3' is not there \(1 of that kind found\)"):
        devices.choose_device("cuda:3")


def test_precision_is_detected_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_fast_bf16", lambda kind: True)
    assert devices.choose_precision("auto", torch.device("cpu")) == "bf16"
    monkeypatch.setattr(devices, "has_fast_bf16", lambda kind: False)
    assert devices.choose_precision("auto", torch.device("cpu")) == "fp32"
    assert devices.choose_precision("bf16", torch.device("cpu")) == "bf16"
    with pytest.raises(DeviceError, match="Unknown precision 'fp8'"):
        devices.choose_precision("fp8", torch.device("cpu"))


@pytest.mark.parametrize(("busy", "threads"), [(0.0, 4), (0.4, 4), (1.2, 3), (3.9, 1), (50.0, 1)])
def test_threads_leave_busy_cores_alone(monkeypatch: pytest.MonkeyPatch, busy: float, threads: int) -> None:
    monkeypatch.setattr(devices, "usable_cores", lambda: 4)
    monkeypatch.setattr(devices, "busy_cores", lambda: busy)
    assert devices.choose_threads() == devices.ThreadPolicy(threads, f"4 cores, others keep {busy:.1f} busy")
    assert devices.choose_threads(7) == devices.ThreadPolicy(7, "asked for")


STAT = """\
cpu 9 9 9 9 9 9 9 9 9 9
cpu0 {work} 0 10 {rest} {rest} 0 5 5 {rest} 0
cpu1 1{work} 0 0 900 0 0 0 0 0 0
cpu2 {rest} 0 0 0 0 0 0 0 0 0
"""


def test_busy_cores_counts_the_work_of_others_on_the_usable_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """In half a second each of our two cores works 0.3 s, of which 0.1 s are ours, and the rest of the numbers
    does not count: idle, waiting for a disk, guests (who are counted as work already), a core not for us."""
    stats = iter([STAT.format(work=100, rest=100), STAT.format(work=130, rest=150)])
    monkeypatch.setattr(devices.Path, "read_text", lambda path, encoding: next(stats))
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr(devices.os, "sysconf", lambda name: 100, raising=False)
    monkeypatch.setattr(devices.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(devices.time, "perf_counter", iter([1.0, 1.5]).__next__)
    monkeypatch.setattr(devices.time, "process_time", iter([7.0, 7.1]).__next__)
    assert devices.busy_cores() == pytest.approx((0.3 + 0.3 - 0.1) / 0.5)


def test_busy_cores_takes_the_load_where_the_system_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(path: object, encoding: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(devices.Path, "read_text", nothing)
    monkeypatch.setattr(devices.os, "getloadavg", lambda: (1.5, 0.0, 0.0), raising=False)
    assert devices.busy_cores() == 1.5


@pytest.mark.parametrize(
    ("share", "cores"), [("max 100000", 4), ("150000 100000", 2), ("10000 100000", 1), ("900000 100000", 4), ("", 4)]
)
def test_usable_cores_know_the_share_of_a_container(monkeypatch: pytest.MonkeyPatch, share: str, cores: int) -> None:
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(devices.Path, "read_text", lambda path, encoding: share)
    assert devices.usable_cores() == cores


def test_verdict_sentence() -> None:
    verdict = Verdict("initial-loss", "fail", "loss 9", "a bias", "remove it!")
    assert verdict.sentence() == "FAIL initial-loss: loss 9. Likely cause: a bias. Do: remove it!"
    assert Verdict(**verdict.as_dict()) == verdict
    assert Verdict("x", "pass", "fine").sentence() == "PASS x: fine."


def test_metric_better() -> None:
    high, low = Metric("a"), Metric("b", higher_is_better=False)
    assert high.better(0.5, None) and high.better(0.6, 0.5) and not high.better(0.5, 0.5)
    assert low.better(0.4, 0.5) and not low.better(0.6, 0.5)
    assert not high.better(float("nan"), None)


def test_preprocess_and_facts_survive_json() -> None:
    mean = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    preprocess = Preprocess((3, 4), channels=1, mode="mean-image", shift=(0.0,), scale=(0.5,), mean_image=mean)
    facts = DataFacts("classify", "set", ("a", "b"), (3, 4), preprocess, 5, 1, 1, "ff")
    back = DataFacts.from_dict(json.loads(json.dumps(facts.as_dict())))
    assert back == facts
    assert np.array_equal(back.preprocess.mean_image, mean)
    assert back.n_classes == 2
    assert preprocess.canvas_size == (3, 4)
    assert Preprocess((3, 4), canvas=(5, 6)).canvas_size == (5, 6)


def test_preprocess_refuses_what_does_not_fit() -> None:
    with pytest.raises(ConfigError, match="1 or 3 channels, got 2"):
        Preprocess((3, 4), channels=2)
    with pytest.raises(ConfigError, match="needs 3 shifts and scales, one a channel; got 1 and 3"):
        Preprocess((3, 4), shift=(0.0,))
    with pytest.raises(ConfigError, match="Unknown preprocessing 'whiten'"):
        Preprocess((3, 4), mode="whiten")


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "PASSIVE 1000"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None"), ({"GOMP_SPINCOUNT": "9"}, "None 9")],
)
def test_threads_wait_briefly_unless_someone_said_how(given: dict[str, str], expected: str) -> None:
    probe = "import os, pellucid; print(os.environ.get('OMP_WAIT_POLICY'), os.environ.get('GOMP_SPINCOUNT'))"
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    around = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", probe]
    assert subprocess.check_output(command, env={**around, **given}, text=True, timeout=60).strip() == expected


def test_the_command_line_and_the_settings_need_no_numpy() -> None:
    """It is half of the time that `--help` would take."""
    probe = "import sys, pellucid.cli.main, pellucid.tasks; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], timeout=60, check=False).returncode == 0


def test_progress_styles(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    lines = make_progress("auto", stream)
    assert type(lines) is Lines
    lines.every = 0.0
    lines.say("hello")
    with lines.bar("Work", 3) as advance:
        advance(1, "loss 2")
    assert stream.getvalue().startswith("hello\nWork: 1/3  loss 2  about ")
    quiet = make_progress("quiet", stream)
    quiet.say("x")
    assert type(quiet) is Quiet
    programs = make_progress("json", stream)
    assert type(programs) is Json
    programs.say("not for people")
    programs.event("epoch", {"loss": 1.0})
    assert json.loads(capsys.readouterr().out) == {"event": "epoch", "loss": 1.0}
    bars = make_progress("bar", io.StringIO())
    bars.say("[not markup]")
    with bars.bar("Work", 2) as advance:
        advance(2, "")
    assert "[not markup]" in bars.stream.getvalue()
