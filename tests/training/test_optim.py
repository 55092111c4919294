"""Optimisers: which parameters decay, fused against plain, repeatability; rates; gradient length."""

import math

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.training.config import OPTIMISERS, OptimConfig
from pellucid.training.optim import check_scaling, clip_, gradient_norm, linear_scaling, make_optimiser, resolve_lr

PLAIN = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def make_model(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 7, 3), nn.BatchNorm2d(7), nn.ReLU(), nn.Flatten(), nn.Linear(7 * 9, 5))


def fill_gradients(model: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def train(name: str, n_steps: int = 10) -> list[Tensor]:
    model = make_model()
    optimiser = make_optimiser(model, OptimConfig(optimiser=name, weight_decay=0.01), lr=0.01)
    for step in range(n_steps):
        fill_gradients(model, step)
        optimiser.step()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_fused_equals_the_plain_step(name: str) -> None:
    model = make_model()
    decays = [{"params": [p], "weight_decay": 0.01 if p.ndim >= 2 else 0.0} for p in model.parameters()]
    momentum = {"momentum": 0.9, "nesterov": True} if name == "sgd" else {"betas": (0.9, 0.999)}
    plain = PLAIN[name](decays, lr=0.01, fused=False, foreach=False, **momentum)
    for step in range(10):
        fill_gradients(model, step)
        plain.step()
    for ours, theirs in zip(train(name), model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_step_is_fused_and_repeats_to_the_bit(name: str) -> None:
    optimiser = make_optimiser(make_model(), OptimConfig(optimiser=name), lr=0.1)
    assert isinstance(optimiser, PLAIN[name])
    assert all(group["fused"] for group in optimiser.param_groups)
    assert all(torch.equal(a, b) for a, b in zip(train(name), train(name), strict=True))


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_weights_with_channels_last_step_to_the_same_bits_without_copies(name: str) -> None:
    """A 1x1 kernel, whose order in memory is the same either way, is among them; gradients may be missing."""
    models = [
        nn.Sequential(nn.Conv2d(5, 7, 3), nn.Conv2d(7, 6, 1), nn.Conv2d(6, 4, 3), nn.Linear(3, 2)) for _ in range(2)
    ]
    models[1].load_state_dict(models[0].state_dict())
    ours, theirs = (model.to(memory_format=torch.channels_last) for model in models)  # type: ignore[call-overload]
    mine = make_optimiser(ours, OptimConfig(optimiser=name, weight_decay=0.01), lr=0.01)
    parts = [{"params": group["params"], "weight_decay": group["weight_decay"]} for group in mine.param_groups]
    of_theirs = dict(zip(ours.parameters(), theirs.parameters(), strict=True))
    plain = PLAIN[name](
        [{**part, "params": [of_theirs[p] for p in part["params"]]} for part in parts], lr=0.01, fused=True
    )
    for step in range(4):
        for model in (ours, theirs):
            fill_gradients(model, step)
            for p in model.parameters():
                p.grad = torch.empty_like(p).copy_(p.grad)  # as autograd leaves it: in the order of the weight
            model[2].weight.grad = None if step == 1 else model[2].weight.grad  # type: ignore[union-attr]
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            mine.step()
        plain.step()
    assert not [each.key for each in profile.key_averages() if each.key in {"aten::clone", "aten::contiguous"}]
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b) and a.stride() == b.stride()
        for key, value in mine.state[a].items():
            assert torch.equal(value, plain.state[b][key]) and value.stride() == plain.state[b][key].stride()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_only_weights_decay(name: str) -> None:
    model = make_model()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimiser = make_optimiser(model, OptimConfig(optimiser=name, weight_decay=0.1), lr=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for old, new in zip(before, model.parameters(), strict=True):
        if old.ndim < 2:
            assert torch.equal(old, new)
        elif name == "adamw":  # decoupled: w <- w - lr * decay * w
            assert torch.allclose(new, old * (1 - 0.5 * 0.1))
        elif name == "sgd":  # with Nesterov the first step is (1 + momentum) times as long
            assert torch.allclose(new, old * (1 - 0.5 * 0.1 * 1.9))
        else:  # adam divides the penalty's gradient by its own length: every weight moves by lr
            assert torch.allclose((new - old).abs(), torch.full_like(old, 0.5), atol=1e-3)


@pytest.mark.parametrize(
    ("momentum", "nesterov", "expected"), [(0.9, True, True), (0.9, False, False), (0, True, False)]
)
def test_nesterov_needs_momentum(momentum: float, nesterov: bool, expected: bool) -> None:
    optimiser = make_optimiser(make_model(), OptimConfig("sgd", momentum=momentum, nesterov=nesterov), lr=0.1)
    assert all(g["nesterov"] is expected and g["momentum"] == momentum for g in optimiser.param_groups)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_momentum_is_the_first_beta(name: str) -> None:
    optimiser = make_optimiser(make_model(), OptimConfig(name, momentum=0.5), lr=0.1)
    assert all(group["betas"] == (0.5, 0.999) and group["lr"] == 0.1 for group in optimiser.param_groups)


def test_frozen_and_shared_parameters() -> None:
    model = make_model()
    model[0].requires_grad_(False)
    model.append(model[4])  # shared: must be stepped once
    optimiser = make_optimiser(model, OptimConfig(), lr=0.1)
    held = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for m in (model[1], model[4]) for p in m.parameters())


def test_a_model_with_one_kind_of_parameter_has_one_group() -> None:
    assert len(make_optimiser(nn.Linear(3, 2, bias=False), OptimConfig(), 0.1).param_groups) == 1
    assert len(make_optimiser(nn.BatchNorm1d(3), OptimConfig(), 0.1).param_groups) == 1


def test_nothing_to_train_is_refused() -> None:
    message = r"^The model has no parameters to train: it has none, or all of them are frozen\. Unfreeze a layer\.$"
    for model in (nn.ReLU(), make_model().requires_grad_(False)):
        with pytest.raises(ConfigError, match=message):
            make_optimiser(model, OptimConfig(), 0.1)


def test_a_stated_rate_is_kept_at_any_batch() -> None:
    assert resolve_lr(OptimConfig("sgd", lr=0.3), 4096) == (0.3, "0.3, as asked for.")


def test_the_usual_rate_is_scaled_with_the_batch_and_says_so() -> None:
    assert resolve_lr(OptimConfig("sgd"), 128) == (0.1, "0.1, usual for sgd at batch 128.")
    lr, note = resolve_lr(OptimConfig("sgd"), 512)
    assert lr == pytest.approx(0.4)
    assert note == "0.4: 0.1, usual for sgd at batch 128, scaled linearly to batch 512."
    for name in ("adam", "adamw"):
        lr, note = resolve_lr(OptimConfig(name), 512)
        assert lr == pytest.approx(2e-3)
        assert note == f"0.002: 0.001, usual for {name} at batch 128, scaled with the square root to batch 512."
    assert resolve_lr(OptimConfig("adamw"), 2)[0] == pytest.approx(1e-3 / 8)


def test_linear_scaling() -> None:
    assert linear_scaling(0.1, 8192, 256) == pytest.approx(3.2)  # the setting of Goyal et al.
    assert linear_scaling(0.1, 256, 256) == 0.1
    assert linear_scaling(0.1, 64) == 0.05


def test_scaling_too_far_is_warned_about() -> None:
    assert check_scaling(8192, 256).status == "pass"
    assert check_scaling(128).status == check_scaling(4096).status == check_scaling(1).status == "pass"
    verdict = check_scaling(8193, 256)
    assert (verdict.rule, verdict.status) == ("batch-scaling", "warn")
    assert check_scaling(6400).sentence() == (
        "WARN batch-scaling: batch 6400 is 50 times the batch of 128 that the rate is known for. "
        "Likely cause: scaling the rate with the batch was shown to hold up to 32 times (256 to 8192 on ImageNet). "
        "Do: use --batch 4096 or less, or search the rate with --lr."
    )


def test_gradient_norm_is_the_length_of_all_gradients_as_one_vector() -> None:
    model = make_model()
    fill_gradients(model, 0)
    everything = torch.cat([p.grad.flatten() for p in model.parameters()])
    norm = gradient_norm(model.parameters())
    assert norm.shape == ()
    assert norm.item() == pytest.approx(everything.norm().item(), rel=1e-6)
    three, four = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    three.grad, four.grad = torch.tensor([3.0]), torch.tensor([-4.0])
    assert gradient_norm([three, four, torch.zeros(2, requires_grad=True)]).item() == 5


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_gradient_norm_shows_any_bad_gradient(bad: float) -> None:
    model = make_model()
    fill_gradients(model, 0)
    next(iter(model.parameters())).grad[0, 0, 0, 0] = bad
    assert not gradient_norm(model.parameters()).isfinite()


def test_no_gradients_at_all() -> None:
    norm = gradient_norm(make_model().parameters())
    assert norm.shape == () and norm.item() == 0
    assert gradient_norm([]).item() == 0
    clip_(make_model().parameters(), norm, 1.0)


def test_clipping_shortens_and_keeps_the_direction() -> None:
    model = make_model()
    fill_gradients(model, 0)
    before = torch.cat([p.grad.flatten() for p in model.parameters()])
    norm = gradient_norm(model.parameters())
    clip_(model.parameters(), norm, 1.5)
    after = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert gradient_norm(model.parameters()).item() == pytest.approx(1.5, rel=1e-6)
    assert torch.cosine_similarity(before, after, dim=0).item() == pytest.approx(1, abs=1e-6)


def test_clipping_equals_torch() -> None:
    ours, theirs = make_model(), make_model()
    fill_gradients(ours, 0)
    fill_gradients(theirs, 0)
    clip_(ours.parameters(), gradient_norm(ours.parameters()), 0.7)
    nn.utils.clip_grad_norm_(theirs.parameters(), 0.7)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine.grad, other.grad, rtol=1e-6)


@pytest.mark.parametrize("stretch", [1.0, 1.000001, 100.0])
def test_short_gradients_keep_every_bit(stretch: float) -> None:
    model = make_model()
    fill_gradients(model, 0)
    before = [p.grad.clone() for p in model.parameters()]
    norm = gradient_norm(model.parameters())
    clip_(model.parameters(), norm, norm.item() * stretch)
    assert all(torch.equal(p.grad, old) for p, old in zip(model.parameters(), before, strict=True))


def test_gradients_of_zero_stay_zero() -> None:
    model = nn.Linear(2, 2)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    clip_(model.parameters(), gradient_norm(model.parameters()), 1.0)
    assert all(torch.equal(p.grad, torch.zeros_like(p)) for p in model.parameters())
