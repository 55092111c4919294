"""Averages in which all weights on the way count the same: over every step, or over the ends of epochs.

Every step: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging". Where the gradient is
noisy, the weights walk around the minimum, and their mean is nearer to it than they ever are. Ends of epochs in the
last part of a run: stochastic weight averaging, Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, for a rate that
stays high (constant, or in cycles), so that the weights that are averaged differ.

The statistics of batch norm belong to the weights they were measured with. Those of an average have never been
measured: that has to be done before it is used, see `statistics`.
"""

from torch import nn

from pellucid.training.averages.average import Average


class EqualMean(Average):
    """The mean of the weights after every `every` steps, from a step on.

    Args:
        begin: steps that are left out first.
        every: 1 takes every step; the steps of an epoch take its end.
    """

    measures = True

    def __init__(self, model: nn.Module, begin: int, every: int = 1) -> None:
        super().__init__(model)
        self.begin, self.every = begin, every

    def sentence(self) -> str:
        which = "after each step" if self.every == 1 else f"after every {self.every} steps"
        return f"Evaluated: the mean of the weights {which} behind step {self.begin}, batch norm measured anew."

    @property
    def n_taken(self) -> int:
        """How many weights are in the mean."""
        return max(self.n_updates // self.every - self.begin // self.every, 0)

    @property
    def is_ready(self) -> bool:
        """Whether there is a mean yet; until then the weights themselves are used."""
        return self.n_taken > 0

    def share(self) -> float:
        """1 / n for the n-th weights that are taken in."""
        done = self.n_updates + 1  # this step included
        return 1 / (self.n_taken + 1) if done > self.begin and done % self.every == 0 else 0.0
