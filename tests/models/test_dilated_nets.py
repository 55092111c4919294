"""Dilated networks: one field and two ways of reading it."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models import create
from pellucid.models.segment.dilated import HYBRID, UNIFORM, DilatedNet
from pellucid.nn.geometry import describe
from pellucid.nn.lint.lint import lint


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (31, 33), (64, 65)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_output_has_exactly_the_picture_s_size(stride: int, size: tuple[int, int]) -> None:
    model = DilatedNet(4, 1, (1, 2), 8, stride).eval()
    assert model(torch.zeros(2, 1, *size)).shape == (2, 4, *size)


def read(net: DilatedNet) -> torch.Tensor:
    """(h, w) bool: cells of the stem's map that the middle cell of the last map depends on."""
    x = torch.randn(1, 8, 65, 65, requires_grad=True)
    (gradient,) = torch.autograd.grad(net.blocks(x)[0, :, 32, 32].sum(), x)
    return gradient[0].abs().sum(0) > 0


def test_both_have_one_field_and_one_cost_but_one_leaves_holes() -> None:
    """Rates 1, 2, 3 and 2, 2, 2, twice each: 1 + 2 · 2 · 6 = 25 cells. Rate 2 alone sees one in four of them."""
    torch.manual_seed(0)
    hybrid, uniform = (DilatedNet(2, 1, rates, 8).eval() for rates in ((1, 2, 3), (2, 2, 2)))
    inside = slice(32 - 12, 32 + 13)
    seen = {"hybrid": read(hybrid), "uniform": read(uniform)}
    assert all(int(mask.sum()) == int(mask[inside, inside].sum()) for mask in seen.values())
    assert all(bool(mask[20, 20]) and bool(mask[44, 44]) for mask in seen.values())
    assert bool(seen["hybrid"][inside, inside].all())
    assert int(seen["uniform"].sum()) == 13 * 13 and bool(seen["uniform"][20:45:2, 20:45:2].all())
    costs = [describe(net, 1, (32, 32)) for net in (hybrid, uniform)]
    assert costs[0].macs > 0 and costs[0].parameters == costs[1].parameters
    assert costs[0].macs == costs[1].macs


def test_the_architecture_linter_tells_them_apart() -> None:
    found = {}
    for name in ("dilated_hybrid", "dilated_uniform"):
        verdicts = lint(create(name, 3, 3, (64, 64)), 3, (64, 64))
        found[name] = [verdict.status for verdict in verdicts if verdict.rule == "gridding"]
    assert found == {"dilated_hybrid": ["pass"], "dilated_uniform": ["fail"]}


def test_both_start_alike_and_carry_the_signal() -> None:
    """The same weights at the same seed, and nine pairs that together add about what came in."""
    nets = []
    for rates in (HYBRID, UNIFORM):
        torch.manual_seed(0)
        nets.append(DilatedNet(3, 3, rates).eval())
    hybrid, uniform = nets
    assert all(torch.equal(a, b) for a, b in zip(hybrid.parameters(), uniform.parameters(), strict=True))
    for net in nets:
        net.train()
        with torch.no_grad():
            before = net.stem(torch.randn(4, 3, 64, 64))
            after = net.blocks(before)
        assert 0.7 < float(after.std() / before.std()) < 1.5


def test_moving_the_picture_moves_the_answer() -> None:
    torch.manual_seed(0)
    model = DilatedNet(2, 1, (1, 2), 8, stride=1).eval()
    x = torch.randn(1, 1, 48, 48)
    moved = model(x.roll(1, 3))
    torch.testing.assert_close(moved[..., 16:32, 17:33], model(x)[..., 16:32, 16:32])


def test_an_odd_picture_is_answered_as_with_a_row_of_zeros_behind_it() -> None:
    """What a cell has too much lies on the right and at the bottom, so nothing moves."""
    torch.manual_seed(0)
    model, x = DilatedNet(3, 1, (1, 2), 8).eval(), torch.randn(1, 1, 31, 33)
    torch.testing.assert_close(model(x), model(nn.functional.pad(x, [0, 1, 0, 1]))[..., :31, :33])


def test_the_gradient_is_the_slope() -> None:
    net = DilatedNet(2, 1, (1, 2), 3).double().eval()
    nn.init.normal_(net.head.weight)
    assert torch.autograd.gradcheck(net, (torch.randn(1, 1, 5, 4, dtype=torch.float64, requires_grad=True),))


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"rates must be at least one number of 1 or more, got \(1, 0\)"):
        DilatedNet(2, 1, (1, 0))
    with pytest.raises(ConfigError, match="stride must be 1 or more, got 0"):
        DilatedNet(2, 1, stride=0)
    with pytest.raises(ConfigError, match="width must be 1 or more, got 0"):
        DilatedNet(2, 1, width=0)
