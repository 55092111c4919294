"""The autoencoder learns pictures, and leaves alone what is none of its business."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.training.transfer.autoencoder import Decoder, autoencode, code_of


class Small(nn.Module):
    """Norm, dropout, and a linear layer in front of the last one."""

    def __init__(self, channels: int = 1, side: int = 2) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(side), nn.Flatten()
        )
        self.code, self.drop, self.head = nn.Linear(8 * side * side, 16), nn.Dropout(0.1), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(self.code(self.maps(x))))


def blobs(n: int, channels: int, height: int, width: int) -> Tensor:
    """(n, C, h, w): a bright spot that lies somewhere, standardised."""
    generator = torch.Generator().manual_seed(3)
    y, x = torch.rand(2, n, 1, 1, generator=generator) * 2 - 1
    rows, columns = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    spot = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 0.3)
    pictures = spot[:, None].repeat(1, channels, 1, 1)
    return (pictures - pictures.mean()) / pictures.std()


def batches(pictures: Tensor, size: int = 16) -> list[Tensor]:
    return [each for each in pictures.split(size) if len(each) == size]


def net_of(channels: int = 1) -> Small:
    torch.manual_seed(1)
    return Small(channels)


def test_the_error_falls_below_that_of_the_mean_picture() -> None:
    """Which is 1 by definition: the share of the variance that is left."""
    pictures = blobs(64, 1, 12, 12)
    mean_picture = float(((pictures - pictures.mean(0)) ** 2).mean() / pictures.var())
    errors = autoencode(net_of(), (1, 12, 12), lambda _: batches(pictures), 25, 4)
    assert len(errors) == 25 and errors[-1] < 0.6 * mean_picture and errors[-1] < 0.7 * errors[0]


def test_it_is_the_pictures_that_the_code_is_made_of() -> None:
    """Shuffled codes give wrong pictures: what was learned is not one picture for all."""
    pictures, net = blobs(64, 1, 12, 12), net_of()
    autoencode(net, (1, 12, 12), lambda _: batches(pictures), 25, 4)
    with torch.no_grad():
        code = code_of(net.eval(), net.head, pictures)
    design = torch.cat([code, torch.ones(64, 1)], 1)
    flat = pictures.flatten(1)

    def left(codes: Tensor) -> float:
        fitted = codes @ torch.linalg.lstsq(codes, flat).solution
        return float((flat - fitted).pow(2).mean() / flat.var())

    assert left(design) < 0.6 * left(torch.cat([code[torch.randperm(64)], torch.ones(64, 1)], 1))


def test_the_last_layer_is_left_to_the_bit_and_all_others_learn() -> None:
    net = net_of()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    autoencode(net, (1, 12, 12), lambda _: batches(blobs(32, 1, 12, 12)), 1, 2)
    same = {name for name, tensor in net.state_dict().items() if torch.equal(tensor, before[name])}
    assert same == {"head.weight", "head.bias"}
    assert all(parameter.grad is None for parameter in net.parameters())


def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    """And another one others; torch's own generator goes on as if nothing had been drawn."""
    pictures, states = blobs(32, 1, 12, 12), []
    for seed, drawn in ((0, 0), (0, 7), (1, 0)):
        net = net_of()
        torch.rand(drawn)
        before = torch.get_rng_state()
        autoencode(net, (1, 12, 12), lambda _: batches(pictures), 2, 2, seed)
        assert torch.equal(before, torch.get_rng_state())
        states.append(net.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["code.weight"], states[2]["code.weight"])


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 8, 8), (3, 17, 13), (3, 64, 64), (1, 5, 33), (3, 1, 1)])
def test_pictures_of_every_shape_come_back_in_their_shape(channels: int, height: int, width: int) -> None:
    decoder = Decoder(16, channels, (height, width))
    assert decoder(torch.randn(2, 16)).shape == (2, channels, height, width)
    errors = autoencode(
        net_of(channels), (channels, height, width), lambda _: [torch.randn(2, channels, height, width)], 1, 1
    )
    assert len(errors) == 1 and 0 < errors[0] < 10


def test_it_tells_how_far_it_is_and_stays_a_number_for_pictures_that_are_all_alike() -> None:
    told: list[int] = []
    grey = torch.zeros(4, 1, 8, 8)
    errors = autoencode(net_of(), (1, 8, 8), lambda _: [grey], 3, 1, told=lambda done, error: told.append(done))
    assert told == [1, 2, 3] and all(error == error for error in errors)


def test_what_is_copied_without_noise_is_not_asked_of_the_noise() -> None:
    """Noise is added to what is seen: without it the same steps end nearer."""
    pictures = blobs(64, 1, 12, 12)
    clean, noisy = (
        autoencode(net_of(), (1, 12, 12), lambda _: batches(pictures), 12, 4, noise=noise)[-1] for noise in (0.0, 3.0)
    )
    assert clean < noisy


def test_an_auxiliary_head_is_not_taken_for_the_last_layer() -> None:
    """It stands after the last layer in the list of modules, and does not run here."""
    net = net_of()
    net.auxiliary = nn.Linear(16, 3)
    before = net.head.weight.clone(), net.auxiliary.weight.clone()
    autoencode(net, (1, 8, 8), lambda _: [torch.randn(4, 1, 8, 8)], 1, 1)
    assert torch.equal(before[0], net.head.weight) and torch.equal(before[1], net.auxiliary.weight)


def test_what_cannot_be_is_refused() -> None:
    def never(_: int) -> Iterator[Tensor]:
        raise AssertionError("not reached")

    with pytest.raises(ConfigError, match=r"^--autoencode-epochs: Sequential does not end in a linear layer, whose"):
        autoencode(nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten()), (1, 8, 8), never, 1, 1)
    inside = nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten(), nn.Linear(3, 4), nn.Unflatten(1, (4, 1, 1)))
    with pytest.raises(ConfigError, match=r"does not end in a linear layer"):
        autoencode(nn.Sequential(inside, nn.Conv2d(4, 3, 1), nn.Flatten()), (1, 8, 8), never, 1, 1)
    for wrong, words in (({"epochs": 0}, "epochs"), ({"steps": 0}, "steps"), ({"noise": -1.0}, "noise")):
        with pytest.raises(ConfigError, match=f"^{words} must be"):
            autoencode(net_of(), (1, 8, 8), never, **{"epochs": 1, "steps": 1, **wrong})
    with pytest.raises(ConfigError, match=r"^The autoencoder failed at step 1 \(error nan\)\. Leave --autoencode-ep"):
        autoencode(net_of(), (1, 8, 8), lambda _: [torch.full((2, 1, 8, 8), torch.nan)], 1, 1)
