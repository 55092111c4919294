"""Plans: what is frozen when, modes of norms and dropout, rates, and that frozen numbers keep every bit."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.training.averages.ema import Ema
from pellucid.training.config import OPTIMISERS, OptimConfig, TransferConfig
from pellucid.training.optim import make_optimiser, set_rate
from pellucid.training.transfer.plan import Plan

LAST = {"6.weight", "6.bias"}


def make_net() -> nn.Sequential:
    """Stages 0 (with norm 1), 2 (with 3), 5.1 and 6. Dropout before 5.1 and 6."""
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    return nn.Sequential(
        *(conv, norm, nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)),
        *(nn.Sequential(nn.Flatten(), nn.Linear(4 * 9, 8), nn.Dropout(0.5)), nn.Linear(8, 2)),
    )


def plan_of(net: nn.Module, **settings: object) -> Plan:
    return Plan(net, LAST, TransferConfig(weights="imagenet", **settings))  # type: ignore[arg-type]


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """By their bits: -0.0 is not 0.0."""
    return {
        name
        for name, value in before.items()
        if value.contiguous().numpy().tobytes() != after[name].contiguous().numpy().tobytes()
    }


def train(net: nn.Module, plan: Plan, name: str, epoch: int, n_steps: int = 3) -> Ema:
    plan.enter(99)  # the optimiser holds all that will ever be trained
    optimiser = make_optimiser(net, OptimConfig(name, weight_decay=0.1), 0.1, plan.rates())
    average = Ema(net, 0.9)
    for step in range(n_steps):
        plan.enter(epoch)
        generator = torch.Generator().manual_seed(step)
        set_rate(optimiser, 0.1)
        optimiser.zero_grad(set_to_none=True)
        net(torch.randn(8, 3, 7, 7, generator=generator)).square().sum().backward()
        optimiser.step()
        average.update(net)
    return average


@pytest.mark.parametrize("name", OPTIMISERS)
def test_last_layer_only_leaves_every_other_bit(name: str) -> None:
    net = make_net()
    with torch.no_grad():
        net[0].weight[0] = -0.0  # the sign of a zero is a bit too
    before = state(net)
    plan = plan_of(net, tune="last")
    average = train(net.train(), plan, name, epoch=0, n_steps=12)
    assert changed(before, state(net)) == LAST
    assert changed(before, average.average) == LAST


@pytest.mark.parametrize("name", OPTIMISERS)
def test_what_is_frozen_now_keeps_its_bits_though_the_optimiser_holds_it(name: str) -> None:
    """Also in a run whose statistics of norms were learned before."""
    net = make_net()
    plan = plan_of(net, unfreeze_epochs=1)
    before = state(net)
    average = train(net.train(), plan, name, epoch=1)  # two stages of four
    assert changed(before, state(net)) == {*LAST, "5.1.weight", "5.1.bias"}
    assert changed(before, average.average) == {*LAST, "5.1.weight", "5.1.bias"}
    train(net.train(), plan, name, epoch=3)
    assert changed(before, state(net)) == set(before)


def test_stages_join_from_the_last_down() -> None:
    plan = plan_of(make_net(), unfreeze_epochs=2)
    assert [stage.name for stage in plan.stages] == ["0", "2", "5.1", "last layer"]
    assert [plan.n_trained(epoch) for epoch in range(9)] == [1, 1, 2, 2, 3, 3, 4, 4, 4]
    assert plan_of(make_net()).n_trained(0) == 4
    assert plan_of(make_net(), tune="last").n_trained(99) == 1


@pytest.mark.parametrize(
    ("policy", "frozen", "trained"), [("auto", False, True), ("update", True, True), ("keep", False, False)]
)
def test_policy_of_norms(policy: str, frozen: bool, trained: bool) -> None:
    """Whether norms take the batch's statistics, in a frozen stage and in a trained one."""
    net = make_net().train()
    plan_of(net, unfreeze_epochs=1, norm_statistics=policy).enter(2)  # stages 2, 5 and 6
    assert (net[1].training, net[3].training) == (frozen, trained)
    before = state(net)
    net(torch.randn(8, 3, 7, 7))
    moved = {name.split(".")[0] for name in changed(before, state(net))}
    assert moved == {norm for norm, takes in (("1", frozen), ("3", trained)) if takes}


def test_dropout_drops_only_before_what_is_trained() -> None:
    net = make_net().train()
    plan_of(net, tune="last").enter(0)
    assert not net[4].training and net[5][2].training and net[6].training
    net.train()
    plan_of(net, unfreeze_epochs=1).enter(1)
    assert net[4].training and net[5][2].training


def test_a_dropout_right_before_the_last_layer_drops() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2)).train()
    Plan(net, {"2.weight", "2.bias"}, TransferConfig(weights="imagenet", tune="last")).enter(0)
    assert not net[0].training and net[1].training


