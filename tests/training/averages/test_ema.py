"""The average of the weights: its closed form, and weights that come back bit for bit."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_task import LineConfig, make_job
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pellucid.core.errors import WeightsError
from pellucid.training.averages.ema import Ema


def make_model(width: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, 2))


def wander(model: nn.Module, step: int) -> None:
    """Change every parameter and every buffer."""
    generator = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    model(torch.randn(5, 1, 3, 3, generator=generator))


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_ramp_then_decay_by_the_formula() -> None:
    model = nn.Linear(1, 1, bias=False).double()
    model.weight.data.fill_(0.0)
    ema = Ema(model, 0.5)
    expected = 0.0
    for t in range(30):
        model.weight.data.fill_(float(t + 1))
        ema.update(model)
        decay = min(0.5, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * (t + 1)
        assert ema.average["weight"].item() == pytest.approx(expected, rel=1e-12)
    assert ema.n_updates == 30


def test_first_update_leaves_nine_tenths_of_the_start_behind() -> None:
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    ema = Ema(model, 0.999)
    model.weight.data.fill_(1.0)
    ema.update(model)
    assert ema.average["weight"].item() == pytest.approx(0.9)


def test_equals_torch_once_the_ramp_is_over() -> None:
    model = make_model()
    ema = Ema(model, 0.3)
    ema.n_updates = 1000
    twin = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.3))
    twin.update_parameters(model)  # the first one copies
    for step in range(5):
        wander(model, step)
        ema.update(model)
        twin.update_parameters(model)
    for name, parameter in twin.module.named_parameters():
        assert torch.allclose(ema.average[name], parameter, atol=1e-6)


def test_decay_zero_is_the_weights_themselves_and_equal_weights_stay_exact() -> None:
    model = make_model()
    last = Ema(model, 0.0)
    still = Ema(model, 0.9)
    for _ in range(20):
        still.update(model)
    assert all(torch.equal(still.average[name], p) for name, p in model.named_parameters())
    wander(model, 0)
    last.update(model)
    assert all(torch.equal(last.average[name], p) for name, p in model.named_parameters())


def test_buffers_are_copied() -> None:
    model = make_model()
    ema = Ema(model, 0.9)
    for step in range(3):
        wander(model, step)
        ema.update(model)
    for name, buffer in model.named_buffers():
        assert torch.equal(ema.average[name], buffer)
    assert ema.average["1.num_batches_tracked"].item() == 3
    assert ema.average["1.running_mean"] is not model[1].running_mean


def test_swap_shows_the_average_and_puts_the_weights_back() -> None:
    model = make_model()
    ema = Ema(model, 0.9)
    wander(model, 0)
    ema.update(model)
    wander(model, 1)
    before, places = state(model), [p.data_ptr() for p in model.parameters()]
    average = {name: tensor.clone() for name, tensor in ema.average.items()}
    with ema.swap(model) as same:
        assert same is model
        assert equal(state(model), average)
        assert not equal(state(model), before)
        model.train()(torch.randn(4, 1, 3, 3, generator=torch.Generator().manual_seed(9)))  # changes buffers
    assert equal(state(model), before)
    assert equal(dict(ema.average), average)
    assert places == [p.data_ptr() for p in model.parameters()], "optimisers hold on to these"
    assert all(p.requires_grad for p in model.parameters())


def test_swap_puts_the_weights_back_after_an_error() -> None:
    model = make_model()
    ema = Ema(model, 0.9)
    wander(model, 0)
    before = state(model)
    with pytest.raises(RuntimeError, match="broken"), ema.swap(model):
        raise RuntimeError("broken")
    assert equal(state(model), before)


def test_odd_bits_come_back_too() -> None:
    model = nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[float("nan"), -0.0]])
    bits = model.weight.data.view(torch.int32).clone()
    ema = Ema(model, 0.5)
    with ema.swap(model):
        pass
    assert torch.equal(model.weight.data.view(torch.int32), bits)


def test_layout_is_kept_and_layouts_may_differ() -> None:
    model = make_model()
    ema = Ema(model, 0.9)
    model = model.to(memory_format=torch.channels_last)
    wander(model, 0)
    strides = [p.stride() for p in model.parameters()]
    before = state(model)
    ema.update(model)
    with ema.swap(model):
        pass
    assert equal(state(model), before)
    assert strides == [p.stride() for p in model.parameters()]


def test_state_survives_a_safe_file_and_continues_to_the_bit() -> None:
    model = make_model()
    straight = Ema(model, 0.9)
    for step in range(4):
        wander(model, step)
        straight.update(model)
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    resumed = Ema(make_model(), 0.9)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for step in range(4, 8):
        wander(model, step)
        straight.update(model)
        resumed.update(model)
    assert resumed.n_updates == straight.n_updates == 8
    assert equal(dict(resumed.average), dict(straight.average))


def test_a_loaded_state_is_not_shared() -> None:
    model = make_model()
    first, second = Ema(model, 0.9), Ema(model, 0.9)
    second.load_state_dict(first.state_dict())
    wander(model, 0)
    second.update(model)
    assert not torch.equal(first.average["3.weight"], second.average["3.weight"])


def test_the_average_of_another_model_is_refused_in_one_line() -> None:
    state = Ema(make_model(5), 0.9).state_dict()
    ema = Ema(make_model(4), 0.9)
    with pytest.raises(
        WeightsError,
        match=r"^The stored average of the weights is of another model: 7 of 9 tensors do not fit, such as 0\.bias\. "
        r"Resume with the model the run was started with\.$",
    ):
        ema.load_state_dict(state)
    with pytest.raises(WeightsError, match=r"such as weight\."):
        Ema(nn.Linear(2, 2), 0.9).load_state_dict(Ema(nn.Linear(3, 2), 0.9).state_dict())
    with pytest.raises(WeightsError, match=r"1 of 2 tensors do not fit, such as bias\."):
        Ema(nn.Linear(2, 2), 0.9).load_state_dict(Ema(nn.Linear(2, 2, bias=False), 0.9).state_dict())


def test_a_model_without_buffers_and_one_without_parameters() -> None:
    for model in (nn.Linear(2, 2), nn.ReLU()):
        ema = Ema(model, 0.9)
        ema.update(model)
        with ema.swap(model):
            pass


def test_a_checkpoint_of_an_older_run_calls_it_ema(tmp_path: Path) -> None:
    cfg = LineConfig(optim=replace(LineConfig().optim, ema=0.9))
    job = make_job(tmp_path, cfg)
    job.average.update(job.model)
    state = job.state_dict()
    state["ema"] = state.pop("average")
    again = make_job(tmp_path, cfg)
    again.load_state_dict(state)
    assert again.average.n_updates == 1
