"""A classifier of windows, slid over the picture and as convolutions: one answer, two prices."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.models.segment.pixel_classifier import WINDOW, PixelClassifier, WindowNet, on_zeros, sliding_window
from pellucid.nn.geometry import describe


def window_net(n_classes: int = 3, channels: int = 1) -> WindowNet:
    """With a last layer as large as the others, so that answers differ from pixel to pixel."""
    torch.manual_seed(0)
    net = WindowNet(n_classes, channels, width=4)
    nn.init.normal_(net.classifier[3].weight, std=0.5)
    nn.init.normal_(net.classifier[3].bias)
    return net


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (24, 31)])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_pass_gives_what_the_windows_gave_borders_too(size: tuple[int, int], channels: int) -> None:
    net = window_net(channels=channels)
    x = torch.randn(2, channels, *size)
    windows, whole = sliding_window(net, x), PixelClassifier(net, channels)(x)
    assert windows.shape == whole.shape == (2, 3, *size)
    assert float(whole.detach().std()) > 0.1
    torch.testing.assert_close(whole, windows, rtol=0, atol=1e-5)


def test_a_window_is_what_lies_around_its_pixel() -> None:
    """Cut out by hand: inside, and in a corner, where zeros stand for what is not there."""
    net, x = window_net(), torch.randn(1, 1, 40, 40)
    answers, half = sliding_window(net, x), WINDOW // 2
    with torch.no_grad():
        inside = net(x[..., 20 - half : 21 + half, 15 - half : 16 + half])
        corner = torch.zeros(1, 1, WINDOW, WINDOW)
        corner[..., half:, half:] = x[..., : half + 1, : half + 1]
        torch.testing.assert_close(answers[0, :, 20, 15], inside[0])
        torch.testing.assert_close(answers[0, :, 0, 0], net(corner)[0])


def test_the_layers_fit_the_window() -> None:
    """Kernels of 3 at rates 1, 2, 2 and 4 leave 3 of 21 pixels; one pixel more or less of a window would not fit."""
    net = window_net()
    assert net.features(torch.zeros(1, 1, WINDOW, WINDOW)).shape[2:] == (3, 3)
    with pytest.raises(RuntimeError):
        net(torch.zeros(1, 1, WINDOW + 2, WINDOW + 2))


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_how_many_at_a_time_does_not_matter(chunk: int) -> None:
    net, x = window_net(), torch.randn(2, 1, 6, 9)
    torch.testing.assert_close(sliding_window(net, x, chunk=chunk), sliding_window(net, x))


def test_no_picture_has_no_answer() -> None:
    assert sliding_window(window_net(), torch.zeros(0, 1, 6, 9)).shape == (0, 3, 6, 9)


def test_weights_are_taken_along_by_value() -> None:
    net = window_net()
    whole = PixelClassifier(net, 1)
    assert sum(p.numel() for p in whole.parameters()) == sum(p.numel() for p in net.parameters())
    before = whole(torch.ones(1, 1, 3, 3))
    nn.init.zeros_(net.classifier[3].weight)
    assert torch.equal(whole(torch.ones(1, 1, 3, 3)), before)


def test_the_work_is_shared() -> None:
    """Multiply-adds: a window of its own for each of 64 x 64 pixels, against one pass."""
    net = window_net()
    each, whole = describe(net, 1, (WINDOW, WINDOW)).macs, describe(PixelClassifier(net, 1), 1, (64, 64)).macs
    assert 64 * 64 * each > 30 * whole


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="window must be odd, to have a pixel in its middle, got 20"):
        on_zeros(torch.zeros(1, 1, 4, 4), 20)
    with pytest.raises(ConfigError, match="chunk must be 1 or more, got 0"):
        sliding_window(window_net(), torch.zeros(1, 1, 4, 4), chunk=0)
