"""An autoencoder as a start: a network first learns to give pictures back, for which no labels are needed.

The code is what the linear layer at the network's end reads. A decoder makes a picture of it again, both learn to make
the squared difference small, and the decoder is thrown away: what is left is a network whose layers know what the
pictures look like, and a last layer as fresh as before. That is worth something where few pictures have labels and many
have none.

Noise is added to what the network sees, not to what it has to give back, so that it cannot just copy.

Source: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks"; Vincent et al. 2008,
"Extracting and Composing Robust Features with Denoising Autoencoders".
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.core.errors import ConfigError

# N pictures, C channels, H x W pixels, D numbers of the code

WIDTH, NARROWEST = 64, 8  # maps the decoder begins with; half as many after each doubling, but never fewer
SMALLEST = 8  # longest side of the maps it begins with, at most
NOISE = 0.5
LR, WEIGHT_DECAY, WARMUP = 2e-3, 1e-4, 0.2
TINY = 1e-12  # variance of pictures that are all alike


class Decoder(nn.Module):
    """From a code to a picture: a linear layer, then twice the side and a convolution, as often as it takes.

    Small beside most networks: what is to be learned is the code.
    """

    def __init__(self, d_code: int, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        doublings = max(0, math.ceil(math.log2(max(size) / SMALLEST)))
        self.size = size
        self.least = (-(-size[0] // 2**doublings), -(-size[1] // 2**doublings))
        self.spread = nn.Linear(d_code, WIDTH * self.least[0] * self.least[1])
        steps: list[nn.Module] = []
        width = WIDTH
        for _ in range(doublings):
            narrower = max(width // 2, NARROWEST)
            steps += [nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(width, narrower, 3, padding=1)]
            width = narrower
        self.grow = nn.Sequential(*steps, nn.ReLU(), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, code: Tensor) -> Tensor:
        """(N, D) -> (N, C, H, W)."""
        maps = self.spread(code).unflatten(1, (WIDTH, *self.least))
        return self.grow(maps)[:, :, : self.size[0], : self.size[1]]


def autoencode(
    net: nn.Module,
    shape: tuple[int, int, int],
    epoch: Callable[[int], Iterable[Tensor]],
    epochs: int,
    steps: int,
    seed: int = 0,
    noise: float = NOISE,
    told: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train all of a network but its last linear layer, in place, to keep what a picture looks like.

    Draws nothing from torch's own generators, not even for dropout.

    Args:
        net: (N, C, H, W) to scores, with a linear layer at its end; left in training mode.
        shape: (C, H, W).
        epoch: its number -> batches of standardised pictures (N, C, H, W).
        epochs, steps: how often to go through the pictures, and batches of each time.
        seed: of the decoder's first weights, and of all chance after that.
        noise: deviation of what is added to the pictures, in deviations of theirs.
        told: called with the number of steps done and the last error.

    Returns:
        The mean squared error of each epoch, as a share of the variance of the pixels: 1 for a net that knows only
        their mean.

    Raises:
        ConfigError: the network does not end in a linear layer, or a number is out of range or none any more.
    """
    require(epochs >= 1, "epochs", "1 or more", epochs)
    require(steps >= 1, "steps", "1 or more", steps)
    require(noise >= 0, "noise", "0 or positive", noise)
    place = next(net.parameters()).device
    generator = torch.Generator(place).manual_seed(seed)
    shares = []
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        last = code_layer(net, shape)
        decoder = Decoder(last.in_features, shape[0], (shape[1], shape[2])).to(place)
        optimiser = torch.optim.AdamW([*net.parameters(), *decoder.parameters()], LR, weight_decay=WEIGHT_DECAY)
        net.train()
        for number in range(epochs):
            errors = spread = 0.0
            for done, pictures in enumerate(epoch(number), number * steps + 1):
                optimiser.param_groups[0]["lr"] = _rate(done, epochs * steps)
                grain = torch.randn(pictures.shape, generator=generator, device=place)
                seen = pictures + noise * pictures.std(correction=0) * grain
                error = F.mse_loss(decoder(code_of(net, last, seen)), pictures)
                optimiser.zero_grad()
                error.backward()
                optimiser.step()
                errors += (value := error.item())
                spread += pictures.var(correction=0).item()
                _require_finite(value, done)
                if told:
                    told(done, value)
            shares.append(errors / max(spread, TINY))
    optimiser.zero_grad()
    return shares


def code_layer(net: nn.Module, shape: tuple[int, int, int]) -> nn.Linear:
    """The linear layer that makes the scores: the last that runs, so that auxiliary heads do not count.

    Leaves the network in evaluation mode.

    Raises:
        ConfigError: no linear layer makes them.
    """
    called: list[nn.Linear] = []
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    handles = [layer.register_forward_pre_hook(lambda module, _: called.append(module)) for layer in layers]
    try:
        with torch.no_grad():
            scores = net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
    if not called or called[-1].out_features != scores.shape[-1]:
        raise ConfigError(
            f"--autoencode-epochs: {type(net).__name__} does not end in a linear layer, whose input could be a "
            "picture's code. Choose another --model, such as convnet, or leave it out."
        )
    return called[-1]


def code_of(net: nn.Module, last: nn.Linear, pictures: Tensor) -> Tensor:
    """(N, D): what `last` reads, with gradients; the last time, if it is used several times."""
    seen: list[Tensor] = []
    handle = last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    try:
        net(pictures)
    finally:
        handle.remove()
    return seen[-1].flatten(1)


def _rate(step: int, total: int) -> float:
    """Up in a straight line for the first fifth of all steps (counted from 1), then down to nearly 0."""
    return LR * min(step / (WARMUP * total), (total + 1 - step) / total)


def _require_finite(error: float, step: int) -> None:
    if not math.isfinite(error):
        raise ConfigError(
            f"The autoencoder failed at step {step} (error {error}). Leave --autoencode-epochs out, or look at the "
            "pictures with `pellucid check`."
        )
