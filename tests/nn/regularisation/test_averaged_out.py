"""Noise of training against what testing answers: the mean where all that follows is linear, near it elsewhere."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.nn.blocks.stochastic_depth import StochasticDepth
from pellucid.nn.regularisation.averaged_out import (
    Companions,
    Masks,
    Noisy,
    Views,
    agreement,
    agreement_table,
    monte_carlo,
)
from pellucid.nn.regularisation.drop_connect import DropConnectConv2d, DropConnectLinear
from pellucid.nn.regularisation.dropped_input import DroppedInput, drop_input
from pellucid.nn.regularisation.fractional_max_pool import FractionalMaxPool2d

torch.manual_seed(0)
X = torch.randn(4, 3, 8, 8)
OTHERS = torch.randn(300, 3, 8, 8)


class Residual(nn.Module):
    """x + drop(F(x)), and a linear layer over all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh())
        self.drop, self.end = StochasticDepth(0.5), nn.Sequential(nn.Flatten(), nn.Linear(192, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(x + self.drop(self.branch(x)))


def behind(*noise: nn.Module, width: int = 192) -> nn.Sequential:
    """Noise with nothing but a linear layer after it."""
    torch.manual_seed(1)
    return nn.Sequential(*noise, nn.Flatten(), nn.Linear(width, 5))


def dropped_channels() -> nn.Module:
    net = behind(nn.Conv2d(3, 3, 3, padding=1))
    drop_input(net[0], 0.25, channels=True)
    return net


def exact() -> dict[str, Noisy]:
    return {
        "dropout": Masks(behind(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh(), nn.Dropout(0.5))),
        "channel dropout": Masks(dropped_channels()),
        "DropConnect": Masks(behind(DropConnectConv2d(3, 3, 3, padding=1, p=0.5))),
        "stochastic depth": Masks(Residual()),
        "noise on the picture": Views(behind(), lambda x, g: x + torch.randn(x.shape, generator=g)),
    }


def near() -> dict[str, Noisy]:
    norm = behind(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), width=256).train()
    norm[1].momentum = None
    with torch.no_grad():
        norm(OTHERS)
    relu = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 50), nn.Dropout(0.5), nn.Linear(50, 20), nn.ReLU(), nn.Linear(20, 5)
    )
    return {
        "dropout, then ReLU": Masks(relu),
        "batch norm": Companions(norm, OTHERS, 16),
        "fractional pooling": Masks(behind(FractionalMaxPool2d(), width=75)),
        "mirror images": Views(behind(nn.ReLU()), lambda x, g: x.flip(3) if torch.rand((), generator=g) < 0.5 else x),
    }


@pytest.mark.parametrize("name", exact())
def test_the_mean_is_the_answer_of_testing_where_the_rest_is_linear(name: str) -> None:
    noisy = exact()[name]
    few, many = agreement(noisy, X, 40), agreement(noisy, X, 360)
    assert few.agrees and many.agrees, (few, many)
    assert many.error == pytest.approx(few.error / 3, rel=0.5)  # falls with the root of the draws
    assert many.share < 0.4


@pytest.mark.parametrize(
    ("name", "bound", "n"),
    [("dropout, then ReLU", 0.6, 600), ("batch norm", 0.2, 150), ("fractional pooling", 0.5, 60)],
)
def test_testing_is_only_near_the_mean_behind_what_is_not_linear(name: str, bound: float, n: int) -> None:
    found = agreement(near()[name], X, n)
    assert not found.agrees and found.share < bound, found


def test_the_error_is_honest() -> None:
    """Of 2000 means of 30 draws about 68 % lie within one standard error of the truth."""
    noisy = Masks(nn.Dropout(0.5))
    x = torch.ones(2000)
    found = monte_carlo(noisy, x, 30)
    inside = ((found.mean - 1).abs() <= found.error).float().mean().item()
    assert 0.6 < inside < 0.76
    assert torch.allclose(found.error.mean(), torch.tensor(30**-0.5).double(), atol=0.01)


