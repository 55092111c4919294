"""What do dropout, batch norm and augmentation have in common?

One pattern: y = f(x, z). In training chance decides on z, another one each time, so that the network cannot rely on
any detail; in testing the mean over z should answer, E f(x, z). For dropout z is which numbers are kept, for
DropConnect which weights, for stochastic depth which blocks, for fractional pooling which regions, for batch norm who
else is in the batch, and for augmentation how the picture was changed.

The mean costs many passes, so testing takes a short cut: one pass with the mean put in beforehand. The table compares
it with the mean of 400 draws, whose error by chance is known. Where only linear steps follow the noise, the short cut
is the mean, and nothing but chance lies between them. Behind a ReLU, inside a batch norm or a largest value, it only
comes near: the mean of f is not f of the mean. And for mirror images the short cut is the picture as it is, which is as
far from the mean as the net minds the change; this one, with random weights, minds it a lot. There the mean of several
views is worth its passes.

    python recipes/craft/noise_averaged_out.py
"""

import torch
from torch import Tensor, nn

from pellucid.nn.blocks.stochastic_depth import StochasticDepth
from pellucid.nn.regularisation.averaged_out import (
    Companions,
    Masks,
    Noisy,
    Views,
    agreement_table,
    monte_carlo,
)
from pellucid.nn.regularisation.drop_connect import DropConnectLinear
from pellucid.nn.regularisation.fractional_max_pool import FractionalMaxPool2d
from pellucid.plots.curves import curves

DRAWS, SOME = 400, (4, 8, 16, 32, 64, 128, 256)  # draws of the table, and of the points of the picture


class Residual(nn.Module):
    """x + drop(F(x)), which a linear layer reads."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh())
        self.drop, self.end = StochasticDepth(0.5), nn.Sequential(nn.Flatten(), nn.Linear(192, 5))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 8, 8) -> (N, 5)."""
        return self.end(x + self.drop(self.branch(x)))


def flat(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 50), nn.ReLU(), *layers)


def with_statistics(others: Tensor) -> nn.Sequential:
    """A net with batch norm that has seen `others`, so that testing knows their mean and deviation."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    net[1].momentum = None  # the plain mean of all that was seen
    with torch.no_grad():
        net.train()(others)
    return net


def mirrored(x: Tensor, generator: torch.Generator) -> Tensor:
    return x.flip(3) if torch.rand((), generator=generator) < 0.5 else x


def cases() -> tuple[dict[str, Noisy], Tensor]:
    """Every kind of noise with a small random net around it, and four pictures (4, 3, 8, 8)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x, others = torch.randn(4, 3, 8, 8), torch.randn(512, 3, 8, 8)
        pooled = nn.Sequential(FractionalMaxPool2d(), nn.Flatten(), nn.Linear(75, 5))
        found: dict[str, Noisy] = {
            "dropout, then linear": Masks(flat(nn.Dropout(0.5), nn.Linear(50, 5))),
            "DropConnect": Masks(flat(DropConnectLinear(50, 5, 0.5))),
            "stochastic depth, then linear": Masks(Residual()),
            "noise on the picture, then linear": Views(
                nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), lambda x, g: x + torch.randn(x.shape, generator=g)
            ),
            "dropout, then ReLU": Masks(flat(nn.Dropout(0.5), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 5))),
            "batch norm, batches of 16": Companions(with_statistics(others), others, 16),
            "fractional max pooling": Masks(pooled),
            "mirror images": Views(flat(nn.Linear(50, 5)), mirrored),
        }
    return found, x


def distances(noisy: Noisy, x: Tensor) -> list[float]:
    """How far the mean of some draws is from what testing answers, as a share of its length."""
    tested = noisy.expected(x).double()
    means = [monte_carlo(noisy, x, n, seed=n).mean for n in SOME]
    return [float((mean - tested).norm() / tested.norm()) for mean in means]


def experiment() -> tuple[list[str], list[list[str]], str]:
    """The table of agreement, and how the mean of more and more draws comes near the answer of testing, or not."""
    noises, x = cases()
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in agreement_table(noises, x, DRAWS)]
    header, rows = lines[0], lines[2:]
    drawn = {name: (SOME, distances(noises[name], x)) for name in ("dropout, then linear", "dropout, then ReLU")}
    title = "The mean comes to what testing answers, or stays beside it"
    picture = curves(drawn, title, "draws", "distance, as a share", log_y=True)
    return header, rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(34) for cell in row))