def test_rates_fall_by_the_decay_from_stage_to_stage() -> None:
    net = make_net()
    plan = plan_of(net, layer_decay=0.5)
    assert [factor for factor, _ in plan.rates()] == [0.125, 0.25, 0.5, 1.0]
    assert any(net[1].weight is parameter for parameter in plan.rates()[0][1])  # a norm goes with its stage
    optimiser = make_optimiser(net, OptimConfig("sgd", momentum=0.0, weight_decay=0.0), 0.1, plan.rates())
    before = state(net)
    set_rate(optimiser, 0.2)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    moved = [float((before[f"{k}.bias"] - net.get_parameter(f"{k}.bias").detach()).mean()) for k in (0, 2, "5.1", 6)]
    assert moved == pytest.approx([0.025, 0.05, 0.1, 0.2], rel=1e-5)
    assert all(b / a == pytest.approx(2, rel=1e-5) for a, b in pairwise(moved))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_stages_that_join_later_train_beside_those_with_momentum(name: str) -> None:
    """One optimiser through all of it; each stage moves from its turn on, also by the fused step of sgd."""
    net = make_net()
    plan = plan_of(net.train(), unfreeze_epochs=1)
    plan.enter(99)
    optimiser = make_optimiser(net, OptimConfig(name), 0.1, plan.rates())
    moved = []
    for epoch in range(4):
        plan.enter(epoch)
        before = state(net)
        optimiser.zero_grad(set_to_none=True)
        net(torch.randn(8, 3, 7, 7, generator=torch.Generator().manual_seed(epoch))).square().sum().backward()
        optimiser.step()
        moved.append(sum(bool(changed(before, state(net)) & set(stage.parameters)) for stage in plan.stages))
    assert moved == [1, 2, 3, 4]


def test_without_a_plan_there_is_one_rate() -> None:
    optimiser = make_optimiser(make_net(), OptimConfig(), 0.1)
    set_rate(optimiser, 0.03)
    assert [group["lr"] for group in optimiser.param_groups] == [0.03, 0.03]
    del optimiser.param_groups[0]["rate_factor"]  # as in checkpoints of older runs
    set_rate(optimiser, 0.02)
    assert [group["lr"] for group in optimiser.param_groups] == [0.02, 0.02]


def test_what_was_fixed_before_stays_fixed() -> None:
    net = make_net()
    net[2].weight.requires_grad_(False)
    plan = plan_of(net)
    plan.enter(0)
    assert not net[2].weight.requires_grad and net[2].bias.requires_grad


def test_frozen_stages_build_no_graph() -> None:
    net = make_net().train()
    plan_of(net, tune="last").enter(0)
    assert not net[:6](torch.randn(2, 3, 7, 7)).requires_grad


def test_plans_are_said() -> None:
    net = make_net()
    assert plan_of(net, tune="last").sentences(3) == [
        "Only the last layer is trained: 6.weight, 6.bias. The rest is frozen.",
        "Batch norm: frozen stages use and keep the stored statistics, trained ones those of the batch.",
    ]
    assert plan_of(net, unfreeze_epochs=2, layer_decay=0.5, norm_statistics="keep").sentences(4) == [
        "The last layer is trained first, one stage more every 2 epochs: last layer, 5.1, 2, 0. 2 of 4 stages stay "
        "frozen to the end.",
        "Each stage has 0.5 of the next one's rate; 0 0.12.",
        "Batch norm: the stored statistics are used and kept everywhere.",
    ]


NEEDS = "needs weights to start from: say --weights imagenet, a file or a run folder, or leave it out."
BESIDE = "means nothing beside --tune last, which trains no other layer. Leave one of them out."


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tune": "last"}, f"--tune {NEEDS}"),
        ({"unfreeze_epochs": 2}, f"--unfreeze-epochs {NEEDS}"),
        ({"layer_decay": 0.5}, f"--layer-decay {NEEDS}"),
        ({"similarity": "low"}, f"--similarity {NEEDS}"),
        ({"weights": "imagenet", "tune": "last", "unfreeze_epochs": 1}, f"--unfreeze-epochs {BESIDE}"),
        ({"weights": "imagenet", "tune": "last", "layer_decay": 0.5}, f"--layer-decay {BESIDE}"),
        ({"weights": "imagenet", "layer_decay": 0.0}, "layer_decay must be in (0, 1], got 0.0."),
        (
            {"weights": "imagenet", "unfreeze_epochs": -1},
            "unfreeze_epochs must be 0 (all at once) or positive, got -1.",
        ),
    ],
)
def test_contradictions_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TransferConfig(**settings)
    assert str(caught.value) == message
