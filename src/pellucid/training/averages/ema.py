"""A running average of the weights that forgets: often better than the last weights."""

from torch import nn

from pellucid.training.averages.average import Average


class Ema(Average):
    """Exponential moving average of a model's parameters; its buffers are copied as they are.

    average <- d * average + (1 - d) * weights, with d = min(decay, (1 + t) / (10 + t)) at update t = 0,
    1, ...: the ramp lets the average leave the random start quickly, and ends by itself.

    Args:
        decay: the largest d, in [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model)
        self.decay = decay

    def sentence(self) -> str:
        return f"Evaluated: the weights as an exponential average with decay {self.decay:g}."

    def share(self) -> float:
        """1 - d."""
        return 1 - min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
