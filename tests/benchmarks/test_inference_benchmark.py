"""The benchmark of inference: floors are judged, other answers end it, absent peers are named."""

import inference
import pytest
import timing
import torch
from inference import EIGHT, OURS, PLAIN, Result, judge, section
from torch import nn

from pellucid.core.device import has_fast_bf16


def made_up(network: str, batch: int, plain: float, ours: float, eight: float) -> Result:
    times = {PLAIN: plain, OURS: ours, EIGHT: eight}
    timed = {name: timing.Timed([s, s], [s, s]) for name, s in times.items()}
    return Result(network, batch, 1, timed, dict.fromkeys(times, 0.01), dict.fromkeys(times, 0.05), ("a note",))


@pytest.mark.skipif(not has_fast_bf16("cpu"), reason="floors are for processors with fast bf16")
def test_floors_are_judged() -> None:
    assert judge(made_up("resnet18", 1, 1.0, 0.25, 0.2)) == (
        "**Batch 1, floor 4 times eager: ours 4.00, met; in eight bits 5.00, met.**"
    )
    assert judge(made_up("resnet50", 8, 1.0, 0.5, 0.3)) == (
        "**Batch 8, floor 3 times eager: ours 2.00, MISSED; in eight bits 3.33, met.**"
    )


def test_other_networks_have_no_floor() -> None:
    assert judge(made_up("vgg16", 1, 1.0, 0.5, 0.25)).endswith(
        "ours is 2.00 times as fast as eager, in eight bits 4.00 (no floor)."
    )


def test_the_page_has_every_variant_that_ran() -> None:
    one = [made_up("resnet18", 1, 1.0, 0.25, 0.2), made_up("resnet18", 8, 8.0, 2.0, 1.0)]
    page = section("resnet18", one, [])
    assert f"| {PLAIN} | 1000.0 | 1.00 | - | 1000.0 | 1.00 | - | 1.0e-02 |" in page
    assert f"| {EIGHT} | 200.0 | 5.00 | - | 125.0 | 8.00 | - | 1.0e-02 |" in page
    assert "ONNX" not in page and "Ours: a note." in page


def test_another_answer_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "create", lambda name, classes: nn.Flatten())
    monkeypatch.setattr(inference, "SIDE", 4)
    monkeypatch.setattr(inference, "NETWORKS", {"flat": False})
    wrong = {PLAIN: inference.eager, OURS: lambda model, x: lambda x: model(x) * 1.01}
    monkeypatch.setattr(inference, "VARIANTS", wrong)
    with pytest.raises(SystemExit, match="flat: ours.* differs from eager by 0.01 of the outputs, 0.001 is allowed"):
        inference.measure("flat", 1, torch.get_num_threads(), 1)


def test_an_absent_peer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(model: nn.Module, x: torch.Tensor) -> inference.Runner:
        raise ImportError("gone", name="onnxruntime")

    monkeypatch.setattr(inference, "create", lambda name, classes: nn.Flatten())
    monkeypatch.setattr(inference, "SIDE", 4)
    monkeypatch.setattr(inference, "VARIANTS", {PLAIN: inference.eager, OURS: inference.eager, "peer": absent})
    result = inference.measure("flat", 1, torch.get_num_threads(), 1)
    assert result.notes == ("peer left out: onnxruntime is not installed",) and "peer" not in result.times
