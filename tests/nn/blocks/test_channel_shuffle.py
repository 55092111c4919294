import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.blocks.channel_shuffle import ChannelShuffle, channel_shuffle, channel_unshuffle


def test_channels_are_dealt_like_cards():
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert channel_shuffle(x, 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]  # groups 0 1 2 and 3 4 5
    assert channel_shuffle(x, 3).flatten().tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 6, 12])
def test_it_equals_torch_and_is_undone(groups):
    x = torch.randn(2, 12, 3, 5)
    shuffled = ChannelShuffle(groups)(x)
    assert torch.equal(shuffled, nn.ChannelShuffle(groups)(x))
    assert torch.equal(channel_unshuffle(shuffled, groups), x)
    if groups in (1, 12):
        assert torch.equal(shuffled, x)


def test_any_rank_behind_the_channels():
    x = torch.randn(2, 6)
    assert torch.equal(channel_shuffle(x, 3), channel_shuffle(x[..., None, None], 3)[..., 0, 0])


def test_groups_meet_behind_a_shuffle():
    """Every output of the second grouped convolution depends on both groups of the input, without it on one."""
    first, second = (nn.Conv2d(4, 4, 1, groups=2, bias=False) for _ in range(2))
    x = torch.randn(1, 4, 1, 1, requires_grad=True)

    def seen(y: torch.Tensor) -> int:
        (gradient,) = torch.autograd.grad(y[0, 0].sum(), x, retain_graph=True)
        return int((gradient != 0).sum())

    assert seen(second(first(x))) == 2
    assert seen(second(channel_shuffle(first(x), 2))) == 4


def test_groups_that_do_not_divide_are_refused():
    with pytest.raises(DataError, match=r"4 groups do not divide the 6 channels of x \(1, 6, 2, 2\)"):
        channel_shuffle(torch.zeros(1, 6, 2, 2), 4)
    with pytest.raises(DataError, match="4 groups do not divide"):
        channel_unshuffle(torch.zeros(1, 6, 2, 2), 4)
    with pytest.raises(ConfigError, match="groups must be 1 or more, got 0"):
        ChannelShuffle(0)


@pytest.mark.parametrize("groups", [2, 3])
def test_the_layout_of_memory_is_kept(groups):
    """Else every convolution behind a shuffle would first copy its input."""
    x = torch.randn(2, 12, 3, 5)
    last = x.contiguous(memory_format=torch.channels_last)
    assert channel_shuffle(last, groups).is_contiguous(memory_format=torch.channels_last)
    assert channel_shuffle(x, groups).is_contiguous()
    assert torch.equal(channel_shuffle(last, groups), channel_shuffle(x, groups))