@pytest.mark.parametrize("p", [0.25, 0.4, 0.7])
def test_dropout_train_mean_is_within_one_percent(p: float) -> None:
    noisy, x = Masks(nn.Dropout(p)), torch.randn(500, 500, generator=torch.Generator().manual_seed(0)) + 10
    found = monte_carlo(noisy, x, 2).mean
    assert found.mean().item() == pytest.approx(noisy.expected(x).mean().item(), rel=0.01)
    assert (monte_carlo(noisy, x, 2, of=lambda out: out == 0).mean).mean().item() == pytest.approx(p, abs=0.01)


def test_two_units_all_four_masks_are_exactly_the_test_output() -> None:
    """w = (2, 5), x = (3, 1), p = 1/2: testing gives 11, and so does the mean of 0, 12, 10 and 22."""
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1, bias=False))
    net[1].weight.data = torch.tensor([[2.0, 5.0]])
    x = torch.tensor([[3.0, 1.0]])
    outputs = [net[1](x * torch.tensor(mask) / 0.5).item() for mask in itertools.product((0.0, 1.0), repeat=2)]
    assert sorted(outputs) == [0, 10, 12, 22] and sum(outputs) / 4 == 11 == Masks(net).expected(x).item()
    seen = {net.train()(x).item() for _ in range(100)}
    assert seen == set(outputs)


def test_everything_is_left_as_it_was() -> None:
    for name, noisy in {**exact(), **near()}.items():
        module = noisy.module.train()
        module[0].eval() if isinstance(module, nn.Sequential) else None
        modes = [each.training for each in module.modules()]
        state = {key: value.clone() for key, value in module.state_dict().items()}
        rng = torch.get_rng_state()
        first = monte_carlo(noisy, X, 3, seed=4)
        again = monte_carlo(noisy, X, 3, seed=4)
        assert torch.equal(first.mean, again.mean), name
        assert torch.equal(torch.get_rng_state(), rng), name
        assert [each.training for each in module.modules()] == modes, name
        assert all(torch.equal(value, module.state_dict()[key]) for key, value in state.items()), name


def test_mean_of_something_else() -> None:
    found = monte_carlo(Masks(behind(nn.Dropout(0.5))), X, 10, of=lambda answer: answer.softmax(1))
    assert torch.allclose(found.mean.sum(1), torch.ones(4).double())


def test_a_table_over_all_of_them() -> None:
    lines = agreement_table({**exact(), **near()}, X, 30)
    assert len(lines) == 2 + 9
    assert lines[2].startswith("| dropout | ") and lines[2].endswith(" | as far as chance lets see |")
    assert any(line.startswith("| fractional pooling | ") and line.endswith("nearly |") for line in lines)


def test_the_error_is_that_of_the_mean_of_a_sample() -> None:
    """Draws 1, 2, 3: mean 2, sample deviation 1, so that the mean is off by 1 / sqrt(3)."""

    class Counting:
        number = 0

        def draw(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            self.number += 1
            return torch.full((1,), float(self.number))

        def expected(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full((1,), 2.0)

    found = monte_carlo(Counting(), X, 3)
    assert (found.mean.item(), found.error.item()) == (2.0, pytest.approx(3**-0.5))


def test_what_is_far_from_the_mean_is_not_called_near() -> None:
    class Flipped:
        """1 or -1 in training, and always 1 in testing: the mean is 0."""

        def draw(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            return x.sign() * (2 * torch.randint(2, (1,), generator=generator) - 1)

        def expected(self, x: torch.Tensor) -> torch.Tensor:
            return x.sign()

    assert agreement_table({"flipped": Flipped()}, X, 200)[-1].endswith(" | no |")


def test_what_does_not_work() -> None:
    with pytest.raises(ConfigError, match="n must be 2 or more draws, got 1"):
        monte_carlo(Masks(nn.Dropout(0.5)), X, 1)
    with pytest.raises(ConfigError, match=r"p must be in \[0, 1\), got 1"):
        DroppedInput(1.0)
    assert agreement(Masks(DropConnectLinear(8, 2, p=0.0)), X, 3).agrees  # no noise at all
