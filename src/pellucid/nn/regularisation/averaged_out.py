"""Random in training, averaged out in testing: one way to drive all of it.

A network that is trained with noise computes y = f(x, z) with z drawn anew each time, and should answer with the mean

    y(x) = E_z f(x, z)

What z is differs: which units, channels, weights, blocks or regions are taken (`Masks`), which other pictures stand in
the batch that batch norm looks at (`Companions`), how the picture was shifted or coloured (`Views`). So does what is
used in testing: one cheap pass that has the mean put in beforehand, `expected`. Where nothing but linear steps follow
the noise that pass is the mean, exactly; behind a nonlinearity it is near it, since E f(z) is not f(E z). `monte_carlo`
measures the mean itself, with its standard error, for any of them, and may be used to answer with.

Sources: Srivastava et al. 2014 (dropout), Wan et al. 2013 (DropConnect), Huang et al. 2016 (stochastic depth), Graham
2014 (fractional pooling), Ioffe & Szegedy 2015 (batch norm), Gal & Ghahramani 2016, https://arxiv.org/abs/1506.02142
(the mean of many passes).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from pellucid.core.config import require

ERRORS = 5.0  # standard errors, within which the largest of many differences still lies by chance
NEARLY = 0.5  # share of the mean that testing may be away from it, to be called near


class Noisy(Protocol):
    """Something with a random answer in training and one without chance in testing."""

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """f(x, z) for a z that `generator` decides. Leaves weights, buffers and modes as they were."""

    def expected(self, x: Tensor) -> Tensor:
        """What testing answers in place of the mean of `draw`; of the same shape."""


@dataclass
class Masks:
    """Noise that layers draw themselves in training mode: dropout and its relatives, fractional pooling.

    Norms with running statistics stay in evaluation mode: their noise is another one, that of `Companions`.
    """

    module: nn.Module

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        with _modes(self.module, lambda each: not _has_statistics(each)), _drawn_by(generator, x):
            return self.module(x)

    def expected(self, x: Tensor) -> Tensor:
        return _tested(self.module, x)


@dataclass
class Companions:
    """Batch norm: what comes out for x hangs on the others in its batch, which chance has put together.

    Args:
        module: a network with batch norm.
        others: (M, ...) inputs to draw companions from.
        batch: inputs in a batch, those of x included.
    """

    module: nn.Module
    others: Tensor
    batch: int

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Every input of x in a batch of its own."""
        answers = []
        with _modes(self.module, _has_statistics), _buffers_kept(self.module):
            for each in x:
                rows = torch.randperm(len(self.others), generator=generator)[: self.batch - 1]
                answers.append(self.module(torch.cat([each[None], self.others[rows]]))[0])
        return torch.stack(answers)

    def expected(self, x: Tensor) -> Tensor:
        return _tested(self.module, x)


@dataclass
class Views:
    """Augmentation: the same input, each time changed at random.

    Args:
        transform: (x, generator) -> x changed, of the same shape.
    """

    module: nn.Module
    transform: Callable[[Tensor, torch.Generator], Tensor]

    def draw(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return _tested(self.module, self.transform(x, generator))

    def expected(self, x: Tensor) -> Tensor:
        return _tested(self.module, x)


@dataclass(frozen=True)
class Estimate:
    """The mean of n draws.

    Attributes:
        mean: of the answers, in their shape, float64.
        error: standard error of each number of `mean`: how far it is from the true one, by chance.
    """

    mean: Tensor
    error: Tensor
    n: int


def monte_carlo(
    noisy: Noisy, x: Tensor, n: int, seed: int = 0, of: Callable[[Tensor], Tensor] = lambda answer: answer
) -> Estimate:
    """The mean of n random answers to x. Draws nothing from torch's own generators, and has no gradient.

    Args:
        n: draws, 2 or more.
        of: what the mean is taken of, such as the softmax of an answer.

    Raises:
        ConfigError: n is below 2.
    """
    require(n >= 2, "n", "2 or more draws", n)
    generator = torch.Generator().manual_seed(seed)
    mean = squares = torch.zeros(())
    with torch.no_grad():
        for k in range(1, n + 1):
            answer = of(noisy.draw(x, generator)).double()
            apart = answer - mean
            mean = mean + apart / k  # Welford 1962: no difference of large numbers
            squares = squares + apart * (answer - mean)
    return Estimate(mean, (squares / (n - 1) / n).sqrt(), n)


@dataclass(frozen=True)
class Agreement:
    """How testing compares with the mean it stands for.

    Attributes:
        apart: largest difference of the two.
        share: their distance as a share of the length of the mean.
        errors: largest difference in standard errors.
        error: the largest standard error.
    """

    apart: float
    share: float
    errors: float
    error: float

    @property
    def agrees(self) -> bool:
        """Whether chance explains the difference; if not, testing only comes near the mean."""
        return self.errors <= ERRORS


def agreement(noisy: Noisy, x: Tensor, n: int, seed: int = 0) -> Agreement:
    """Compare the answer of testing with the mean of n draws."""
    found, tested = monte_carlo(noisy, x, n, seed), noisy.expected(x).double()
    apart = (found.mean - tested).abs()
    floor = 1e-6 * float(tested.abs().max())  # rounding; where all draws are alike the error is 0
    return Agreement(
        float(apart.max()),
        float((found.mean - tested).norm() / found.mean.norm()),
        float((apart / (found.error + floor / sqrt(n) + 1e-12)).max()),
        float(found.error.max()),
    )


def agreement_table(cases: Mapping[str, Noisy], x: Tensor, n: int, seed: int = 0) -> list[str]:
    """One line of Markdown for each kind of noise: how near testing is to the mean, and whether it is the mean."""
    lines = [
        "| noise | distance from the mean | largest, in standard errors | testing is the mean |",
        "|---|---|---|---|",
    ]
    for name, noisy in cases.items():
        found = agreement(noisy, x, n, seed)
        verdict = "as far as chance lets see" if found.agrees else "nearly" if found.share < NEARLY else "no"
        lines.append(f"| {name} | {found.share:.2%} | {found.errors:.1f} | {verdict} |")
    return lines


def _tested(module: nn.Module, x: Tensor) -> Tensor:
    with _modes(module, lambda _: False), torch.no_grad():
        return module(x)


def _has_statistics(module: nn.Module) -> bool:
    return getattr(module, "running_mean", None) is not None


@contextmanager
def _modes(module: nn.Module, training: Callable[[nn.Module], bool]) -> Iterator[None]:
    """Each part in the mode that `training` says, and in its own again afterwards."""
    before = [(each, each.training) for each in module.modules()]
    try:
        for each, _ in before:
            each.training = training(each)
        yield
    finally:
        for each, mode in before:
            each.training = mode


@contextmanager
def _buffers_kept(module: nn.Module) -> Iterator[None]:
    kept = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)


@contextmanager
def _drawn_by(generator: torch.Generator, x: Tensor) -> Iterator[Any]:
    """In here torch's own generators follow `generator`, and go on as if nothing had been drawn."""
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
