"""Penalties: closed forms of where weights come to rest, exact zeros, and what the loss gains in theory."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.linear_model import ElasticNet
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.scratch.losses.penalties import elastic_net_penalty, l1_penalty
from pellucid.training.config import OPTIMISERS, OptimConfig
from pellucid.training.optim import make_optimiser
from pellucid.training.penalty import penalty, soft_threshold_


class Bowl(nn.Module):
    """loss = sum of c/2 (w - a)^2: every weight for itself, so that the best one is known."""

    def __init__(self) -> None:
        super().__init__()
        self.pulls = torch.tensor([[3.0, -2.0, 0.4, -0.4, 0.5, 0.0]])
        self.curves = torch.tensor([[1.0, 0.5, 1.0, 0.5, 2.0, 1.0]])
        self.w = nn.Parameter(torch.full((1, 6), 0.7))
        self.bias = nn.Parameter(torch.tensor([2.0]))

    def forward(self) -> Tensor:
        return (self.curves / 2 * (self.w - self.pulls).square()).sum() + (self.bias - 1).square().sum()


def descend(cfg: OptimConfig, lr: float, n_steps: int) -> Bowl:
    model = Bowl()
    optimiser = make_optimiser(model, cfg, lr)
    for step in range(n_steps):
        for group in optimiser.param_groups:
            group["lr"] = lr * (1 - step / n_steps)
        optimiser.zero_grad()
        model().backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("decay", [0.0, 0.25])
@pytest.mark.parametrize(("name", "momentum", "lr"), [("sgd", 0.0, 0.2), ("sgd", 0.9, 0.05), ("adam", 0.9, 0.03)])
def test_rests_at_the_minimum_of_the_elastic_net(name: str, momentum: float, lr: float, decay: float) -> None:
    """c (w - a) + wd w + l1 sign(w) = 0, so w = sign(a) max(c |a| - l1, 0) / (c + wd)."""
    cfg = OptimConfig(name, momentum=momentum, weight_decay=decay, l1=0.5)
    model = descend(cfg, lr, 1200)
    reached = (model.curves * model.pulls.abs() - 0.5).clamp(min=0)
    expected = model.pulls.sign() * reached / (model.curves + decay)  # (1, 6)
    assert torch.allclose(model.w, expected, atol=2e-3)
    still = model.curves * model.pulls.abs() < 0.5
    assert still.sum() == 3 and (model.w[still] == 0).all()  # exactly, not nearly
    assert model.bias.item() == pytest.approx(1, abs=1e-4)  # vectors are not penalised


def test_adamw_shrinks_by_l1_and_decays_beside_it() -> None:
    model = descend(OptimConfig("adamw", weight_decay=0.0, l1=0.5), 0.02, 600)
    assert torch.equal(model.w, descend(OptimConfig("adam", weight_decay=0.0, l1=0.5), 0.02, 600).w)


def test_a_sparse_regression_has_the_zeros_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    x, truth = rng.standard_normal((200, 30)), np.r_[2.0, -1.5, 1.0, np.zeros(27)]
    y = x @ truth + 0.5 * rng.standard_normal(200)
    theirs = ElasticNet(alpha=0.3, l1_ratio=0.5, fit_intercept=False, tol=1e-10).fit(x, y).coef_
    model = nn.Linear(30, 1, bias=False).double()
    optimiser = make_optimiser(model, OptimConfig("sgd", momentum=0.9, weight_decay=0.15, l1=0.15), 0.02)
    for _ in range(600):  # theirs is 1/(2n) |y - xw|^2 + alpha/2 (|w|_1 + |w|^2 / 2)
        optimiser.zero_grad()
        (0.5 * (model(torch.from_numpy(x))[:, 0] - torch.from_numpy(y)).square().mean()).backward()
        optimiser.step()
    ours = model.weight.detach().numpy()[0]
    assert np.allclose(ours, theirs, atol=1e-6)
    assert (ours == 0).sum() == (theirs == 0).sum() > 10


def test_soft_threshold_by_hand() -> None:
    w = torch.tensor([[-2.0, -0.5, -0.2, 0.0, 0.2, 0.5, 2.0]])
    expected = torch.tensor([[-1.5, 0, 0, 0, 0, 0, 1.5]])
    for thresholds in (0.5, [torch.full_like(w, 0.5)]):
        given = w.clone()
        soft_threshold_([given], thresholds)
        assert torch.equal(given, expected)


def test_decoupled_sgd_decays_beside_the_gradient() -> None:
    """Algorithm 1 of Loshchilov & Hutter without its gradient: only w <- w - lr wd w is left, momentum or not."""
    model = Bowl()
    optimiser = make_optimiser(model, OptimConfig("sgd", weight_decay=0.1, decoupled=True), 0.5)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    for n in range(1, 4):
        optimiser.step()
        assert torch.allclose(model.w, torch.full((1, 6), 0.7 * 0.95**n))
    assert model.bias.item() == 2


def test_decoupled_adam_is_adamw() -> None:
    optimiser = make_optimiser(Bowl(), OptimConfig("adam", decoupled=True), 0.1)
    assert isinstance(optimiser, torch.optim.AdamW) and [g["weight_decay"] for g in optimiser.param_groups] == [5e-4, 0]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_frozen_weights_keep_every_bit(name: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = model[0].weight.detach().clone()
    optimiser = make_optimiser(model, OptimConfig(name, l1=0.1, decoupled=True, weight_decay=0.1), 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model[0].requires_grad_(False)
        model(torch.ones(2, 3)).sum().backward()
        optimiser.step()
    assert torch.equal(model[0].weight, before)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_goes_on_to_the_bit(name: str) -> None:
    cfg = OptimConfig(name, l1=0.05, decoupled=name == "sgd", weight_decay=0.1)

    def steps(model: Bowl, optimiser: torch.optim.Optimizer, n: int) -> None:
        for _ in range(n):
            optimiser.zero_grad()
            model().backward()
            optimiser.step()

    straight = Bowl()
    first = make_optimiser(straight, cfg, 0.01)
    steps(straight, first, 5)
    resumed = Bowl()
    resumed.load_state_dict(straight.state_dict())
    second = make_optimiser(resumed, cfg, 0.01)
    second.load_state_dict(deepcopy(first.state_dict()))
    steps(straight, first, 5)
    steps(resumed, second, 5)
    assert torch.equal(straight.w, resumed.w)


def test_penalty_is_that_of_the_notes() -> None:
    """1/2 wd w^2 + l1 |w| is the elastic net's reg (beta w^2 + |w|) with reg = l1 and beta = wd / (2 l1)."""
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    weights = [model[0].weight.detach().numpy(), model[2].weight.detach().numpy()]
    cfg = OptimConfig("sgd", weight_decay=0.04, l1=0.01)
    found = penalty(model.double(), cfg)
    assert found.item() == pytest.approx(sum(elastic_net_penalty(w, 0.01, 0.04 / 0.02)[0] for w in weights), rel=1e-6)
    assert penalty(model, OptimConfig("adamw", l1=0.01)).item() == pytest.approx(
        sum(l1_penalty(w, 0.01)[0] for w in weights), rel=1e-6
    )


def test_penalty_has_the_gradient_that_the_step_adds() -> None:
    model = nn.Linear(3, 4)
    penalty(model, OptimConfig("sgd", weight_decay=0.5)).backward()
    assert torch.allclose(model.weight.grad, 0.5 * model.weight)
    assert model.bias.grad is None


@pytest.mark.parametrize("cfg", [OptimConfig("adamw"), OptimConfig("sgd", decoupled=True), OptimConfig("adam", 0, 0.9)])
def test_decoupled_decay_adds_nothing_to_the_loss(cfg: OptimConfig) -> None:
    model = nn.Linear(3, 4)
    assert (penalty(model, cfg).item() == 0) == (cfg.optimiser != "adam")


def test_nothing_to_penalise_costs_nothing() -> None:
    assert penalty(nn.Flatten(), OptimConfig("sgd")).item() == 0
    model = nn.Linear(3, 4).requires_grad_(False)
    assert penalty(model, OptimConfig("sgd", l1=1.0)).item() == 0


def test_refuses_a_negative_one() -> None:
    with pytest.raises(ConfigError, match=r"l1 must be 0 \(none\) or positive, got -1"):
        OptimConfig(l1=-1.0)
